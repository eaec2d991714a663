#!/usr/bin/perl

# A stage that canaryctl ended before it was collected: its figures are those
# that canaryctl kept.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Evidence;

my $t = Canary->new();
my $ev = Canary::Evidence->new(
    $t,
    stages => 's1:20%:1s s2:50%:1s s3:100%:1s',
    split => "canary sliceB 20% stage=s1;\n"
);
my $ctl = $ev->ctl();
my $dir = $t->dir();

$t->http_upstream($t->port(1), name => 'old');
$t->http_upstream($t->port(2), name => 'new');
$t->start();

$t->get("/?user=$_") for 1 .. 50;
my $first = $t->seen($t->port(2));
is($ctl->run('set', '50%', '--stage', 's2')->{status}, 0, 'the next stage');
$t->get("/?user=$_") for 1 .. 50;
my $second = $t->seen($t->port(2)) - $first;

my $r = $ev->collect('s1');
is($r->{status}, 0, 'a stage that is over is collected') or diag($r->{err});
my $doc = $ev->doc('s1');
is($doc->{traffic}{requests}, $first, 'with its own figures');
ok($doc->{from_kept_status}, 'the document says from where');
like($ev->page('s1'), qr/from the status that was kept/, 'and the page');
ok(!-e "$dir/evidence/s1.metrics", 'there are no metrics of that time');
is_deeply($doc->{screenshots}, [], 'and no picture');

is($ctl->run('rollback', '--reason', 'disk full', '--by', 'ben')->{status},
    0, 'rolled back, and off in the split file');
is($ctl->state()->{state}, 'rolled_back', 'the second stage is over');
$r = $ev->collect('s2');
is($r->{status}, 0, 'it is collected') or diag($r->{err});
$doc = $ev->doc('s2');
is($doc->{traffic}{requests}, $second, 'with its own figures');
is($doc->{decision}{status}, 'ROLLBACK', 'it was rolled back');
is(
    "$doc->{decision}{by}: $doc->{decision}{why}",
    'ben: disk full',
    'by whom and why'
);
my ($log) = grep { $_->{command} eq 'rollback' } $ctl->log();
is($doc->{rollbacks}[0]{recovery}, $log->{seconds}, 'and how fast');

is($ev->collect('s3')->{status}, 1, 'a stage that never was is not collected');
is($ev->collect('verify')->{status}, 0, 'what is kept is not in the manifest');

# nothing that is in the way stops a change
$t->write('evidence/kept/x', '');
system('rm', '-r', "$dir/evidence/kept");
$t->write('evidence/kept', '');
is($ctl->run('resume')->{status}, 0, 're-armed, with a file in the way');
is($ctl->run('set', '20%', '--stage', 's1')->{status}, 0, 'a change');
is($ctl->run('rollback')->{status}, 0, 'and a rollback');

$t->no_alerts();

done_testing();
