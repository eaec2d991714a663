#!/usr/bin/perl

# canaryctl set --stage: the stage belongs to the split.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t,
    split => "canary sliceB 5% stage=first;\ncanary sliceC 1% stage=first;\n");
$t->start();

my $r = $ctl->run('set', '10%', '--stage', 'second');

is($r->{status}, 0, 'a new stage is accepted with two canaries');
is($ctl->state()->{stage}{name}, 'second', 'it serves');
is(
    $ctl->split(),
    "canary sliceB 10% stage=second;\ncanary sliceC 1% stage=second;\n",
    'both lines name it, as nginx wants'
);

is($ctl->run('set', '20%')->{status}, 0, 'a share alone');
is(
    $ctl->split(),
    "canary sliceB 20%;\ncanary sliceC 1% stage=second;\n",
    'names no stage, and leaves the other canary alone'
);

for my $stage ('', 'two words', 'a;b', 'a"b', '$a', 'a{b', "a\nb") {
    is($ctl->run('set', '5%', '--stage', $stage)->{status},
        2, "stage '$stage' is wrong usage");
}

$t->no_alerts();

done_testing();
