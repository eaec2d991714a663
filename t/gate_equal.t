use strict;
use warnings;

# Two upstreams that are the same, with errors at half of the limit and noisy
# latencies: nothing is rolled back, whatever gate looks at them.

use Digest::MD5 qw(md5);
use Test::More;
use Time::HiRes qw(time);
use Canary;
use Canary::Fault;

my $t = Canary->new();
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
    canary => undef,
    baseline => undef
);

# by the user, but each time the same: 5 ms to 0.3 s, a few much later than most
sub chance {
    my ($request, $what) = @_;

    return unpack('N', md5("$what$request->{uri}")) / 2**32;
}

for my $port (1, 2) {
    $t->http_upstream(
        $t->port($port),
        status => sub { return chance($_[0], 'e') < 0.005 ? 500 : 200 },
        delay => sub { return 0.005 / (0.017 + chance($_[0], 'd')) }
    );
}
$t->start();

my ($end, $worst) = (time + 8, '');

$fault->load(
    24, 30,
    sub {
        my ($load) = @_;
        my $split = $fault->documents();
        $worst = $split->{state} if $split->{state} ne 'active';
        for my $gate (@{$split->{gates}}) {
            next if $gate->{status} ne 'fail';
            $worst = "$gate->{metric} $gate->{rule}: $gate->{reason}";
        }
        return $worst || ($load->{answers} >= 3000 && time > $end);
    }
);
is($worst, '', 'no gate failed at any time');

my $variants = $fault->documents()->{variants};
for my $name (qw(canary documents)) {
    my $total = $variants->{$name}{total};
    cmp_ok($total->{requests}, '>', 1000, "$name: requests");
    cmp_ok($total->{errors}, '>', 0, "$name: had errors");
    cmp_ok(
        $total->{latency}{p99},
        '>', 3 * $total->{latency}{p50},
        "$name: noisy"
    );
}

$t->no_alerts();
done_testing();
