#!/usr/bin/perl

# collect-evidence.sh final: all stages in one report.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Evidence;

my $t = Canary->new();
my $ev = Canary::Evidence->new(
    $t,
    stages => 's1:20%:1s s2:100%:24h',
    split => "canary sliceB off;\n"
);
my $ctl = $ev->ctl();
my $dir = $t->dir();

$t->http_upstream($t->port(1), name => 'old');
$t->http_upstream($t->port(2), name => 'new');
$t->start();

my $r = $ev->collect('final');
is($r->{status}, 1, 'without a stage');
like($r->{err}, qr/no stage was collected/, 'there is no report');

$t->get("/?user=$_") for 1 .. 20;
$ev->collect('baseline');
$r = $ev->collect('final');
is($r->{status}, 3, 'without the stages it is not complete');
my $doc = $ev->doc('final');
is_deeply(
    [map { "$_->{stage} $_->{why}" } @{$doc->{absent}}],
    ['s1 not collected', 's2 not collected'],
    'both are named'
);
is($doc->{outcome}{status}, 'PENDING', 'nothing is decided');

$ctl->run('set', '20%', '--stage', 's1');
$t->get("/?user=$_") for 1 .. 50;
$ev->collect('s1');
$t->get("/?user=$_") for 1 .. 50;
$ev->collect('s1');
my $first = $t->seen($t->port(2));

$ctl->run('set', '100%', '--stage', 's2');
$t->get("/?user=$_") for 1 .. 30;
$t->write('evidence/decisions.jsonl',
          qq({"time":"2026-01-01T00:00:00.000Z","stage":"s2","by":"ana",)
        . qq("decision":"go","reason":"24 hours"}\n));
$ev->collect('s2');

$r = $ev->collect('final');
is($r->{status}, 0, 'with all of them it is') or diag($r->{err});
$doc = $ev->doc('final.2');
is($doc->{outcome}{status}, 'GO', "the last stage's decision");
is_deeply([map { $_->{file} } @{$doc->{stages}}],
    [qw(baseline s1.2 s2)], 'the newest of each stage');
is_deeply(
    [map { $_->{traffic}{requests} } @{$doc->{stages}}],
    [20, $first, 30],
    'with its figures'
);
is_deeply($doc->{stages}[2],
    $ev->doc('s2'), 'the document of a stage is in it as it is');

my $page = $ev->page('final.2');
like($page, qr/`s1\.2\.md`, and before it `s1\.md`/, 'older ones are named');
like($page, qr/^\*\*Proceed to Production:\*\* YES/m, 'it goes on');
like(
    $page,
    qr/^### Performance Metrics \(over [\d.]+ s\)$/m,
    'the last stage tells over which time'
);

for my $name (qw(s1.2 s2)) {
    my ($part) = $ev->page($name) =~ /^(## Stage .*?^### Screenshots)/ms;
    ok(index($page, $part) >= 0, "the part of $name is as in its own page");
}

# lessons: what was written by hand stays
like($page, qr/^\*\*What Went Well:\*\*\n- \n/m, 'room for lessons');
$page =~ s/(\*\*What Went Well:\*\*\n- )\n/$1all | of *it*\n- <b>\n/;
$t->write('evidence/final.2.md', $page);
$ev->collect('final');
like(
    $ev->page('final.3'),
    qr/^\*\*What Went Well:\*\*\n- all \| of \*it\*\n- <b>\n/m,
    'lessons in the report before are kept'
);
$t->write('evidence/lessons.md', "\nTwo things:\n\n---\n\n1. one\n2. two\n\n");
$ev->collect('final');
my $lessons = "## Lessons Learned\n\nTwo things:\n\n---\n\n1. one\n2. two\n"
    . "\n---\n\n**Report Generated:**";
like($ev->page('final.4'), qr/^\Q$lessons\E/m, 'lessons.md goes before it');
unlink "$dir/evidence/lessons.md";
$ev->collect('final');
like($ev->page('final.5'), qr/^\Q$lessons\E/m, 'and is kept word for word');

# a rollback after the last stage was collected
$ctl->run('rollback', '--reason', 'disk full', '--by', 'ben');
$r = $ev->collect('final');
$doc = $ev->doc('final.6');
is($doc->{outcome}{status}, 'ROLLBACK', 'a later rollback decides');
is($doc->{outcome}{by}, 'ben', 'with who');
is($doc->{outcome}{why}, 'disk full', 'and why');
my ($log) = grep { $_->{command} eq 'rollback' } $ctl->log();
is($doc->{rollbacks}[0]{recovery},
    $log->{seconds}, 'the recovery is what canaryctl measured');
$page = $ev->page('final.6');
like($page, qr/^\*\*Rollback Reason:\*\* by ben: disk full  $/m, 'its reason');
like($page, qr/^\*\*Recovery Time:\*\* [\d.]+ s, as canaryctl/m, 'its time');

# nginx is away: the report is written, and says what it does not know
$t->stop();
$r = $ev->collect('final');
is($r->{status}, 3, 'nginx is away: not complete');
like(
    $ev->page('final.7'),
    qr/^- what happened since the last stage: .*onnect/m,
    'and it says so'
);

$t->write('evidence/s2.json', '{"format":1');
$r = $ev->collect('final');
is($r->{status}, 1, 'a document that is broken');
like($r->{err}, qr/not every document .*s2\.json/, 'ends it');
ok(!-e "$dir/evidence/final.8.md", 'without a report');

$t->no_alerts();

done_testing();
