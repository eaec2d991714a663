#!/usr/bin/perl

# canaryctl resume: re-arms a split that is rolled back.

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

$t->post('/control/documents/rollback', '');
is($ctl->variant('a'), 'old', 'rolled back before');

my $r = $ctl->run('set', '99%', '--json');
is($r->{status}, 0, 'a share can be set meanwhile');
is($r->{json}{state}, 'rolled_back', 'which does not re-arm the split');
like($r->{err}, qr/warning.*resume/, 'a warning names the way');
is($ctl->run('set', '100%')->{status}, 0, 'once more');

$r = $ctl->run('resume', '--reason', 'mended', '--by', 'ana');
is($r->{status}, 0, 'resumed');
like($r->{out}, qr/resumed in \d+\.\d{3} s, active/, 'as the answer says');
is($ctl->variant('a'), 'new', 'the canary serves again');

my ($event) = grep { $_->{event} eq 'resume' } @{$ctl->state()->{journal}};
like($event->{text}, qr/ana/, 'the journal tells who');
like($event->{text}, qr/mended/, 'and why');

$r = $ctl->run('resume');
is($r->{status}, 0, 'resume of an active split is no error');
like($r->{out}, qr/was not rolled back/, 'but it says so');

$ctl->settings(upstream => 'nothing');
$r = $ctl->run('resume');
is($r->{status}, 1, 'an unknown split is refused');
like($r->{err}, qr/404/, 'with the status of the answer');

$ctl->settings(control_url => undef);
is($ctl->run('resume')->{status}, 2, 'it needs a control_url');

$t->no_alerts();

done_testing();
