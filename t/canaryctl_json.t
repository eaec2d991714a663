#!/usr/bin/perl

# canaryctl --json: one JSON object on standard output.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t);
$t->start();

my $r = $ctl->run('status', '--json');
is($r->{json}{split}, 'documents', 'status: the split');
is($r->{json}{variants}{sliceB}{role}, 'canary', 'with its variants');

$r = $ctl->run('verdict', '--json');
is($r->{json}{verdict}, 'pending', 'verdict');

$r = $ctl->run('--json', 'set', '10%', '--stage', 's1');
is_deeply([@{$r->{json}}{qw(command result from to stage state)}],
    ['set', 'done', '5%', '10%', 's1', 'active'], 'set');
is($r->{json}{generation}, $ctl->generation(), 'with the generation');
cmp_ok($r->{json}{seconds}, '>', 0, 'and the time that it took');

$r = $ctl->run('rollback', '--json');
is_deeply([@{$r->{json}}{qw(command result from to state)}],
    ['rollback', 'done', '10%', 'off', 'rolled_back'], 'rollback');

$r = $ctl->run('resume', '--json');
is_deeply([@{$r->{json}}{qw(command result)}], ['resume', 'done'], 'resume');

$ctl->break_config();
$r = $ctl->run('set', '20%', '--json');
is($r->{status}, 1, 'refused');
is($r->{json}{result}, 'failed', 'as the object says');
like($r->{json}{error}, qr/no_such_directive/, 'with the reason');

$r = $ctl->run('--json', 'set', '200%');
is($r->{status}, 2, 'wrong usage');
like($r->{json}{error}, qr/200%/, 'is told in the object too');

$t->no_alerts();

done_testing();
