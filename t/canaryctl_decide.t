#!/usr/bin/perl

# canaryctl decide: who decided what on the stage, and why, into the evidence
# and the journal; "rollback" then rolls back.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

use Time::HiRes qw(time);

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 5% stage=s1;\n");
$t->http_upstream($t->port($_->[0]), name => $_->[1])
    for [1, 'old'], [2, 'new'];
$t->start();
my %plan = (stages => 's1:5%:2h s2:25%:2h');
$ctl->settings(%plan);

my $before = time;
my $why = 'no "complaints" in 2 h';
my $r = $ctl->run('decide', 'go', '--by', 'ana', '--why', $why);
is($r->{status}, 0, 'go') or diag($r->{err});
is($r->{out}, "documents: go for s1, by ana\n", 'it tells what it noted');
is($r->{err}, '', 'without a warning');

my $said = ($ctl->log('decisions.jsonl'))[-1];
like($said->{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'the time');
is_deeply(
    [@$said{qw(by split canary stage decision reason state verdict share)}],
    ['ana', 'documents', 'sliceB', 's1', 'go', $why, 'active', 'pending', 0.05],
    'the evidence has it, with what the status said'
);

my $entry = $ctl->state()->{journal}[-1];
is_deeply(
    [@$entry{qw(event text)}],
    ['decision', "by ana: go for s1: $why"],
    'the journal has it'
);
cmp_ok($entry->{time}, '>=', $before - 1, 'with the time');
is(scalar $ctl->log(), 0, 'it is no change');
is($ctl->split(), "canary sliceB 5% stage=s1;\n", 'the split is as it was');

# for another stage, by name
is($ctl->run('decide', 'go', '--stage', $_, '--why', 'x')->{status},
    0, "--stage $_")
    for qw(s1 s2 baseline);
$r = $ctl->run('decide', 'go', '--stage', 's3', '--why', 'x');
is($r->{status}, 2, 'a stage that is not in the plan: wrong usage');
like($r->{err}, qr/unknown stage "s3", the plan has "s1", "s2"$/m,
    'it says so');

# rollback: the record first, then the rollback
$r = $ctl->run('decide', 'rollback', '--by', 'ben', '--why', 'slow', '--json');
is($r->{status}, 0, 'rollback') or diag($r->{err});
is_deeply(
    [@{$r->{json}}{qw(command decision result state)}],
    ['rollback', 'rollback', 'done', 'rolled_back'],
    'it is rolled back'
);
is($ctl->split(), "canary sliceB off;\n", 'the split file says off');
is($ctl->variant("user$_"), 'old', 'no request reaches the canary') for 1 .. 9;

$said = ($ctl->log('decisions.jsonl'))[-1];
is_deeply(
    [@$said{qw(by stage decision reason state)}],
    ['ben', 's1', 'rollback', 'slow', 'active'],
    'decided while it was active'
);
my @journal = grep { $_->{text} =~ /^by ben: / } @{$ctl->state()->{journal}};
is_deeply(
    [map { "$_->{event} $_->{text}" } @journal[0, 1]],
    ['decision by ben: rollback for s1: slow', 'rollback by ben: slow'],
    'the journal has both, in this order'
) or diag(explain(\@journal));
is(($ctl->log())[-1]{reason}, 'slow', 'changes.log has the rollback');

is($ctl->run('decide', 'go', '--why', 'a proxy')->{status}, 0, 'once more');
is(($ctl->log('decisions.jsonl'))[-1]{stage},
    's1', 'about what was rolled back');

# before the first stage
$ctl->run('resume');
is($ctl->run('decide', 'go', '--why', 'ready')->{status}, 0, 'while off');
is(($ctl->log('decisions.jsonl'))[-1]{stage},
    'baseline', 'it is about the baseline');

# a stage without a name
$ctl->run('set', '5%');
$r = $ctl->run('decide', 'go', '--why', 'x');
is($r->{status}, 1, 'a stage without a name: failed');
like($r->{err}, qr/the stage has no name, tell it by --stage$/m, 'what to do');

# what cannot be recorded
my $lines = $ctl->log('decisions.jsonl');
$ctl->settings(%plan, evidence_dir => '%%DIR%%/nginx.conf');
$r = $ctl->run('decide', 'go', '--stage', 's1', '--why', 'journal alone');
is($r->{status}, 0, 'an evidence folder that cannot be written: done');
like($r->{err}, qr/warning: .*decisions\.jsonl" cannot be written/,
    'warned of');
is($ctl->state()->{journal}[-1]{text} =~ /journal alone$/,
    1, 'the journal has it');

$ctl->settings(%plan, control_url => undef);
$r = $ctl->run('decide', 'go', '--stage', 's1', '--why', 'file alone');
is($r->{status}, 0, 'no control_url: done');
like($r->{err}, qr/warning: control_url is not set, the journal/, 'warned of');
is(($ctl->log('decisions.jsonl'))[-1]{reason}, 'file alone', 'the file has it');

$ctl->settings(%plan, control_url => undef, evidence_dir => undef);
$r = $ctl->run('decide', 'go', '--stage', 's1', '--why', 'nowhere');
is($r->{status}, 1, 'neither: failed');
is($ctl->run('decide', 'rollback', '--why', 'nowhere')->{status},
    0, 'but a rollback is done');
is($ctl->split(), "canary sliceB off;\n", 'the split file says so');

# no status
$ctl->settings(%plan);
$ctl->run('resume');
$ctl->run('set', '5%', '--stage', 's1');
$ctl->settings(%plan, url => 'http://127.0.0.1:%%PORT9%%/', timeout => 1);
is($ctl->run('decide', 'go', '--why', 'x')->{status}, 1, 'no status: failed');
$r = $ctl->run('decide', 'rollback', '--by', 'eve', '--why', 'all is down');
is($r->{status}, 0, 'but a rollback is done');
is($ctl->split(), "canary sliceB off;\n", 'the split file says so');
is_deeply(
    [@{($ctl->log('decisions.jsonl'))[-1]}{qw(by decision)}],
    ['eve', 'rollback'],
    'and the decision is recorded'
);

$t->no_alerts();

done_testing();
