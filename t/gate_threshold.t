use strict;
use warnings;

# The evidence that a rollback takes is the promise, shared by all gates of the
# split: a tick a second for false_alarm, times the rules, times the canaries,
# and N + 1 times as much on one of a fleet of N.

use Test::More;
use Canary;

use constant DAY => 86_400;

my $t = Canary->new();

my @latencies = map { "$_ <= 1s" } qw(p50 p90 p95 p99 p999);
my @worse = map { "$_ not_worse" } qw(p50 p90 p95 p99 p999 error_rate);
my @events = map {
    (
        "event:e$_ <= 0",
        "event:e$_ >= 1r/s",
        "event:e$_/all <= 1%",
        "event:e$_:p95 <= 1",
        "event:e$_:mean <= 1"
    )
} 0 .. 3;
my @all = (@latencies, @worse, @events, 'throughput >= 1r/s');

# canaries, rules, what canary_rollback says, seconds, and what of a fleet
my %splits = (
    one => [['a 5%'], ['error_rate <= 1%'], '', 90 * DAY, 1],
    two => [['a 5%'], [@latencies[0, 1]], 'manual', 90 * DAY, 1],
    six => [['a 5%'], \@worse, 'auto false_alarm=90d pause=0', 90 * DAY, 1],
    hour => [['a 5%'], [@latencies], 'auto false_alarm=1h', 3600, 1],
    minute => [['a 5%'], ['p95 <= 1s'], 'auto false_alarm=1m', 60, 1],
    century =>
        [['a 5%'], ['p95 <= 1s'], 'auto false_alarm=100y', 36_500 * DAY, 1],
    canaries => [
        ['a 5%', 'b 0%', 'c off'],
        ['error_rate <= 1%', 'p95 not_worse', 'event:e0 <= 0'],
        'auto false_alarm=1d',
        DAY, 1
    ],
    most => [[map { "$_ 1%" } 'a' .. 'g'], \@all, '', 90 * DAY, 1],
    alone => [['a 5%'], ['p95 <= 1s'], 'auto fleet=1', 90 * DAY, 2],
    fleet => [
        ['a 5%', 'b 5%'],
        [@latencies], 'manual fleet=20 false_alarm=1d',
        DAY, 21
    ],
    world => [['a 5%'], ['p95 <= 1s'], 'auto fleet=10000', 90 * DAY, 10_001],
);

sub configure {
    my $upstreams = join "\n",
        map { "    upstream $_ { server 127.0.0.1:%%PORT1%%; }" } 'a' .. 'g';
    for my $name (sort keys %splits) {
        my ($canaries, $rules, $rollback) = @{$splits{$name}};
        my $lines = join "\n",
            map { "        $_;" } (map { "canary $_" } @$canaries),
            (map { "canary_gate $_" } @$rules),
            $rollback ? "canary_rollback $rollback" : ();
        $upstreams .= "\n    upstream $name {\n"
            . "        server 127.0.0.1:%%PORT1%%;\n$lines\n    }";
    }
    my $events = join ' ', map { "canary_event e$_ value=\$arg_v;" } 0 .. 3;

    $t->conf(<<"CONF");
$upstreams
    canary_event all;
    $events
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://one; }
        location /canary/ { canary_status; }
    }
CONF
    return;
}

sub thresholds {
    my ($when) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $status = $t->status();
    for my $name (sort keys %splits) {
        my ($canaries, $rules, $rollback, $seconds, $fleet) =
            @{$splits{$name}};
        my @gates = @{$status->{splits}{$name}{gates}};
        my $n = @$canaries * @$rules;
        my $expected = log($seconds * $n * $fleet) / log(10);

        is(@gates, $n, "$when: $name: $n gates");
        is_deeply(
            [
                grep { abs($_ - $expected) > 0.0006 }
                map { $_->{threshold} } @gates
            ],
            [],
            sprintf '%s: %s: each takes 10^%.3f',
            $when, $name,
            $expected
        );
    }
    return;
}

configure();
$t->start();
thresholds('started');

# a reload that adds gates to one and takes them from another
$splits{one}[1] = [@all];
$splits{six}[1] = ['error_rate not_worse'];
$splits{canaries}[0] = ['a 5%'];
$splits{alone}[2] = 'auto fleet=3';
$splits{alone}[4] = 4;
configure();
ok($t->reload(), 'a reload');
thresholds('reloaded');

$t->no_alerts();
done_testing();
