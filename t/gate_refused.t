use strict;
use warnings;

# A canary that refuses connections is rolled back by itself; the baseline
# answers for it, so that no client sees an error.

use Test::More;
use Canary;
use Canary::Fault;

my $t = Canary->new();
my $fault = Canary::Fault->new(
    $t,
    gates => 'error_rate <= 1%',
    canary => undef
);
$t->http_upstream($t->port(1), name => 'canary');
$t->start();

$fault->run(
    break => sub { $t->stop_upstream($t->port(1)) },
    reason => qr/^canary: error_rate <= 1% is broken: \S+% in the stage/
);
is($fault->failed(), 0, 'no client saw an error');

my $total = $fault->documents()->{variants}{canary}{total};
cmp_ok($total->{fallbacks}, '>', 0, 'the baseline answered');
is($total->{fallbacks}, $total->{errors}, 'for each that failed');

$t->no_alerts();
done_testing();
