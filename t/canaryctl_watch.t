#!/usr/bin/perl

# canaryctl watch: picture after picture, until it is told to end, each with
# what the status page shows.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

use JSON::PP ();

my $t = Canary->new();
my $ctl = Canary::Ctl->new(
    $t,
    split => "canary sliceB 25%;\n",
    upstream => "canary_gate error_rate <= 90%;\ncanary_gate p95 <= 10s;\n"
);
$ctl->env()->{LC_ALL} = 'C';
$t->start();

my $r = $ctl->run('watch', '--count', '3', '--interval', '0.1', '--json');
is($r->{status}, 0, 'ends after three pictures');
my @pictures = map { JSON::PP::decode_json($_) } split /\n/, $r->{out};
is(@pictures, 3, 'one line of JSON each');
cmp_ok($pictures[0]{time}, '<', $pictures[2]{time}, 'of different times');

$r = $ctl->run('watch', '--count', '2', '--interval', '0.1');
is(scalar(() = $r->{out} =~ /^documents -> sliceB +\d\d:\d\d:\d\d UTC$/mg),
    2, 'two as text');
unlike($r->{out}, qr/[^\n -~]/, 'as plain text where there is no terminal');

# what the page says, in the same words
$t->http_upstream($t->port(1), name => 'old');
$t->http_upstream($t->port(2), name => 'new', status => 500);
$t->get("/?user=$_") for 1 .. 60;
my ($picture, $state);
ok(
    $t->wait_for(
        sub {
            $picture = $ctl->run('watch', '--count', '1')->{out};
            $state = $ctl->state();
            return 0 if $picture !~ /error rate, last .* up to 100%$/m;
            return 0 if $picture !~ /^  canary .*  100%$/m;
            return 0 if $picture !~ /^  baseline  [ _]+  0%$/m;
            (my $line = $picture) =~ s/\n */ /g;
            return index($line, $state->{sentence}) >= 0;
        }
    ),
    'the sentence of status.json'
) or diag($picture);
like(
    $state->{sentence},
    qr/^Nothing speaks against the canary\. 0 of 2 /,
    'which is that of the page'
);

like(
    $picture,
    qr/^\. pending +error_rate <= 90% +100% +0% +[#.]{10} \S+ of 7/m,
    'a gate: state, both figures and evidence'
);
like($picture, qr/^\.+#+$/m, 'the share as a bar');
like($picture, qr/^\. baseline  documents  75%, \d\S* r\/s$/m, 'one side');
like($picture, qr/^# canary    sliceB     25%, \d\S* r\/s$/m, 'the other');
like($picture, qr/^  canary    [ #]+#[ #]*  100%$/m, 'errors of the canary');
like($picture, qr/^  baseline  [ _]+  0%$/m, 'none of the baseline');
like($picture, qr/^\d\d[-:\d ]+  published  sliceB /m, 'the journal');

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
