#!/usr/bin/perl

# canaryctl: nginx may say more than an argument of a command may hold; the
# records have the beginning of it.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t);
$t->start();

# says 300 KB, and refuses
my $nginx = $t->write('nginx-loud', <<'SH');
#!/bin/sh
head -c 300000 /dev/zero | tr '\0' x >&2
exit 1
SH
chmod 0755, $nginx;
$ctl->settings(nginx => $nginx);

my $r = $ctl->run('set', '50%', '--json');
is($r->{status}, 1, 'set: refused');
unlike($r->{err}, qr/Argument list too long/, 'and nothing else is wrong');
is($r->{json}{result}, 'failed', 'the result as JSON');
is($ctl->split(), "canary sliceB 5%;\n", 'the split file is as it was');
is(($ctl->log())[-1]{result}, 'failed', 'changes.log has it');
like(($ctl->log())[-1]{error}, qr/x{1000}/, 'with what nginx said first');

$r = $ctl->run('rollback', '--by', 'ana');
is($r->{status}, 0, 'rollback: in force without nginx');
is($ctl->state()->{state}, 'rolled_back', 'it is');
is(($ctl->log())[-1]{by}, 'ana', 'changes.log has it');
like(($ctl->log())[-1]{warnings}[0], qr/x{1000}/, 'and the warning');

$t->no_alerts();

done_testing();
