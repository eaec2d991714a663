#!/usr/bin/perl

# canaryctl: every change is logged, and the log stops none.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t);
$t->start();

$ctl->env()->{CANARYCTL_BY} = 'ben';
$ctl->run('set', '10%', '--stage', 's1', '--reason', "quiet \"hours\" \\ 'x'");
$ctl->break_config();
$ctl->run('set', '20%', '--by', 'ana');
$ctl->mend_config();
$ctl->run('status');
$ctl->run('verdict');
$ctl->run('rollback');
$ctl->run('resume');

my @log = $ctl->log();
is_deeply(
    [map { "$_->{command} $_->{result}" } @log],
    ['set done', 'set failed', 'rollback done', 'resume done'],
    'each change has its line, also one that failed'
);
like($log[0]{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'time');
is($log[0]{by}, 'ben', 'who, from the environment');
is($log[1]{by}, 'ana', 'who, from the option');
is($log[0]{reason}, "quiet \"hours\" \\ 'x'", 'why');
is_deeply([@{$log[0]}{qw(split canary from to stage)}],
    ['documents', 'sliceB', '5%', '10%', 's1'], 'what');
like($log[1]{error}, qr/no_such_directive/, 'the error of the failed one');
is($log[2]{to}, 'off', 'what the rollback set');

# root may write anywhere, but not into a folder that is a file
for my $dir ('%%DIR%%/nginx.conf', '%%DIR%%/nginx.conf/deeper', '/proc/no/such')
{
    $ctl->settings(evidence_dir => $dir);
    my $r = $ctl->run('set', '5%');
    is($r->{status}, 0, "done with evidence_dir=$dir");
    like(
        $r->{err},
        qr/warning: .*changes\.log.* cannot be written/,
        'with a warning'
    );
}

$ctl->settings(evidence_dir => '%%DIR%%/new/folder');
is($ctl->run('set', '6%')->{status}, 0, 'a missing folder');
ok(-s $t->dir() . '/new/folder/changes.log', 'is created');

$ctl->settings(evidence_dir => undef);
my $r = $ctl->run('set', '7%');
is("$r->{status}$r->{err}", '0', 'without evidence_dir there is no warning');

$t->no_alerts();

done_testing();
