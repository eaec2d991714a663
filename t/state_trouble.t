use strict;
use warnings;

# Whatever keeps the state file from being written, requests are served and
# rollbacks taken: it is logged once with what is lost, shown in the status and
# counted, tried again, and logged once when it works again.

use Fcntl qw(:flock);
use Test::More;
use Canary;
use Canary::State;

use constant SIZE => 64 * 1024;

my $t = Canary->new();
my $s = Canary::State->new($t, workers => 2);
my $folder = $t->dir() . '/state';

$s->load('canary canary 100%;');
$t->start();
ok($s->written(), 'written at first');
is($s->of('state_file')->{path}, $s->file(), 'the status names the file');

# the folder is gone

rename $folder, "$folder.gone" or die "rename: $!\n";
troubled('folder gone', qr/folder cannot be opened: No such file/);
rename "$folder.gone", $folder or die "rename: $!\n";
mended('folder gone');

# the file's name is taken by a folder

unlink $s->file();
mkdir $s->file() or die "mkdir: $!\n";
troubled('a folder', qr/file cannot be renamed: Is a directory/);
rmdir $s->file();
mended('a folder');

# somebody who may read the folder has locked it

open my $reader, '<', $folder or die "open: $!\n";
flock $reader, LOCK_EX or die "flock: $!\n";
ok($s->written(), 'a folder that is locked: written');
is($s->rollback()->{written}, JSON::PP::true, 'and so is what POST does');
$s->resume();
close $reader;

# the lock itself: who has it is waited for, and not for ever

my $lock = "$folder/.file.lock";
is((stat $lock)[2] & 07777, 0600, 'nobody else can open the lock file');
my $locker = $t->_spawn(
    sub {
        open my $held, '<', $lock or die "open: $!\n";
        flock $held, LOCK_EX or die "flock: $!\n";
        sleep 600;
    }
);
ok($t->wait_for(\&locked), 'locked');
my $answer = $s->rollback();
is($answer->{state}, 'rolled_back', 'locked: rolled back');
like($answer->{error}, qr/locked by another process/, 'locked: says why');
$t->_end($locker);
$s->resume();
mended('locked');

# the disk is full, and read-only

SKIP: {
    my $mount = $t->dir() . '/disk';
    mkdir $mount;
    my $options = 'size=' . SIZE;
    skip 'no tmpfs may be mounted here', 1
        if system("mount -t tmpfs -o $options none $mount 2>/dev/null");

    $s->configure("$mount/file");
    ok($t->reload(), 'a file on a small disk');
    ok($s->written(), 'written there');

    open my $fill, '>', "$mount/fill" or die;
    1 while syswrite $fill, 'x' x 4096;
    close $fill;
    my $before = $t->read("$mount/file");
    troubled('full', qr/file cannot be written: No space left on device/);
    is($t->read("$mount/file"), $before, 'full: the last one is as it was');
    unlink "$mount/fill";
    mended('full');

    system "mount -o remount,ro $mount";
    troubled('read-only', qr/no file can be created.*Read-only file system/);
    system "mount -o remount,rw $mount";
    mended('read-only');

    $t->stop();
    system "umount $mount";
}

$t->no_alerts();
done_testing();

###############################################################################

sub troubled {
    my ($name, $why) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $logged = $s->logged(qr/is not written by user/);
    my $errors = errors();

    ok($t->wait_for(sub { $s->of('state_file')->{error} ne '' }, 20),
        "$name: the status shows it");
    like($s->of('state_file')->{error}, $why, "$name: and why");
    ok($t->wait_for(sub { errors() >= $errors + 2 }, 20), "$name: tried again");

    is(
        $s->logged(qr/is not written by user/),
        $logged + 1,
        "$name: logged once"
    );
    my ($line) = (grep { /is not written/ } split /\n/, $t->error_log())[-1];
    like(
        $line,
        qr/\[error\].*"baseline".*would lose what was counted and decided/,
        "$name: with what is lost"
    );

    my $reply = $s->rollback("reason=in+trouble");
    is($reply->{state}, 'rolled_back', "$name: a rollback is taken");
    is($reply->{written}, JSON::PP::false, "$name: and said not to be written");
    like($reply->{error}, $why, "$name: and why");
    is($s->canary(3), 0, "$name: it is in force");
    is($s->resume()->{state}, 'active', "$name: resumed");
    is($s->canary(3), 3, "$name: requests are served");

    return;
}

sub mended {
    my ($name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $logged = $s->logged(qr/is written again/);
    ok($s->written(), "$name: written again");
    cmp_ok($s->logged(qr/is written again/), '>=', 1, "$name: logged");
    cmp_ok(
        $s->logged(qr/is written again/),
        '<=',
        $logged + 1,
        "$name: logged once"
    );
    is($s->rollback()->{written}, JSON::PP::true, "$name: POST says so");
    $s->resume();

    return;
}

# for long: a worker holds it only while it writes
sub locked {
    for (1 .. 20) {
        open my $held, '<', $lock or return 0;
        return 0 if flock $held, LOCK_EX | LOCK_NB;
        select undef, undef, undef, 0.02;
    }
    return 1;
}

sub errors {
    my ($n) = $t->get('/canary/metrics')->{body} =~
        /^nginx_canary_state_errors_total\{upstream="baseline"\} (\d+)$/m;
    return $n;
}
