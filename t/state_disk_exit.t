use strict;
use warnings;

# A stop waits for a disk that hangs, but not for long, and names each file that
# it could not write: the next start goes on from what was written before.

use Test::More;
use Time::HiRes qw(time);
use Canary;
use Canary::Disk;
use Canary::State;

my $t = Canary->new();
my $disk = Canary::Disk->new($t)
    or plan skip_all => 'no library can be put before this nginx';
my $s = Canary::State->new($t, workers => 2);
my $file = $s->file();

my $missed = qr/"\Q$file\E" of split "baseline" is not written while/;

$s->load('canary canary 100%;');
$t->start();
$s->canary(3);
$t->stop();
unlike($t->error_log(), qr/is not written/, 'a disk that works: all is well');

$t->start();
is($s->canary(4), 4, 'four more');
ok($s->written(), 'are written');
$disk->hang();
$s->canary(5);

my $began = time;
$t->stop();
my $took = time - $began;

$disk->works();
cmp_ok($took, '>', 3, 'a disk that hangs: it is waited for');
cmp_ok($took, '<', 5 * $t->slow(), 'less than 5 seconds');
is($s->logged($missed), 1, 'the file is named');

$t->start();
is($s->figures('canary')->{requests}, 7, 'a start goes on from before');

$t->no_alerts();
done_testing();
