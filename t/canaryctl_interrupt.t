#!/usr/bin/perl

# canaryctl set: interrupted, the split file is as it was or complete.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t);
my $nginx = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
my $real = "$nginx -p %%DIR%% -e %%DIR%%/ctl.log -c %%DIR%%/nginx.conf";

# an nginx that waits where the test wants it to
my $slow = $t->write('slow_nginx', <<"SH");
#!/bin/sh
if [ "\$1" = "\$(cat %%DIR%%/wait_for)" ]; then
    touch %%DIR%%/waiting
    while [ ! -e %%DIR%%/go_on ]; do sleep 0.05; done
fi
[ "\$1 \$2" = "-s reload" ] && [ -e %%DIR%%/no_reload ] && exit 0
exec $real "\$@"
SH
chmod 0755, $slow;
$t->start();
$ctl->settings(nginx => $slow);

for my $signal (qw(INT TERM HUP)) {
    $t->write('wait_for', "-t\n");
    unlink map { $t->dir() . "/$_" } qw(waiting go_on);

    my $pid = $ctl->spawn('set', '50%');
    ok($t->wait_for(sub { -e $t->dir() . '/waiting' }), 'in the test');
    is($ctl->split(), "canary sliceB 50%;\n", 'the new file is in its place');
    kill $signal, $pid;
    $t->write('go_on', '');
    my $r = $ctl->finish($pid);

    is($r->{status}, 1, "$signal during the test: failed");
    like($r->{err}, qr/interrupted/, 'it says so');
    is($ctl->split(), "canary sliceB 5%;\n", 'the file is as it was');
    is_deeply([$ctl->leftovers()], [], 'no other file is left');
}

# after the reload the file stays
$t->write('wait_for', "never\n");
$t->write('no_reload', '');
my $pid = $ctl->spawn('set', '50%');
ok(
    $t->wait_for(
        sub {
            my $children = $t->read("/proc/$pid/task/$pid/children");
            return grep { $t->read("/proc/$_/cmdline") =~ /^sleep\0/ }
                split / /, $children;
        }
    ),
    'waiting for the generation'
);
kill 'INT', $pid;
my $r = $ctl->finish($pid);
is($r->{status}, 1, 'INT while waiting: failed');
like($r->{err}, qr/told to reload/, 'it says how far it came');
is($ctl->split(), "canary sliceB 50%;\n", 'the file is complete');
is_deeply([$ctl->leftovers()], [], 'no other file is left');

$t->no_alerts();

done_testing();
