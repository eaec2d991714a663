#!/usr/bin/perl

# canaryctl: after a rollback nothing begins again by itself, with or without
# the latch, until somebody re-arms it.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 5% stage=s1;\n");
$t->http_upstream($t->port($_->[0]), name => $_->[1])
    for [1, 'old'], [2, 'new'];
$t->start();
my $hook = $t->write('hook', "#!/bin/sh\necho \$1 >>%%DIR%%/hook.log\n");
chmod 0755, $hook;
my %plan = (
    stages => 's1:5%:1s s2:100%:1s',
    on_stage_end => $hook,
    timeout => 5 * $t->slow()
);
$ctl->settings(%plan);

# nothing that a timer, a pipeline or a reboot would do moves it
sub refused {
    my ($name, $why) = @_;

    my ($split, $generation) = ($ctl->split(), $ctl->generation());
    my $decisions = $ctl->log('decisions.jsonl');
    for my $args (
        ['promote'],
        ['promote', '--force', '--reason', 'x'],
        ['run', '--interval', '0.1'],
        ['set', '5%'],
        ['set', '100%', '--stage', 's2', '--reason', 'x']
        )
    {
        my $r = $ctl->run(@$args);
        is($r->{status}, 1, "$name: '@$args' is refused");
        like(
            $r->{err},
            qr/^canaryctl: not \w+, .*$why.*"canaryctl resume"/m,
            'with the reason, and what to do'
        );
    }
    is($ctl->split(), $split, 'the split file is as it was');
    is($ctl->generation(), $generation, 'nginx was not reloaded');
    is($ctl->log('decisions.jsonl'), $decisions, 'nothing was decided');
    ok(!-e $t->dir() . '/hook.log', 'no stage was ended');
    return;
}

# a gate's rollback, or one through the location: the stage goes on
$t->post('/control/documents/rollback', 'by=ben&reason=slow');
refused('the latch', 'is rolled back: by ben: slow;');
is($ctl->run('resume')->{status}, 0, 'resumed');
is($ctl->variant('a') =~ /old|new/, 1, 'served');
is($ctl->state()->{variants}{sliceB}{share}, 0.05, 'with the share it had');

# by canaryctl
is($ctl->run('rollback', '--by', 'ana', '--reason', 'errors')->{status},
    0, 'rollback');
my $who = qr/sliceB was rolled back 20\S+Z by ana: errors/;
refused('rollback', $who);

# nobody knows of it but canaryctl: without a latch, and with the old share
$t->post('/control/documents/resume', '');
refused('the latch is gone', $who);
$t->write('split/documents.split', "canary sliceB 5% stage=s1;\n");
$t->reload();
refused('the old share is written again', $who);
is($ctl->run('set', 'off')->{status}, 0, 'off is always possible');
refused('off', $who);

my $r = $ctl->run('resume');
is($r->{status}, 0, 'resumed');
like(
    $r->{out},
    qr/resumed in \S+ s, \w+, no canary has a share$/m,
    'it says that no share is in force'
);
is($ctl->run('promote')->{status}, 0, 'then promote begins with stage 1');
is($ctl->split(), "canary sliceB 5% stage=s1;\n", 'in the split file');

# without a control_url
$ctl->settings(%plan, control_url => undef);
is($ctl->run('rollback', '--by', 'ana', '--reason', 'errors')->{status},
    0, 'rollback without a control_url');
refused('without a control_url', $who);
is($ctl->run('resume')->{status}, 0, 'resumed without a control_url');
is($ctl->run('set', '5%')->{status}, 0, 'then set does it');
$t->post('/control/documents/rollback', '');
is($ctl->run('resume')->{status}, 2, 'a latch takes a control_url');
is($ctl->run('set', '5%', '--force', '--reason', 'x')->{status},
    2, 'so does a share');
$t->post('/control/documents/resume', '');

# set --force loads the share, then re-arms
$ctl->settings(%plan);
$ctl->run('rollback');
$r = $ctl->run(
    'set', '100%', '--stage', 's2', '--force', '--reason',
    'fixed', '--by', 'eve', '--json'
);
is($r->{status}, 0, 'set --force') or diag($r->{err});
is_deeply(
    [@{$r->{json}}{qw(to stage state forced)}],
    ['100%', 's2', 'active', JSON::PP::true()],
    'it is in force'
);
is($ctl->variant('a'), 'new', 'the canary serves');
is($ctl->run('set', '5%')->{status}, 0, 'nothing keeps the next one');

# and leaves all as it was if it cannot
$ctl->run('rollback');
my $split = $ctl->split();
$ctl->settings(%plan, control_url => 'http://127.0.0.1:%%PORT9%%/');
$r = $ctl->run('set', '100%', '--force', '--reason', 'fixed');
is($r->{status}, 1, 'not re-armed: failed');
like($r->{err}, qr/^canaryctl: not re-armed: /m, 'it says so');
is($ctl->split(), $split, 'the split file is as it was');
isnt($ctl->variant('a'), 'new', 'the canary does not serve');

# 0% re-arms, as for nginx
$ctl->settings(%plan);
is($ctl->run('set', '0%')->{status}, 0, 'set 0%');
$ctl->run('resume') if $ctl->state()->{state} eq 'rolled_back';
is($ctl->run('set', '5%')->{status}, 0, 'then set does it');

$t->no_alerts();

done_testing();
