#!/usr/bin/perl

# canaryctl rollback: a mistake elsewhere cannot stop it.

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

is($ctl->variant('a'), 'new', 'the canary serves before');
$ctl->break_config();

my $r = $ctl->run('rollback');
is($r->{status}, 0, 'done');
like($r->{err}, qr/warning.*no_such_directive/s, 'the mistake is a warning');
is($ctl->state()->{state}, 'rolled_back', 'the split is rolled back');
is($ctl->variant('a'), 'old', 'the baseline serves');
is($ctl->split(), "canary sliceB off;\n", 'the split file says off');

$ctl->mend_config();
$t->write('split/documents.split', "canary sliceB 'unbalanced;\n");
$r = $ctl->run('rollback');
is($r->{status}, 0, 'a split file that is no configuration: done');
is($ctl->split(), "canary sliceB off;\n", 'it is written anew');
is($ctl->state()->{state}, 'rolled_back', 'and stays rolled back');

$t->write('split/documents.split', "canary sliceB 100%;\n");
$ctl->settings(control_url => undef);
$ctl->break_config();
$r = $ctl->run('rollback');
is($r->{status}, 1, 'without a control_url: failed');
like($r->{err}, qr/no_such_directive/, 'with the message of nginx');
is($ctl->split(), "canary sliceB off;\n", 'the split file says off');

$ctl->settings(control_url => 'http://127.0.0.1:%%PORT0%%/canary/');
$r = $ctl->run('rollback');
is($r->{status}, 1, 'with a control_url that does not work: failed');
like($r->{err}, qr/not rolled back at once/, 'and it says so');

$ctl->mend_config();
$r = $ctl->run('rollback');
is($r->{status}, 0, 'then the reload does it');
like($r->{err}, qr/warning: not rolled back at once/, 'with a warning');

$t->no_alerts();

done_testing();
