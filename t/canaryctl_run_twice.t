#!/usr/bin/perl

# canaryctl run: one at a time for a split.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 5% stage=s1;\n");
$t->start();
my $hook = $t->write('hook',
    "#!/bin/sh\nsleep 300 >/dev/null 2>&1 &\n" . "echo \$! >>%%DIR%%/left\n");
chmod 0755, $hook;
my %plan = (
    url => $ctl->said_url(),
    stages => 's1:5%:1s s2:25%:1h',
    on_stage_end => $hook
);
$ctl->settings(%plan);
$ctl->say(verdict => 'go');

my $first = $ctl->spawn('run', '--json', '--interval', '0.1');
my $out = $ctl->output($first);
ok($t->wait_for(sub { $t->read($out) =~ /"stage":"s2"/ }), 'one runs');

my $r = $ctl->run('run');
is($r->{status}, 1, 'a second one is refused');
like($r->{err}, qr/another canaryctl run for documents is at work$/m,
    'it says so');

kill 'KILL', $first;
$ctl->finish($first);
my $pid = $ctl->spawn('run', '--json', '--interval', '0.1');
$out = $ctl->output($pid);
ok($t->wait_for(sub { $t->read($out) =~ /"stage":"s2"/ }),
    'one that was killed, with a program of its hook left: not in the way');

kill 'TERM', $pid;
is($ctl->finish($pid)->{status}, 1, 'it ends');

kill 'KILL', $_ for split /\n/, $t->read('left');
$t->no_alerts();

done_testing();
