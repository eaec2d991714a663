use strict;
use warnings;

# Root, who is the master, does not write where a worker's user leads it: not
# into another folder in the place of the one that was configured, not through
# a symbolic link, and it gives away no file that was there before.

use Test::More;
use Canary;
use Canary::State;

plan skip_all => 'not root: the master may do no more than its workers'
    if $> != 0;

my $user = 'nobody';
my ($uid, $gid) = (getpwnam $user)[2, 3];
plan skip_all => "no user $user here" if !$uid;

my $t = Canary->new();
my $group = getgrgid $gid;
my $s = Canary::State->new($t, workers => 1, user => "$user $group");
my $folder = $t->dir() . '/state';
my $precious = $t->dir() . '/precious';

chown $uid, $gid, $folder or die "chown: $!\n";
mkdir $precious;

$s->load('canary canary 100%;');
$t->start();
ok($s->written(), 'written');

rename $folder, "$folder.own" or die "rename: $!\n";
symlink $precious, $folder or die "symlink: $!\n";
$t->stop();
is_deeply([glob "$precious/{,.}[a-z]*"], [], 'another folder: left alone');
is($s->logged(qr/folder is not the one that it was/), 1, 'which is logged');
unlink $folder;
rename "$folder.own", $folder or die "rename: $!\n";

# a second name of a file of root, where the lock is looked for, and a link

$t->write('secret', 'secret');
my $secret = $t->dir() . '/secret';
chmod 0600, $secret;

for my $name ('.file.lock', '.file.tmp', 'file') {
    for my $kind (qw(link symlink)) {
        unlink "$folder/$name";
        $kind eq 'link'
            ? link $secret, "$folder/$name"
            : symlink $secret, "$folder/$name";
        $t->start();
        $t->stop();
        is((stat $secret)[4], 0, "$kind as $name: root keeps its file");
        is($t->read($secret), 'secret', "$kind as $name: as it was");
        unlink glob "$folder/{,.}file*";
    }
}

$t->no_alerts();
done_testing();
