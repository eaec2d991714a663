use strict;
use warnings;

# Workers killed many times, half of them in the very moment of a tick: counts
# stay exact but for what was in flight, and the ticks go on.

use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC sleep);
use Canary;
use Canary::Load;

my ($clients, $kills) = (8, 40);

my $t = Canary->new();

# seven canaries and all gates there are: a tick that lasts

my @canaries = map { "canary$_" } 1 .. 7;
my $upstreams = join "\n",
    map { "upstream $_ { server 127.0.0.1:%%PORT1%%; }" } @canaries;
my $split = join "\n", map { "canary $_ 5%;" } @canaries;
my $gates = join "\n",
    'canary_gate error_rate <= 1%;',
    'canary_gate error_rate not_worse margin=50%;',
    'canary_gate throughput >= 1r/s;',
    map { ("canary_gate $_ <= 5s;", "canary_gate $_ not_worse margin=1000%;") }
    qw(p50 p90 p95 p99 p999);

$t->conf(<<"CONF", workers => 2, connections => 1024);
    $upstreams
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        $split
        canary_key \$arg_k;
        canary_window 10s;
        $gates
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

# a process of its own, as this one is to have requests under way
my $killer = fork;
die "fork: $!\n" if !defined $killer;
if ($killer == 0) {
    my $parent = getppid;
    my $n = 0;
    srand $$;
    while ($n < $kills && getppid == $parent) {

        # both at a tick, or one at any other time
        my $at_tick = $n % 3;
        sleep 0.1 + rand 0.3;
        my @workers = $t->workers();
        @workers = $workers[rand @workers] if !$at_tick;
        sleep to_tick() + rand 0.003 if $at_tick;
        $n += kill 'KILL', grep { defined } @workers;
    }
    POSIX::_exit(0);
}

my $dead = 0;
$load->run(
    seconds => 60 * $t->slow(),
    until => sub { $dead ||= waitpid $killer, WNOHANG }
);
is($dead, $killer, 'all are killed');
my $killed = () = $t->error_log() =~ /exited on signal 9/g;
cmp_ok($killed, '>=', $kills, 'and nginx has seen it');
ok($t->wait_for(sub { $t->workers() == 2 }), 'there are new ones');

# requests and latencies counted, of the baseline or of all canaries
sub counted {
    my ($name) = @_;

    my $variants = $t->status()->{splits}{baseline}{variants};
    my ($requests, $timed) = (0, 0);
    for (grep { /^$name/ } keys %$variants) {
        $requests += $variants->{$_}{total}{requests};
        $timed += $variants->{$_}{total}{latency}{count};
    }
    return ($requests, $timed);
}

for my $name (qw(canary baseline)) {
    my ($seen, $requests, $timed);
    $t->wait_for(
        sub {
            $seen = length($servers->read("$name.log")) / 2;
            ($requests, $timed) = counted($name);
            return $requests >= $answered{$name};
        },
        2
    );

    # a killed worker takes what it was serving with it: seen by the upstream,
    # not counted; at most one request of each client

    my $lost = $killed * $clients;
    cmp_ok($requests, '<=', $seen, "$name: nothing counted that was not seen");
    cmp_ok(
        $requests, '>=',
        $answered{$name} - $lost,
        "$name: each answer of a worker that lived is counted"
    );
    cmp_ok($seen - $requests,
        '<=', $lost, "$name: lost at most what was in flight");
    cmp_ok(abs($timed - $requests), '<=', $killed, "$name: and timed");
    note("$name: seen $seen, counted $requests, answered $answered{$name}");
}

is($t->status()->{splits}{baseline}{state}, 'active', 'it is active');

# the gates go on

$servers->write('broken', '');
$load->run(
    seconds => 15 * $t->slow(),
    until => sub { $t->status()->{splits}{baseline}{state} ne 'active' }
);
my $end = $t->status()->{splits}{baseline};
is($end->{state}, 'rolled_back', 'a canary that fails is rolled back');
like($end->{reason}, qr/^canary\d: error_rate/, 'by a gate');

$servers->no_alerts();
$t->no_alerts(allow => qr/exited on signal 9/);
done_testing();
