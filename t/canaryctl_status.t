#!/usr/bin/perl

# canaryctl status: one screen, safe for any terminal.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 25% stage=s1;\n");
$t->http_upstream($t->port(1), name => 'old');
$t->http_upstream($t->port(2), name => 'new', status => 500);
$t->start();
$t->get("/?user=$_") for 1 .. 40;

my $r = $ctl->run('status');
my $variants = $ctl->state()->{variants};

is($r->{status}, 0, 'done');
like(
    $r->{out},
    qr/^documents +active +generation 1 +verdict pending$/m,
    'state and verdict'
);
like($r->{out}, qr/^stage s1, since /m, 'stage');
like($r->{out}, qr/^ +documents +sliceB$/m, 'both variants side by side');
like($r->{out}, qr/^share +75% +25%$/m, 'shares');

my ($old, $new) = map { $variants->{$_}{stage}{requests} } qw(documents sliceB);
is($old + $new, 40, 'all requests are counted');
like($r->{out}, qr/^stage +requests +$old +$new$/m, 'requests');
like($r->{out}, qr/^ +error rate +0% +100%$/m, 'error rates');
unlike($r->{out}, qr/[^\n\x20-\x7e]/, 'plain text where there is no terminal');
cmp_ok(scalar(() = $r->{out} =~ /\n/g), '<', 40, 'it fits on a screen');

# what others wrote must not reach the terminal as commands
$t->http_upstream($t->port(6),
    body => '{"generation":1,"time":1,"splits":{"documents":{"state":"active",'
        . '"reason":"\u001b]0;title\u0007\r\n\u009b31m","variants":{}}}}');
$ctl->settings(url => 'http://127.0.0.1:%%PORT6%%/');
$r = $ctl->run('status');
is($r->{status}, 0, 'a sparse status is shown');
unlike($r->{out}, qr/[\e\a\r]|\xc2\x9b/, 'without its control characters');

$ctl->settings();
SKIP: {
    $ctl->env()->{TERM} = 'xterm';
    my $pid = $ctl->terminal('24 80', 'status');
    skip 'no script(1) for a terminal', 2 if !defined $pid;

    like($ctl->finish($pid)->{out},
        qr/\e\[32mactive\e\[0m/, 'colours on a terminal');
    $ctl->env()->{NO_COLOR} = 1;
    unlike($ctl->finish($ctl->terminal('24 80', 'status'))->{out},
        qr/\e/, 'none with NO_COLOR');
    %{$ctl->env()} = ();
}

$ctl->settings(upstream => undef);
is($ctl->run('status')->{status}, 0, 'the only split needs no name');

$ctl->settings(url => 'http://127.0.0.1:%%PORT0%%/');
$r = $ctl->run('status');
is($r->{status}, 1, 'another location: failed');
is($r->{out}, '', 'nothing on standard output');

$t->no_alerts();

done_testing();
