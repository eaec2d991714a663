use strict;
use warnings;

# Two upstreams that are the same, with errors at half of the limit and noisy
# latencies: nothing is rolled back, whatever gate looks at them.

use Test::More;
use Time::HiRes qw(time);
use Canary;
use Canary::Fault;

my $t = Canary->new();

# 1000 bytes at 8 KB a second: such an answer takes a while, now and then
my $text = 'x' x 1000;
my $server = <<"CONF";
            if (\$unlucky) { return 500; }
            if (\$late) { set \$limit_rate 8k; }
            return 200 $text;
CONF

my $fault = Canary::Fault->new(
    $t,
    gates => [
        'error_rate <= 1%',
        'error_rate not_worse margin=50%',
        'p50 <= 500ms',
        'p95 <= 2s',
        'p95 not_worse margin=10%',
        'p99 not_worse margin=50%'
    ],
    http => <<'CONF',
    split_clients e$request_id $unlucky { 0.5% 1; * ""; }
    split_clients l$request_id $late { 8% 1; * ""; }
CONF
    canary => $server,
    baseline => $server
);
$t->start();

my ($end, $worst) = (time + 8, '');

$fault->load(
    8, 30,
    sub {
        my ($load) = @_;
        my $split = $fault->documents();
        $worst = $split->{state} if $split->{state} ne 'active';
        $worst = "$_->{metric} $_->{rule}: $_->{reason}"
            for grep { $_->{status} eq 'fail' } @{$split->{gates}};
        return $worst || ($load->{answers} >= 4000 && time > $end);
    }
);
is($worst, '', 'no gate failed at any time');

my $variants = $fault->documents()->{variants};
for my $name (qw(canary documents)) {
    my $total = $variants->{$name}{total};
    cmp_ok($total->{requests}, '>', 1500, "$name: requests");
    cmp_ok($total->{errors}, '>', 0, "$name: had errors");
    cmp_ok(
        $total->{latency}{p99},
        '>', 3 * $total->{latency}{p50},
        "$name: noisy"
    );
}

$t->no_alerts();
done_testing();
