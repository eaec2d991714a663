#!/usr/bin/perl

# canaryctl rollback: the only canary is off afterwards, and can start afresh.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 100%;\n");
$t->http_upstream($t->port(1), name => 'old');
$t->http_upstream($t->port(2), name => 'new');
$t->start();

is($ctl->run('rollback')->{status}, 0, 'rolled back');
is($ctl->state()->{state}, 'rolled_back', 'the split is rolled back');
is($ctl->variant('a'), 'old', 'the baseline serves');

my $r = $ctl->run('set', '100%', '--force', '--reason', 'mended');
is($r->{status}, 0, 'a share is set');
is($r->{err}, '', 'nothing to complain about');
is($ctl->variant('a'), 'new', 'the canary serves again');

$ctl->settings(control_url => undef);
$r = $ctl->run('rollback');
is($r->{status}, 0, 'without a control_url: done');
is($ctl->state()->{state}, 'off', 'by the reload');
is($ctl->variant('a'), 'old', 'the baseline serves');

$t->no_alerts();

done_testing();
