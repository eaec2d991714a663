use strict;
use warnings;

# Under load with 50 reloads and 10 killed workers, the counted requests equal
# those that the upstreams saw, but for those in flight in a killed worker.

use Test::More;
use Canary;
use Canary::Load;

my ($reloads, $kills) = (50, 10);
my $clients = 16;

my $t = Canary->new();

$t->write('split', 'canary canary 25%;');
$t->conf(<<'CONF', workers => 2, connections => 2048);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        include %%DIR%%/split;
        canary_key $arg_k;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF

# the upstreams are an nginx of their own, whose log is their count

my $servers = Canary->new();
my ($canary, $baseline) = ($t->port(1), $t->port(2));
$servers->conf(<<"CONF", module => 0);
    log_format one 'x';
    server {
        listen 127.0.0.1:$canary;
        access_log %%DIR%%/canary.log one;
        location / { return 200 canary; }
    }
    server {
        listen 127.0.0.1:$baseline;
        access_log %%DIR%%/baseline.log one;
        location / { return 200 baseline; }
    }
CONF
$servers->start();
$t->start();

my (%answered, $done, $killed, $since) = ();
($done, $killed, $since) = (0, 0, 0);

my $load = Canary::Load->new(
    $t->port(0),
    clients => $clients,
    request => sub { return "/x?k=$_[0]" },
    answered => sub {
        my ($request, $status, $head, $body) = @_;
        $answered{$body}++;
        $since++;
    }
);

$load->run(
    seconds => 120 * $t->slow(),
    until => sub { $done >= $reloads },
    tick => sub {
        return if $since < 100;
        $since = 0;
        $done++;
        $t->write('split', 'canary canary ' . ($done * 7 % 60) . '%;');
        $t->reload(wait => 0);

        if ($done % ($reloads / $kills) == 0) {
            my ($pid) = $t->workers();
            $killed++ if $pid && kill 'KILL', $pid;
        }
    }
);

is($done, $reloads, 'reloads');
is($killed, $kills, 'workers killed');

# all old workers gone: nothing is under way any more
ok($t->reload(drain => 1), 'drained');

my $variants = $t->status()->{splits}{baseline}{variants};

for my $name (qw(canary baseline)) {
    my $seen = length($servers->read("$name.log")) / 2;
    my $counted = $variants->{$name}{total}{requests};

    # a killed worker takes what it was serving with it: seen by the upstream,
    # not counted; a client's second try makes it one more at the upstream

    cmp_ok($counted, '<=', $seen, "$name: nothing counted that was not seen");
    cmp_ok(
        $counted, '>=',
        $answered{$name} - $kills * $clients,
        "$name: each answer of a worker that lived is counted"
    );
    cmp_ok(
        $seen - $counted,
        '<=',
        $kills * $clients,
        "$name: lost at most what was in flight in a killed worker"
    );
    note("$name: seen $seen, counted $counted, answered $answered{$name}");
}

$servers->no_alerts();
$t->no_alerts(allow => qr/exited on signal 9/);
done_testing();
