use strict;
use warnings;

# A file is read to its end however little the disk gives at a time.  What
# cannot be read cannot be trusted: the disk fails, or it is no file.  A lock
# file that the master could not give to its workers' user is made anew by them.

use POSIX qw(mkfifo);
use Test::More;
use Canary;
use Canary::Disk;
use Canary::State;

my $t = Canary->new();
my $disk = Canary::Disk->new($t)
    or plan skip_all => 'no library can be put before this nginx';
my $other = $> == 0 && getpwnam 'nobody';
my $group = $other ? getgrgid((getpwnam 'nobody')[3]) : '';
my $s = Canary::State->new(
    $t,
    workers => 1,
    $other ? (user => "nobody $group") : ()
);
my $file = $s->file();
chmod 0777, $t->dir(), $t->dir() . '/state';

$s->load('canary canary 100%;');
$t->start();
is($s->canary(3), 3, 'three requests');

$disk->short();
$s->restart();
is($s->figures('canary')->{requests}, 3, '100 bytes at a time: all is read');
$disk->works();

refused(
    sub { $disk->fail(['read', 'file', 'EIO']) },
    'it cannot be read (Input/output error)',
    'the disk fails'
);
refused(
    sub {
        unlink $file;
        mkfifo($file, 0600);
    },
    'it is no regular file',
    'a pipe'
);

SKIP: {
    skip 'not root: there is no other user', 3 if !$other;

    # where a file cannot be trusted the master writes another at once

    $t->stop();
    unlink $t->dir() . '/state/.file.lock' or die "unlink: $!\n";
    $t->write('state/file', 'nonsense');
    $disk->fail(['chown', '.file.lock', 'EPERM']);
    $t->start();
    is($s->logged(qr/lock file cannot be opened: Operation not permitted/),
        1, 'the lock file stays with root: the master writes nothing');
    ok($s->written(), 'workers make their own, and write');
    $t->stop();
    $disk->works();
    $t->start();
    is($s->of('state'), 'rolled_back', 'what they wrote is trusted');
}

$t->no_alerts();
done_testing();

###############################################################################

# a start after $change refuses the file
sub refused {
    my ($change, $why, $what) = @_;

    $t->stop();
    $change->();
    $t->start();
    is($s->of('state'), 'rolled_back', "$what: rolled back");
    like($s->of('reason'), qr/\Q$why\E/, "$what: and why");
    is($s->canary(3), 0, "$what: no request reaches the canary");
    $disk->works();
    is($s->resume()->{written}, JSON::PP::true, "$what: resumed, written");

    return;
}
