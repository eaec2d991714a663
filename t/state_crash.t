use strict;
use warnings;

# The answer to POST rollback means that it is on the disk: when the master and
# all workers are killed right behind it, the next start is rolled back.  The
# counters lose what was counted since they were last written, and no more.

use Test::More;
use Canary;
use Canary::State;

my $t = Canary->new();
my $s = Canary::State->new($t, workers => 4);

$s->load('canary canary 100%;');
$t->start();

is($s->canary(20), 20, 'active');
ok($s->written(), 'the counters are written');
my $before = $s->figures('canary');

my $answer = $s->rollback('by=anna&reason=slow');
$s->crash();
is($answer->{state}, 'rolled_back', 'rolled back');
is($answer->{written}, JSON::PP::true, 'and written, says the answer');

$t->start();
is($s->of('state'), 'rolled_back', 'after the crash it is still');
is($s->of('reason'), 'by anna: slow', 'and why');
is($s->canary(20), 0, 'no request reaches the canary');
is_deeply(
    [@{$s->figures('canary')}{qw(requests errors)}],
    [@$before{qw(requests errors)}],
    'the counters go on'
);

$answer = $s->resume();
$s->crash();
is($answer->{written}, JSON::PP::true, 'resumed and written');

$t->start();
is($s->of('state'), 'active', 'after the next crash it is resumed');
is($s->canary(20), 20, 'requests reach the canary');

# between a rollback and the next tick, again and again

for my $round (1 .. 5) {
    $s->rollback("reason=round+$round");
    $s->crash();
    $t->start();
    is($s->of('reason'), "round $round", "crash $round: rolled back");
    $s->resume();
}

is($s->logged(qr/cannot be trusted/), 0, 'never was the file in doubt');
is_deeply([glob $t->dir() . '/state/*.bad*'], [], 'nothing was kept aside');

$t->no_alerts();
done_testing();
