#!/usr/bin/perl

# canaryctl watch: picture after picture, until it is told to end.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

use JSON::PP ();

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t);
$t->start();

my $r = $ctl->run('watch', '--count', '3', '--interval', '0.1', '--json');
is($r->{status}, 0, 'ends after three pictures');
my @pictures = map { JSON::PP::decode_json($_) } split /\n/, $r->{out};
is(@pictures, 3, 'one line of JSON each');
cmp_ok($pictures[0]{time}, '<', $pictures[2]{time}, 'of different times');

$r = $ctl->run('watch', '--count', '2', '--interval', '0.1');
is(scalar(() = $r->{out} =~ /^documents +active/mg), 2, 'two as text');
unlike($r->{out}, qr/\e/, 'without escapes where there is no terminal');

for my $signal (qw(INT TERM)) {
    my $pid = $ctl->spawn('watch', '--interval', '600', '--json');
    my $out = $ctl->output($pid);
    ok($t->wait_for(sub { length $t->read($out) }), 'the first picture');
    kill $signal, $pid;
    is($ctl->finish($pid)->{status}, 0, "$signal ends it at once");
}

$ctl->settings(url => 'http://127.0.0.1:%%PORT9%%/');
$r = $ctl->run('watch', '--count', '2', '--interval', '0.1');
is($r->{status}, 1, 'no answer at the end: failed');
is(scalar(() = $r->{out} =~ /^canaryctl: /mg), 2, 'but it went on asking');

$t->no_alerts();

done_testing();
