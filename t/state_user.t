use strict;
use warnings;

# The folder must be writable by nginx's worker user: where it is not, nginx
# says so at start, with user and file, and runs.  What the master, who is root,
# has written, its workers can replace.

use Test::More;
use Canary;
use Canary::State;

plan skip_all => 'not root: workers run as who starts nginx' if $> != 0;

my $user = 'nobody';
my ($uid, $gid) = (getpwnam $user)[2, 3];
plan skip_all => "no user $user here" if !$uid;

my $t = Canary->new();
my $group = getgrgid $gid;
my $s = Canary::State->new($t, workers => 2, user => "$user $group");
my $folder = $t->dir() . '/state';

$s->load('canary canary 100%;');
chmod 0755, $folder;
$t->start();

ok($t->wait_for(sub { $s->logged(qr/is not written by user "$user"/) }),
    'the log says so');
my ($line) = grep { /is not written/ } split /\n/, $t->error_log();
like(
    $line,
    qr/\[error\].*"\Q$folder\E\/file".*(?:written to|opened): Perm/,
    'with the file and why'
);
is($s->canary(3), 3, 'requests are served');
is($s->rollback()->{written}, JSON::PP::false, 'POST says it is not written');
ok(!-e $s->file(), 'nor is it');
$s->resume();

chown $uid, $gid, $folder or die "chown: $!\n";
ok($s->written(), 'once the folder is theirs it is written');
is((stat $s->file())[4], $uid, 'by them');
is((stat _)[2] & 07777, 0600, 'and readable for nobody else');

# a folder as /tmp is: only the owner of a file may replace it

chmod 01777, $folder;
chown 0, 0, $folder;
$t->stop();
$t->write($s->file(), 'nonsense');
chmod 0644, $s->file();
$t->start();
is($s->of('state'), 'rolled_back', 'a file that cannot be trusted');
is((stat $s->file())[4], $uid, 'the one that the master writes is theirs');
is($s->resume()->{written}, JSON::PP::true, 'they can replace it');

$t->no_alerts();
done_testing();
