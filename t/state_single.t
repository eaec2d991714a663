use strict;
use warnings;

# nginx without a master: its only process writes the state as it ends as a
# worker, and once more as the master that it is as well.

use Test::More;
use Canary;
use Canary::State;

my $t = Canary->new();
my $s = Canary::State->new($t, master => 'off');

$s->load('canary canary 100%;');
$t->start();

my $requests = 0;
for my $round (1 .. 3) {
    is($s->canary($round), $round, "round $round: requests");
    $requests += $round;
    $t->stop();
    $t->start();
    is($s->figures('canary')->{requests},
        $requests, "round $round: a stop keeps what was counted last");
}
is($s->rollback('reason=bad')->{written}, JSON::PP::true, 'rolled back');
$t->stop();
$t->start();
is($s->of('reason'), 'bad', 'and so it stays');
unlike($t->error_log(), qr/is not written/, 'nothing was missed');

$t->no_alerts();
done_testing();
