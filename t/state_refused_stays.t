use strict;
use warnings;

# A file that cannot be trusted stays under its name as long as no other can be
# written: each start refuses it anew, and it is kept aside once, however often
# nginx starts.

use Test::More;
use Canary;
use Canary::Disk;
use Canary::State;

my $t = Canary->new();
my $disk = Canary::Disk->new($t)
    or plan skip_all => 'no library can be put before this nginx';
my $s = Canary::State->new($t, workers => 1);
my $file = $s->file();

$s->load('canary canary 100%;');
refused('first');

$disk->fail(['rename', 'file', 'EIO']);

for my $start (1 .. 3) {
    $t->start();
    is($s->of('state'), 'rolled_back', "start $start: rolled back");
    is(
        $s->of('state_file')->{error},
        'the file cannot be renamed: Input/output error',
        "start $start: and not written"
    );
    is($s->canary(3), 0, "start $start: no request reaches the canary");
    $start == 2 ? $s->crash() : $t->stop();
    is($t->read($file), 'first', "start $start: the file stays");
    is_deeply([aside()], ["$file.bad"], "start $start: it is kept aside once");
}
is($s->logged(qr/cannot be trusted: .* is kept as "\Q$file\E.bad"/),
    3, 'each start says where');

# another one is another

unlink $file or die "unlink: $!\n";
refused('second');
$t->start();
$s->crash();
$disk->works();
$t->start();
is_deeply([aside()], ["$file.bad", "$file.bad.1"], 'another has another name');
is($t->read("$file.bad"), 'first', 'each is kept');
is($t->read("$file.bad.1"), 'second', 'as it was');

# once it can be, a file is written in its place

is($s->of('state'), 'rolled_back', 'rolled back');
is($s->of('state_file')->{error}, '', 'and written at once');
$s->restart();
is($s->of('state'), 'rolled_back', 'which the next start trusts');
is($s->logged(qr/goes on from state file/), 1, 'and says so');
is(scalar aside(), 2, 'nothing more is kept aside');

$t->no_alerts();
done_testing();

###############################################################################

sub refused {
    my ($text) = @_;

    return $t->write('state/file', $text);
}

sub aside {
    my @files = sort glob "$file.bad*";

    return @files;
}
