use strict;
use warnings;

# 50 splits keep their files in one folder, which somebody who may only read it
# has locked: none of them is ever older than 5 seconds, over a reload as well.

use Fcntl qw(:flock);
use Test::More;
use Time::HiRes qw(sleep stat time);
use Canary;

use constant {SPLITS => 50, SECONDS => 10, AGE => 5};

my $t = Canary->new();
my $folder = $t->dir() . '/state';
mkdir $folder;

my $splits = join '', map { <<"SPLIT" } 1 .. SPLITS;
    upstream split$_ {
        server 127.0.0.1:%%PORT1%%;
        canary canary 1%;
        canary_state %%DIR%%/state/split$_;
    }
SPLIT

$t->conf(<<"CONF", workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    $splits
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /canary/ { canary_status; }
    }
CONF

open my $dir, '<', $folder or die "open: $!\n";
flock $dir, LOCK_EX or die "flock: $!\n";

$t->start();

my @files = map { "$folder/split$_" } 1 .. SPLITS;
ok(
    $t->wait_for(
        sub {
            @files == grep { -e } @files;
        },
        AGE * $t->slow()
    ),
    'all files are written'
);

my ($oldest, $until, $reloaded) = (0, time + SECONDS, 0);

while (time < $until) {
    for my $file (@files) {
        my $age = time - (stat $file)[9];
        $oldest = $age if $age > $oldest;
    }
    $reloaded ||= time > $until - SECONDS / 2 && $t->reload();
    sleep 0.1;
}

ok($reloaded, 'a reload in the middle');
cmp_ok($oldest, '<=', AGE * $t->slow(), 'no file was older than 5 s');
is((grep { (stat $_)[2] & 077 } glob "$folder/.*.lock"),
    0, 'nobody else can open a lock file');
unlike($t->error_log(), qr/is not written/, 'none was missed');

# a file's time is that of the kernel's last tick, up to 10 ms before

my $stopped = time - 0.01;
$t->stop();
my @older = grep { (stat $_)[9] < $stopped } @files;
is(missed(), scalar @older, 'a stop names each file that it does not write');
is(time - $stopped > 3.5 ? 0 : @older,
    0, 'and it writes all of them, where the disk lets it');

$t->no_alerts();
done_testing();

###############################################################################

# with folder and file, so that no other line is meant
sub missed {
    return scalar grep { /state file "\Q$folder\E.* while nginx exits/ }
        split /\n/, $t->error_log();
}
