use strict;
use warnings;

# A state file that is there and cannot be trusted starts the split rolled
# back, with one line that names the file and what is wrong with it; it is kept
# aside and never overwritten.  Resume and a load of 0% in place of
# other shares arm the split again.

use Test::More;
use Fcntl qw(S_ISFIFO);
use POSIX qw(mkfifo);
use Canary;
use Canary::State;

my $t = Canary->new();
my $s = Canary::State->new($t);
my $file = $s->file();

$s->load('canary canary 100%;');
$t->start();
is($s->canary(5), 5, 'active');
ok($s->written(), 'a good file');
$t->stop();

my $good = $t->read($file);
cmp_ok(length $good, '>', 100, 'it holds something');

my %kept;

refused('empty', qr/it is empty/, sub { put('') });
refused('a byte', qr/it is cut short/, sub { put(substr $good, 0, 1) });
refused('cut', qr/it is cut short/, sub { put(substr $good, 0, -1) });
refused('longer', qr/it has \d+ bytes where/, sub { put("$good\n") });
refused('a flipped bit', qr/checksum/, sub { put(flipped(60)) });
refused('another version', qr/version 9, .* reads 1/, sub { put(version(9)) });
refused('text', qr/no state file of this/, sub { put("root:x:0:0\n") });
refused('a FIFO', qr/no regular file/, sub { mkfifo($file, 0600) });
refused('a folder', undef, sub { mkdir $file });

# neither followed nor written to

my $target = $t->write('precious', $good);
refused('a link', qr/symbolic link/, sub { symlink $target, $file });
is($t->read('precious'), $good, 'what the link pointed at is as it was');
refused(
    'a link to nowhere',
    qr/symbolic link/,
    sub { symlink "$target.none", $file }
);
ok(!-e "$target.none", 'nothing was made where it pointed');

# read up to the size that any state has

refused(
    'a gigabyte',
    qr/it is too large with 1073741824 bytes/,
    sub {
        put('');
        truncate $file, 1 << 30 or die "truncate: $!\n";
    }
);

# that of another split

my $other = $good;
$other =~ s/\x08baseline/\x08baseLine/ or die "no name in the file\n";
refused('a changed name', qr/checksum/, sub { put($other) });

my @aside = glob "$file.bad*";
is(scalar @aside, scalar keys %kept, 'each one was kept, none overwritten');

# armed again by a load of 0%

put(substr $good, 0, 50);
$t->start();
is($s->of('state'), 'rolled_back', 'rolled back once more');
ok($s->load('canary canary off;'), 'a load as off');
is($s->of('state'), 'rolled_back', 'arms nothing');
ok($s->load('canary canary 0%;'), 'one with 0%');
ok($s->load('canary canary 100%;'), 'and one with a share');
is($s->canary(5), 5, 'arms it again');

# it cannot be armed by a crash before that is written

$t->stop();
put(substr $good, 0, 50);
$t->start();
$s->crash();
$t->start();
is($s->of('state'), 'rolled_back', 'a crash right behind the start');
is($s->canary(5), 0, 'does not arm it');
$t->stop();

# a first load re-arms nothing, as nothing was in force before

put(substr $good, 0, 50);
$s->load('canary canary 0%;');
$t->start();
is($s->of('state'), 'rolled_back', 'a start with 0%');

$t->no_alerts();
done_testing();

###############################################################################

sub refused {
    my ($name, $why, $make) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    unlink $file;
    $make->();

    # a folder is refused before that, by its name alone
    if (!defined $why) {
        my ($exit, $output) = $t->test_config();
        is($exit, 1, "$name: refused by the configuration");
        like($output, qr/"\Q$file\E" is a folder/, "$name: says why");
        rmdir $file;
        return;
    }

    my $inode = (lstat $file)[1];
    my $lines = $s->logged(qr/state file/);

    $t->start();

    my $line = (grep { /state file/ } split /\n/, $t->error_log())[$lines];
    like($line, qr/\[error\].*"\Q$file\E" of split "baseline"/, "$name: named");
    like($line, $why, "$name: what is wrong");
    is($s->logged(qr/cannot be trusted/), 1 + keys %kept, "$name: one line");

    is($s->of('state'), 'rolled_back', "$name: starts rolled back");
    like($s->of('reason'), qr/\Q$file\E.*$why/, "$name: for that reason");
    is($s->canary(5), 0, "$name: no request reaches the canary");

    my ($aside) = grep { (lstat)[1] == $inode } glob "$file.bad*";
    ok(defined $aside, "$name: it is kept aside");
    $kept{$inode} = $aside;

    # so that the inode is not given away

    is($s->resume()->{state}, 'active', "$name: resumed");
    is($s->canary(5), 5, "$name: armed again");
    $s->restart();
    is($s->of('state'), 'active', "$name: and that is kept");
    $t->stop();
    return;
}

sub put {
    my ($bytes) = @_;

    open my $out, '>:raw', $file or die "$file: $!\n";
    print {$out} $bytes;
    close $out;
    return;
}

sub flipped {
    my ($at) = @_;

    my $bytes = $good;
    substr($bytes, $at, 1) ^= "\x04";
    return $bytes;
}

sub version {
    my ($number) = @_;

    my $bytes = $good;
    substr($bytes, 8, 4) = pack 'V', $number;
    return $bytes;
}
