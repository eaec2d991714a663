#!/usr/bin/perl

# canaryctl: wrong usage ends with 2 and changes nothing.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t);
$t->start();

my $generation = $ctl->generation();

my @wrong = (
    [],
    ['promote'],
    ['promote', 'now'],
    ['promote', '--stages', 's:5%:1s', '--force'],
    ['promote', '--force=no'],
    ['run'],
    ['run', '--stages', 's:5%:1s', 'now'],
    ['run', '--stages', 's:5%:1s', '--reason', 'x'],
    ['run', '--stages', 's:5%:1s', '--interval', '0'],
    ['run', '--stages', 's:5%:1s', '--force'],
    ['preflight', 'now'],
    ['preflight', '--reason', 'x'],
    ['preflight', '--canary', ''],
    ['status', '--rehearse'],
    ['decide'],
    ['decide', '--why', 'x'],
    ['decide', 'go'],
    ['decide', 'go', '--why', ''],
    ['decide', 'go', '--reason', 'x'],
    ['decide', 'stop', '--why', 'x'],
    ['decide', 'go', 'rollback', '--why', 'x'],
    ['decide', 'go', '--why', "two\nlines"],
    ['decide', 'go', '--why', 'x' x 1100],
    ['decide', 'go', '--why', 'x', '--stage', 'unknown'],
    ['incident'],
    ['incident', ''],
    ['incident', 'two', 'texts'],
    ['incident', "two\nlines"],
    ['incident', 'x', '--why', 'x'],
    ['no-such-command'],
    ['set'],
    ['set', '5%', '6%'],
    ['set', '5%', '--no-such-option', 'x'],
    ['set', '5%', '--stage'],
    ['set', '5%', '--count', '3'],
    ['set', '5%', '-x'],
    ['rollback', '5%'],
    ['rollback', '--stage', 's'],
    ['rollback', '--remote', '--control-url', ''],
    ['set', '5%', '--force'],
    ['set', '5%', '--remote'],
    ['promote', '--stages', 's:5%:1s', '--to', 'other'],
    ['resume', '--reason', "two\nlines"],
    ['resume', '--reason', "a\xc2\x85b"],
    ['resume', 'now'],
    ['status', 'now'],
    ['status', '--reason', 'x'],
    ['verdict', '--interval', '1'],
    ['watch', '--count', '0'],
    ['watch', '--count', '-1'],
    ['watch', '--count', ''],
    ['watch', '--interval', '0'],
    ['watch', '--interval', 'a[$(touch x)]'],
    ['status', '--timeout', 'a[$(touch x)]'],
    ['status', '--timeout', '0'],
    ['set', '5%', '--canary', 'a b'],
    ['set', '5%', '--canary', 'a;b'],
    ['set', '5%', '--upstream', ''],
    ['set', '5%', '--conf', '/no/such/file'],
);
push @wrong, ['set', $_]
    for '', '5', '%', '5 %', '.5%', '5.%', '5.12345%', '100.0001%', '101%',
    '1e1%', '+5%', '-1%', '5%;', '5%%', 'OFF', 'nan%', '0x5%', '1,5%',
    '99999999999999999999%', "5%\n";

for my $args (@wrong) {
    my $r = $ctl->run(@$args);
    my $name = join ' ', map { length > 30 ? substr($_, 0, 30) : $_ } @$args;
    $name =~ s/\n/\\n/g;
    is($r->{status}, 2, "wrong usage: '$name'") or diag($r->{err});
    like($r->{err}, qr/^canaryctl: /m, 'with a message') if $r->{status} == 2;
    is($r->{out}, '', 'on standard error only');
}

is($ctl->split(), "canary sliceB 5%;\n", 'the split file is as it was');
is($ctl->generation(), $generation, 'nginx was not reloaded');
is_deeply(
    [$ctl->log(), map { $ctl->log($_) } qw(decisions.jsonl incidents.jsonl)],
    [], 'there is nothing to log');
is(@{$ctl->state()->{journal}}, 1, 'nor in the journal');

my $r = $ctl->run('--help');
is($r->{status}, 0, '--help is none');
like($r->{out}, qr/^SYNOPSIS\n.*^EXIT STATUS\n/ms, 'it prints the manual');

$t->no_alerts();

done_testing();
