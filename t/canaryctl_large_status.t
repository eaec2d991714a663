#!/usr/bin/perl

# canaryctl: a status that is larger than an argument of a command may be.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 100% stage=s1;\n");
$t->start();
$ctl->settings(url => $ctl->said_url(), stages => 's1:100%:1s');

my @journal =
    map { {time => 1, event => 'incident', text => "\x{fc}" x 4000} } 1 .. 64;
$ctl->say(
    verdict => 'go',
    journal => \@journal,
    stage => {elapsed => 1}
);

my $r = $ctl->run('status', '--json');
cmp_ok(length $r->{out}, '>', 256 * 1024, 'a large status');

for my $args (
    ['status'], ['verdict'],
    ['watch', '--count', '1'],
    ['decide', 'go', '--why', 'x'],
    ['incident', 'x'],
    ['run', '--json'],
    ['run'], ['set', '50%']
    )
{
    $r = $ctl->run(@$args);
    is($r->{status}, 0, "@$args");
    is($r->{err}, '', 'without a complaint');
}
like(scalar $ctl->run('preflight', '--json')->{out},
    qr/"check":"rollback"/, 'preflight');

$t->no_alerts();

done_testing();
