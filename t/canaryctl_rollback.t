#!/usr/bin/perl

# canaryctl rollback: no request reaches the canary any more.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t,
    split => "canary sliceB 60% stage=s;\ncanary sliceC 40% stage=s;\n");
$t->http_upstream($t->port(1), name => 'old');
$t->http_upstream($t->port(2), name => 'new');
$t->http_upstream($t->port(3), name => 'newer');
$t->start();

isnt($ctl->variant('a'), 'old', 'a canary serves before');

my $r =
    $ctl->run('rollback', '--reason', "errors & \xc3\xbc \"x\"", '--by', 'ana');

is($r->{status}, 0, 'done');
is($r->{err}, '', 'nothing to complain about');
like($r->{out}, qr/rolled back in \d+\.\d{3} s/, 'at once, and how fast');
is($ctl->variant($_), 'old', "user $_ goes to the baseline") for qw(a b c d);
is(
    $ctl->split(),
    "canary sliceB off;\ncanary sliceC 40% stage=s;\n",
    'the split file says off'
);
is($ctl->state()->{state}, 'rolled_back', 'the other canary is held back');

my ($event) = grep { $_->{event} eq 'rollback' } @{$ctl->state()->{journal}};
like($event->{text}, qr/ana/, 'the journal tells who');
like($event->{text}, qr/errors & \x{fc} "x"/, 'and why');

my ($entry) = $ctl->log();
is($entry->{command}, 'rollback', 'so does the log of changes');
is($entry->{by}, 'ana', 'who');
is($entry->{reason}, "errors & \x{fc} \"x\"", 'why');

$r = $ctl->run('rollback');
is($r->{status}, 0, 'once more is no error');

$t->no_alerts();

done_testing();
