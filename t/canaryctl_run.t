#!/usr/bin/perl

# canaryctl run: the whole plan, from off to its end.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

use JSON::PP ();

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB off;\n");
my $dir = $t->dir();
$t->start();

# what the hook is told, and what it sees
my $hook = $t->write('hook', <<'SH');
#!/bin/sh
printf '%s %s %s\n' "$1" "$CANARY_VERDICT" "$(cat %%DIR%%/split/*.split)" \
    >>%%DIR%%/hook.log
echo to standard output
[ "$1" != s2 ]
SH
chmod 0755, $hook;

my %settings = (
    url => $ctl->said_url(),
    stages => 's1:5%:1s s2:25%:2s s3:100%:1s',
    on_stage_end => $hook
);
$ctl->settings(%settings);
$ctl->say(verdict => 'go');

my $r = $ctl->run('run', '--json', '--interval', '0.1', '--by', 'ana');
is($r->{status}, 0, 'the plan is done') or diag($r->{err});
is($ctl->split(), "canary sliceB 100% stage=s3;\n", 'all stages are through');

my @events = map { JSON::PP::decode_json($_) } split /\n/, $r->{out};
is_deeply(
    [
        map { ($_->{event} eq 'end' ? '' : "$_->{stage} ") . $_->{event} }
        grep { $_->{event} =~ /stage|hook|end/ } @events
    ],
    [
        's1 stage', 's1 hook', 's2 stage', 's2 hook', 's3 stage', 's3 hook',
        'end'
    ],
    'a line of JSON for each event, and no other line'
);
is_deeply(
    [
        map { [@$_{qw(position stages share)}] }
        grep { $_->{event} eq 'stage' } @events
    ],
    [[1, 3, '5%'], [2, 3, '25%'], [3, 3, '100%']],
    'where it is in the plan'
);
is_deeply(
    [@{$events[-1]}{qw(command result by)}],
    ['run', 'done', 'ana'],
    'the last is the result'
);

my @began = map { $_->{time} } grep { $_->{event} eq 'stage' } @events;
cmp_ok(seconds($began[1]) - seconds($began[0]),
    '>=', 0.9, 'the first stage lasted its second');
cmp_ok(seconds($began[2]) - seconds($began[1]),
    '>=', 1.9, 'the second lasted two');

is(
    $t->read('hook.log'),
    "s1 go canary sliceB 5% stage=s1;\n"
        . "s2 go canary sliceB 25% stage=s2;\n"
        . "s3 go canary sliceB 100% stage=s3;\n",
    'the hook ran once at the end of each stage, before the next'
);
like(
    $r->{err},
    qr/warning: on_stage_end of "s2" failed with 1$/m,
    'one that failed is warned of, and stops nothing'
);
like($r->{err}, qr/^to standard output$/m, 'what it prints is no result');

my @log = $ctl->log();
is_deeply(
    [map { "$_->{by} $_->{command} $_->{stage} $_->{result}" } @log],
    [(map { "ana promote s$_ done" } 1 .. 3), 'ana run s3 done'],
    'changes.log has each stage'
);
is_deeply(
    [map { [@$_{qw(stage decision by)}] } $ctl->log('decisions.jsonl')],
    [map { ["s$_", 'go', 'ana'] } 1 .. 3],
    'decisions.jsonl has each decision'
);

# again, at the end of the plan: there is nothing to do
$r = $ctl->run('run', '--interval', '0.1');
is($r->{status}, 0, 'at the end of the plan: done at once');
like($r->{out}, qr/^documents: the plan is done$/m, 'it says so');

# a status that is not there at the start is a mistake
$ctl->settings(%settings, url => 'http://127.0.0.1:%%PORT9%%/');
$r = $ctl->run('run');
is($r->{status}, 1, 'no status: failed');
is($ctl->split(), "canary sliceB 100% stage=s3;\n", 'nothing changed');
is($ctl->run('run', '--stages', 's1:5%')->{status}, 2, 'a wrong plan');

$t->no_alerts();

done_testing();

sub seconds {
    my ($time) = @_;

    my ($h, $m, $s) = $time =~ /T(\d+):(\d+):([\d.]+)Z$/;
    return ($h * 60 + $m) * 60 + $s;
}
