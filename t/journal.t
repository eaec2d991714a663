use strict;
use warnings;

# The journal: entries have numbers that only grow, a reload that changes
# nothing adds none, and what was published gives way before anything else does.

use Test::More;
use Canary;
use Canary::State;

my $t = Canary->new();
my $s = Canary::State->new($t);

$s->load('canary canary 5%;');
$t->start();

sub journal { return @{$s->of('journal')} }

sub record {
    my ($text) = @_;
    return $t->post('/canary/control/baseline/decision', "reason=$text");
}

is_deeply([map { $_->{number} } journal()], [1], 'the first entry');
$t->reload();
is(journal(), 1, 'a reload of the same split adds none');

$s->load('canary canary 6%;');
$s->rollback('reason=slow');
$s->resume();
is_deeply(
    [map { "$_->{number} $_->{event}" } journal()],
    ['1 published', '2 published', '3 rollback', '4 resume'],
    'all of it in order'
);

record("d$_") for 1 .. 60;
is(journal(), 64, 'as many as there is room for');
$s->load("canary canary $_%;") for 7 .. 9;
my @entries = journal();
is(@entries, 64, 'no more');
is_deeply(
    [grep { $_->{number} == 3 || $_->{text} eq 'd1' } @entries],
    [@entries[0, 2]],
    'the rollback and all decisions are kept'
);
is_deeply(
    [map { $_->{event} } @entries[-2, -1]],
    [qw(published published)],
    'and the last that was published'
);

$s->restart();
is_deeply([journal()], \@entries, 'the same after a restart');
record('more');
is_deeply([map { $_->{number} } (journal())[-2, -1]],
    [67, 68], 'and the numbers go on');

record("e$_") for 1 .. 70;
@entries = journal();
is(@entries, 64, 'of many decisions');
is($entries[0]{text}, 'e7', 'the last 64 are kept');
is($entries[-1]{number}, 138, 'under their numbers');
is((grep { $_->{event} ne 'decision' } @entries), 0, 'and nothing else');

$t->no_alerts();
done_testing();
