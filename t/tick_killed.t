use strict;
use warnings;

# Workers killed many times, half of them in the very moment of a tick: counts
# stay exact but for what was in flight, and the ticks go on.

use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC sleep);
use Canary;
use Canary::Load;

my ($clients, $kills) = (8, 40);

my $t = Canary->new();

$t->conf(<<'CONF', workers => 2, connections => 1024);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        canary canary 25%;
        canary_key $arg_k;
        canary_window 10s;
        canary_gate error_rate <= 1%;
        canary_gate error_rate not_worse margin=50%;
        canary_gate p50 <= 5s;
        canary_gate p95 <= 5s;
        canary_gate p95 not_worse margin=1000%;
        canary_gate throughput >= 1r/s;
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
        location / {
            if (-f %%DIR%%/broken) { return 500 canary; }
            return 200 canary;
        }
    }
    server {
        listen 127.0.0.1:$baseline;
        access_log %%DIR%%/baseline.log one;
        location / { return 200 baseline; }
    }
CONF
$servers->start();
$t->start();

my %answered;
my $load = Canary::Load->new(
    $t->port(0),
    clients => $clients,
    request => sub { return "/x?k=$_[0]" },
    answered => sub { $answered{$_[3]}++ }
);

# Ticks are due at the whole seconds of this clock.
sub to_tick {
    my $now = clock_gettime(CLOCK_MONOTONIC);

    return 1 - ($now - int $now);
}

my ($killed, $next) = (0, clock_gettime(CLOCK_MONOTONIC) + 0.5);

$load->run(
    seconds => 60 * $t->slow(),
    until => sub { $killed >= $kills },
    tick => sub {
        my $left = to_tick();
        my $at_tick = $left < 0.015;

        return if !$at_tick && clock_gettime(CLOCK_MONOTONIC) < $next;

        my @workers = $t->workers();
        sleep to_tick() + rand 0.003 if $at_tick;

        # all of them at a tick, else one
        for my $pid ($at_tick ? @workers : $workers[0]) {
            $killed++ if $pid && kill 'KILL', $pid;
        }
        $next = clock_gettime(CLOCK_MONOTONIC) + 0.3 + rand 0.4;
    }
);
cmp_ok($killed, '>=', $kills, 'workers killed');
ok($t->wait_for(sub { $t->workers() == 2 }), 'there are new ones');

sub variants { return $t->status()->{splits}{baseline}{variants} }

my ($seen, $counted);

for my $name (qw(canary baseline)) {
    $t->wait_for(
        sub {
            $seen = length($servers->read("$name.log")) / 2;
            $counted = variants()->{$name}{total}{requests};
            return $counted >= $answered{$name};
        },
        2
    );

    # a killed worker takes what it was serving with it: seen by the upstream,
    # not counted; at most one request of each client

    my $lost = $killed * $clients;
    cmp_ok($counted, '<=', $seen, "$name: nothing counted that was not seen");
    cmp_ok(
        $counted, '>=',
        $answered{$name} - $lost,
        "$name: each answer of a worker that lived is counted"
    );
    cmp_ok($seen - $counted,
        '<=', $lost, "$name: lost at most what was in flight");
    note("$name: seen $seen, counted $counted, answered $answered{$name}");

    my $total = variants()->{$name}{total};
    cmp_ok(abs($total->{latency}{count} - $total->{requests}),
        '<=', $killed, "$name: and timed");
}

is($t->status()->{splits}{baseline}{state}, 'active', 'it is active');

# the gates go on

$servers->write('broken', '');
$load->run(
    seconds => 15 * $t->slow(),
    until => sub { $t->status()->{splits}{baseline}{state} ne 'active' }
);
my $split = $t->status()->{splits}{baseline};
is($split->{state}, 'rolled_back', 'a canary that fails is rolled back');
like($split->{reason}, qr/^canary: error_rate/, 'by a gate');

$servers->no_alerts();
$t->no_alerts(allow => qr/exited on signal 9/);
done_testing();
