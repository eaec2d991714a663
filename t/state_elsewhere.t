use strict;
use warnings;

# Two containers, or two machines, that share a folder: a process id of the one
# says nothing to the other.  Who sees that another has taken its file leaves it
# as long as that one writes, and takes it back when it no longer does.

use Test::More;
use Canary;
use Canary::State;

use constant {RUN => 20, PLACE => 36};    # in the header

my $t = Canary->new();
my $s = Canary::State->new($t, workers => 1);

$s->load('canary canary 100%;');
$t->start();
ok($s->written(), 'written');

my $file = $t->read($s->file());
isnt(number($file, PLACE), 0, 'the file says where its owner runs');

# the same process id elsewhere, as both may be process 1 of a container

takes(number($file, PLACE) + 2);
my $answer = $s->rollback();
is($answer->{written}, JSON::PP::false, 'taken by one elsewhere: not written');
like($answer->{error}, qr/belongs to another nginx that is running/, 'says so');

# it goes on writing, for as long as it would take to give it up

my $until = time + 16;
while (time < $until) {
    utime undef, undef, $s->file();
    select undef, undef, undef, 1;
}
is($s->resume()->{written}, JSON::PP::false, 'as long as that one writes');
ok($s->written(), 'then it is given up, and this one writes');
is($s->rollback()->{written}, JSON::PP::true, 'again');
is($s->logged(qr/is written again/), 1, 'which is logged');

$t->no_alerts();
done_testing();

sub number {
    my ($bytes, $at) = @_;

    return unpack 'Q<', substr $bytes, $at, 8;
}

# as another master would: a higher run, another place; looked at is the header
sub takes {
    my ($place) = @_;

    my $other = $t->read($s->file());
    substr $other, RUN, 8, pack 'Q<', number($other, RUN) + 1;
    substr $other, PLACE, 8, pack 'Q<', $place;

    open my $out, '>:raw', $s->file() . '.new' or die "open: $!\n";
    print {$out} $other;
    close $out;
    rename $s->file() . '.new', $s->file() or die "rename: $!\n";

    return;
}
