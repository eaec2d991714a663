use strict;
use warnings;

# Two nginx on one state file: it belongs to the one that came to it last, by a
# start or a reload; the other one says so, writes nothing, and takes the file
# back only if that one is gone.

use Test::More;
use Canary;
use Canary::State;

my $t = Canary->new();
my $s = Canary::State->new($t, workers => 2);

$s->load('canary canary 100%;');
$t->start();
is($s->canary(5), 5, 'requests of the first');
is($s->resume()->{written}, JSON::PP::true, 'and written');

# the second one starts

my $u = Canary->new();
my $second = Canary::State->new($u, workers => 2, file => $s->file());

$second->load('canary canary 100%;');
$u->start();
is($second->figures('canary')->{requests}, 5, 'the second goes on from there');
is($second->rollback('reason=second')->{written}, JSON::PP::true, 'it writes');
ok(foreign($s), 'the first says that the file is not its own');

my $answer = $s->rollback('reason=first');
is($answer->{state}, 'rolled_back', 'a POST to the first is in force');
is($answer->{written}, JSON::PP::false, 'and not written');
like($answer->{error}, qr/belongs to another nginx/, 'and says why');
is(owner(), $u->master(), 'the file is still that of the second');
is($s->logged(qr/belongs to another nginx/), 1, 'logged once');

# the first stops

$t->stop();
is(owner(), $u->master(), 'and leaves the file as it is');
$t->start();
is($s->of('reason'), 'second', 'what it reads next is of the second');
is($s->resume()->{written}, JSON::PP::true, 'now it is its own');
is($second->resume()->{written}, JSON::PP::false, 'not the second one\'s');

# a reload takes it

ok($u->reload(), 'a reload of the second');
is($second->rollback()->{written}, JSON::PP::true, 'takes it back');
is($s->resume()->{written}, JSON::PP::false, 'from the first');
is(owner(), $u->master(), 'as the file does');

# one that is gone has none

$second->crash();
is($s->resume()->{written}, JSON::PP::true, 'the second is killed');
is(owner(), $t->master(), 'and the first one goes on');

$t->no_alerts();
$u->no_alerts();
done_testing();

###############################################################################

sub foreign {
    my ($state) = @_;

    return $t->wait_for(
        sub {
            $state->of('state_file')->{error} =~
                /belongs to another nginx that is running/;
        },
        20
    );
}

# the master that has written the file, as it says
sub owner {
    return unpack 'Q<', substr $t->read($s->file()), 28, 8;
}
