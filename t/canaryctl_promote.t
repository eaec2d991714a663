#!/usr/bin/perl

# canaryctl promote: stage by stage, each on go and when its time is over.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB off;\n");
$t->start();
$ctl->settings(
    url => $ctl->said_url(),
    stages => 's1:5%:10m  s2:12.5%:1h30m s3:100%:1d'
);

my $r = $ctl->run('promote', '--json', '--by', 'ana');
is($r->{status}, 0, 'the first stage takes no verdict');
is_deeply(
    [@{$r->{json}}{qw(command from to stage result)}],
    ['promote', 'off', '5%', 's1', 'done'],
    'it tells what it did'
);
is($ctl->split(), "canary sliceB 5% stage=s1;\n", 'share and stage');
is($ctl->state()->{stage}{name}, 's1', 'it serves');

for my $case (['s2', '12.5%', 600], ['s3', '100%', 5400]) {
    my ($name, $share, $time) = @$case;
    my $before = $ctl->split();

    $ctl->say(verdict => 'go', stage => {elapsed => $time - 1});
    $r = $ctl->run('promote');
    is($r->{status}, 3, "$name: a second too early");
    like($r->{err}, qr/not promoted yet, 1 s of the stage are left$/m,
        'it says when');

    $ctl->say(verdict => 'pending', stage => {elapsed => $time});
    $r = $ctl->run('promote');
    is($r->{status}, 3, "$name: no verdict yet");
    like($r->{err}, qr/not promoted yet, the verdict is pending: no gates$/m,
        'it says so');
    is($ctl->split(), $before, 'the split file is as it was');

    $ctl->say(verdict => 'go', stage => {elapsed => $time});
    $r = $ctl->run('promote');
    is($r->{status}, 0, "$name: go, and the time is over");
    is($ctl->split(), "canary sliceB $share stage=$name;\n", 'the next stage');
    is($ctl->state()->{stage}{name}, $name, 'it serves');
}

$ctl->say(verdict => 'go', stage => {elapsed => 1e6});
my $before = $ctl->generation();
for my $more ([], ['--force', '--reason', 'x']) {
    $r = $ctl->run('promote', @$more);
    is($r->{status}, 1, "the end of the plan: refused @$more");
    like($r->{err}, qr/"s3" is the last stage/, 'it says so');
}
is($ctl->generation(), $before, 'nginx was not reloaded');

my @log = $ctl->log();
is_deeply(
    [map { "$_->{stage} $_->{result}" } @log],
    ['s1 done', 's2 done', 's3 done', 's3 failed', 's3 failed'],
    'the log has each change, and what failed'
);
is($log[0]{by}, 'ana', 'and who');

# who is nowhere in the plan begins it
for my $set (['30%', '--stage', 'other'], ['0%', '--stage', 's2'], ['off']) {
    $ctl->run('set', @$set);
    $ctl->say(verdict => 'pending');
    is($ctl->run('promote')->{status}, 0, "after @$set");
    is($ctl->split(), "canary sliceB 5% stage=s1;\n", 'the first stage');
}

$t->no_alerts();

done_testing();
