use strict;
use warnings;

# "not_worse" alone catches a canary of which every tenth request fails,
# against a baseline that never fails.

use Test::More;
use Canary;
use Canary::Fault;

my $t = Canary->new();
my $fault = Canary::Fault->new(
    $t,
    gates => 'error_rate not_worse margin=50%',
    http => 'split_clients $arg_user $unlucky { 10% 1; * ""; }',
    canary => <<'CONF'
            set $why $unlucky;
            if (!-f %%DIR%%/broken) { set $why ""; }
            if ($why) { return 500; }
            return 200 canary;
CONF
);
$t->start();

$fault->run(
    break => sub { $t->write('broken', '') },
    reason => qr/^canary: error_rate not_worse margin=50% is broken: /
);

my $variants = $fault->documents()->{variants};
is($variants->{documents}{total}{errors}, 0, 'the baseline never failed');
cmp_ok($variants->{canary}{total}{error_rate},
    '<', 0.2, 'nor did most requests of the canary');

$t->no_alerts();
done_testing();
