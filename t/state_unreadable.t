use strict;
use warnings;

# A file that may not be read cannot be trusted: it is kept aside, and where it
# cannot be, it is left as it is and no state is written over it.

use Test::More;
use Canary;
use Canary::State;

plan skip_all => 'not root: cannot become another user' if $> != 0;
plan skip_all => 'no setpriv here' if system 'setpriv --version >/dev/null';

my $t = Canary->new();
my $s = Canary::State->new($t);
my $dir = $t->dir();

# root reads anything, so that nginx has to run as somebody else

my $uid = getpwnam('nobody') || 65534;
my $nginx = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
my $as = "setpriv --reuid=$uid --regid=$uid --clear-groups --no-new-privs";
$ENV{TEST_NGINX_BINARY} =
    $t->write('nginx', "#!/bin/sh\nexec $as $nginx \"\$@\"\n");
chmod 0755, $ENV{TEST_NGINX_BINARY};

$s->load('canary canary 100%;');
chown $uid, $uid, $dir, "$dir/state" or die "chown: $!\n";
my ($exit, $output) = $t->test_config();
plan skip_all => "not as another user: $output" if $exit;
unlink "$dir/test.log";

$t->start();
is($s->canary(3), 3, 'active');
ok($s->written(), 'written');
$t->stop();

chmod 0, $s->file();
chown 0, 0, $s->file();
$t->start();
is($s->of('state'), 'rolled_back', 'not readable: rolled back');
like($s->of('reason'), qr/cannot be opened \(Permission denied\)/, 'and why');
is($s->canary(3), 0, 'no request reaches the canary');
ok(-e $s->file() . '.bad', 'kept aside');
is($s->resume()->{written}, JSON::PP::true, 'resumed and written');
$t->stop();

# in a folder where nothing can be renamed

chmod 0, $s->file();
chown 0, 0, $s->file(), "$dir/state";
my $inode = (stat $s->file())[1];
$t->start();
is($s->of('state'), 'rolled_back', 'not readable, nor to be kept aside');
like($s->of('state_file')->{error}, qr/cannot be kept aside/, 'shown');
is($s->logged(qr/it is left as it is, and no state is written/), 1, 'logged');
is($s->resume()->{written}, JSON::PP::false, 'POST says so');
is($s->canary(3), 3, 'but the split is resumed');
$t->stop();
is((stat $s->file())[1], $inode, 'the file is as it was');

$t->no_alerts();
done_testing();
