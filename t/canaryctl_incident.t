#!/usr/bin/perl

# canaryctl incident: what happened, into the evidence and the journal.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 5% stage=s1;\n");
$t->start();

my $text = 'search: 40 s of time-outs, $(touch x) "see" \'ticket\' \\ 12';
my $r = $ctl->run('incident', $text, '--by', 'ana', '--json');
is($r->{status}, 0, 'noted') or diag($r->{err});
is_deeply(
    [@{$r->{json}}{qw(command reason stage result)}],
    ['incident', $text, 's1', 'done'],
    'the result as JSON'
);
is($r->{err}, '', 'without a warning');

my ($line, @more) = $ctl->log('incidents.jsonl');
is(scalar @more, 0, 'one line');
like($line->{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'the time');
is_deeply(
    [@$line{qw(by split canary stage text state verdict share)}],
    ['ana', 'documents', 'sliceB', 's1', $text, 'active', 'pending', 0.05],
    'who, what, and what the status said'
);
is_deeply(
    [@{$ctl->state()->{journal}[-1]}{qw(event text)}],
    ['incident', "by ana: $text"],
    'the journal has it'
);
is(scalar $ctl->log(), 0, 'it is no change');

$ctl->run('incident', 'a second');
is(scalar $ctl->log('incidents.jsonl'), 2, 'the next one is added');

# a FIFO would block, a folder cannot be written
my $file = $t->dir() . '/evidence/incidents.jsonl';
rename $file, "$file.before" or die "rename: $!\n";
mkdir $file or die "mkdir: $!\n";
$r = $ctl->run('incident', 'a third');
is($r->{status}, 0, 'a file that cannot be written: the journal has it');
like($r->{err}, qr/warning: .*incidents\.jsonl" cannot be written/,
    'warned of');
is($ctl->state()->{journal}[-1]{text} =~ /: a third$/, 1, 'it does');
rmdir $file;

# that there is no status may be the incident
$ctl->settings(
    url => 'http://127.0.0.1:%%PORT9%%/',
    control_url => 'http://127.0.0.1:%%PORT9%%/'
);
$r = $ctl->run('incident', 'nginx is down');
is($r->{status}, 0, 'without a status');
like($r->{err}, qr/warning: .*:\d+.*status\.json/, 'warned of');
is(($ctl->log('incidents.jsonl'))[-1]{text}, 'nginx is down',
    'the file has it');

$ctl->settings(
    url => 'http://127.0.0.1:%%PORT9%%/',
    control_url => undef,
    evidence_dir => undef
);
is($ctl->run('incident', 'lost')->{status}, 1, 'no place at all: failed');

$t->no_alerts();

done_testing();
