use strict;
use warnings;

# With canary_state a clean restart loses nothing: latch, counters, quantiles,
# journal and stage go on, and so does the number of the generation.

use Test::More;
use Canary;
use Canary::State;

my $t = Canary->new();
my $s = Canary::State->new($t, workers => 2, more => 'canary_bypass $arg_b;');

$s->load('canary canary 50% stage=half;');
ok(!-e $s->file(), 'there is no file yet');
$t->start();
ok($s->written(), 'but soon after the start');
is($s->of('state'), 'active', 'no file is a fresh start');

my $diverted = $s->canary(200);
$t->get('/fails?k=1&f=1') for 1 .. 3;
$t->get('/') for 1 .. 4;
$t->get('/?k=1&b=1') for 1 .. 5;

my $before = $s->{t}->status()->{splits}{baseline};
is($before->{variants}{canary}{total}{requests}, $diverted, 'counted');
is($before->{variants}{canary}{total}{forced}, 3, 'forced ones');
is($before->{unkeyed}, 4, 'unkeyed ones');
is($before->{bypassed}, 5, 'bypassed ones');

$s->restart();

my $after = $s->{t}->status()->{splits}{baseline};
for my $variant (qw(canary baseline)) {
    for my $scope (qw(total stage)) {
        my @both = map { $_->{variants}{$variant}{$scope} } $before, $after;
        delete $_->{throughput} for @both;
        is_deeply($both[1], $both[0], "$variant, $scope: all figures");
    }
}
is($after->{unkeyed}, 4, 'unkeyed ones');
is($after->{bypassed}, 5, 'bypassed ones');
is($after->{state}, 'active', 'still active');
is($after->{generation}, $before->{generation} + 1, 'the next generation');

is($after->{stage}{name}, 'half', 'the stage');
is(
    $after->{stage}{started_at},
    $before->{stage}{started_at},
    'began when it did'
);
cmp_ok(
    $after->{stage}{elapsed},
    '>=',
    $before->{stage}{elapsed},
    'and is no younger'
);

my @events = map { $_->{event} } @{$after->{journal}};
is_deeply(\@events, [qw(published)], 'the journal goes on');
is_deeply(
    $after->{journal}[0],
    $before->{journal}[0],
    'its first entry is as it was'
);

is($s->canary(200), $diverted, 'the same users');
is(
    $s->figures('canary')->{requests},
    2 * $diverted,
    'and the counters go on exactly'
);

$s->rollback('by=anna&reason=slow');
my $latched = $s->of('journal')->[-1];
$s->restart();

is($s->of('state'), 'rolled_back', 'a rollback is kept');
is($s->of('reason'), 'by anna: slow', 'and why');
is($s->canary(50), 0, 'no request reaches the canary');
is_deeply($s->of('journal')->[-1], $latched, 'the journal tells when');
like(
    $t->get('/canary/metrics')->{body},
    qr/^nginx_canary_rollbacks_total\{.*cause="operator"\} 1$/m,
    'it is counted once'
);

$s->resume();
$s->restart();
is($s->of('state'), 'active', 'so is a resume');

$t->stop();
$s->load('canary canary 25% stage=quarter;');
$t->start();

$after = $s->{t}->status()->{splits}{baseline};
is($after->{stage}{name}, 'quarter', 'with other shares a new stage begins');
is($after->{variants}{canary}{stage}{requests}, 0, 'its figures too');
is(
    $after->{variants}{canary}{total}{requests},
    2 * $diverted,
    'the totals go on'
);

$t->no_alerts();
done_testing();
