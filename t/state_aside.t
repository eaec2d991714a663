use strict;
use warnings;

# At most 100 files that could not be trusted are kept aside.  One more stays
# where it is, no state is written over it, and the split is in use.

use Test::More;
use Canary;
use Canary::State;

my $t = Canary->new();
my $s = Canary::State->new($t, workers => 1);
my $file = $s->file();

$s->load('canary canary 100%;');
$t->write('state/file.bad', 'of before');
$t->write("state/file.bad.$_", "of before: $_") for 1 .. 98;

$t->write('state/file', 'the hundredth');
$t->start();
is($t->read("$file.bad.99"), 'the hundredth', 'the hundredth is kept aside');
like(
    $t->get('/canary/metrics')->{body},
    qr/^nginx_canary_rollbacks_total\{upstream="baseline",cause="state"\} 1$/m,
    'which is a rollback'
);
is($s->resume()->{written}, JSON::PP::true, 'and the state is written');
$t->stop();

$t->write('state/file', 'one more');
$t->start();
is($s->of('state'), 'rolled_back', 'one more: rolled back');
like(
    $s->of('state_file')->{error},
    qr/cannot be kept aside: File exists/,
    'the status shows why'
);
is($s->resume()->{written}, JSON::PP::false, 'nothing is written');
is($s->canary(3), 3, 'but the split is in use');
$t->stop();
is($t->read($file), 'one more', 'it is as it was');
is($t->read("$file.bad.98"), 'of before: 98', 'and so are the others');
is(scalar(() = glob "$file.bad*"), 100, 'which are a hundred');

# with room again

unlink "$file.bad.7" or die "unlink: $!\n";
$t->start();
is($t->read("$file.bad.7"), 'one more', 'with room it is kept aside');

$t->no_alerts();
done_testing();
