#!/usr/bin/perl

# collect-evidence.sh: every mistake has a clear answer, and leaves the folder
# as it was.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Evidence;

my $t = Canary->new();
my $ev = Canary::Evidence->new(
    $t,
    split => "canary sliceB 20% stage=s1;\n",
    sources => ''
);
my $none = 'http://127.0.0.1:' . $t->port(9);
my $odd = 'http://127.0.0.1:' . $t->port(5);
my $dir = $t->dir();

$t->http_upstream($t->port(1), name => 'old');
$t->http_upstream($t->port(2), name => 'new');
$t->http_upstream(
    $t->port(5),
    body => sub {
        my %body = (
            '/empty/status.json' => '',
            '/text/status.json' => 'hello',
            '/cut/status.json' => '{"generation":1,"splits":{',
            '/other/status.json' => '{"generation":1}',
            '/list/status.json' => '[]',
        );
        $_[0]{uri} =~ /^([^?]*)/;
        return $body{$1};
    }
);
$t->start();
$t->get("/?user=$_") for 1 .. 50;

$ev->collect('s1');
my @before = $ev->files();
my %content = map { $_ => $t->read("evidence/$_") } @before;
ok(@before >= 5, 'there is something to keep');

my @mistakes = (
    ['no stage', [], {}, 2, qr/one stage is needed/],
    ['two stages', ['s1', 's2'], {}, 2, qr/one stage is needed/],
    [
        'an unknown stage',
        ['s9'], {}, 2, qr/unknown stage "s9", .*: baseline s1 s2 final\n/
    ],
    ['a stage that is a path', ['../s1'], {}, 2, qr/unknown stage/],
    ['an unknown option', ['--no-such', 'x', 's1'], {}, 2, qr/unknown option/],
    ['an option of canaryctl', ['--count', '3', 's1'], {}, 2, qr/no option/],
    ['no plan', ['s1'], {stages => undef}, 2, qr/"stages" is not set/],
    ['a bad plan', ['s1'], {stages => 's1:5%'}, 2, qr/"s1:5%"/],
    [
        'a stage that is no name of a file',
        ['s1'], {stages => 's1:5%:1s final:100%:1s'},
        2, qr/no file can be/
    ],
    ['no canary', ['s1'], {canary => undef}, 2, qr/"canary" is not set/],
    ['no status', ['s1'], {url => "$none/"}, 1, qr/\Q$none\E.*[Cc]onnect/],
    ['another canary', ['s1'], {canary => 'sliceC'}, 1, qr/no canary "sliceC"/],
    ['another split', ['s1'], {upstream => 'x'}, 1, qr/no split "x"/],
    [
        'the stage that comes next', ['s2'],
        {}, 1,
        qr/stage in force is "s1", not "s2"/
    ],
    ['a baseline too late', ['baseline'], {}, 1, qr/has a share already/],
    ['no sources file', ['s1'], {sources => "$dir/no"}, 2, qr/cannot be read/],
    [
        'a status file that is not there',
        ['--status', 'no', 's1'],
        {}, 1, qr/"no" cannot be read/
    ],
    [
        'a key that is none',
        ['s1'], {signing_key => "$dir/nginx.conf"},
        1, qr/not signed/
    ],
    [
        'no key at all', ['s1'], {signing_key => "$dir/no.pem"}, 1,
        qr/not signed/
    ],
    map {
        [
            "a status that is $_",
            ['s1'], {url => "$odd/$_"},
            1, qr/no status of the canary/
        ]
    } qw(empty text cut other list)
);

for my $mistake (@mistakes) {
    my ($name, $args, $settings, $status, $message) = @$mistake;
    $ev->settings(%$settings);
    my $r = $ev->collect(@$args);
    is($r->{status}, $status, "$name: exit status");
    like($r->{err}, $message, "$name: message");
    is($r->{out}, '', "$name: nothing is promised");
    unlike($r->{err}, qr/line \d+:|jq: /, "$name: no message of the shell");
}

for my $line (
    ['x', qr/not a line of/],
    ['analytics | A | - | status', qr/not a line of/],
    ['other | A | - | status | .x', qr/unknown section "other"/],
    ['analytics | A | - | shell | ls', qr/unknown kind "shell"/],
    ['analytics | A | 5 | status | .x', qr/invalid target "5"/],
    ['analytics | A | <= x | status | .x', qr/invalid target "<= x"/],
    ['analytics | | - | status | .x', qr/row without a name/],
    ['analytics | A | - | status |', qr/row without an expression/],
    ['funnel | A | - | command | ls', qr/not for section "funnel"/],
    ['analytics | A | - | overall |', qr/not for section "analytics"/]
    )
{
    my ($text, $message) = @$line;
    $ev->settings();
    $ev->sources("# first\n$text\n");
    my $r = $ev->collect('s1');
    is($r->{status}, 2, "source '$text' is a mistake");
    like($r->{err}, $message, 'with a message');
    like($r->{err}, qr/sources\.conf:2/, 'with file and line');
}
$ev->sources('');

is_deeply([$ev->files()], \@before, 'the folder has the same files');
is_deeply({map { $_ => $t->read("evidence/$_") } @before},
    \%content, 'with the same content');

# root may write anywhere, but not into a folder that is a file
for my $folder ('%%DIR%%/nginx.conf', '%%DIR%%/nginx.conf/deep', '/proc/no') {
    $ev->settings(evidence_dir => $folder);
    my $r = $ev->collect('s1');
    is($r->{status}, 1, "a folder that cannot be written: $folder");
    like($r->{err}, qr/cannot be written/, 'and is named');
}

# what is needed for a figure is away: the page says so
$ev->sources(<<'TEXT');
resources | CPU | <= 85% | prometheus | x
TEXT
$ev->settings(prometheus => $none, alertmanager => $none, grafana => $none);
my $r = $ev->collect('s1');
is($r->{status}, 3, 'Prometheus is down: written, not complete');
my $page = $ev->page('s1.2');
my %row = $ev->table($page, 'Resource Utilization');
like($row{CPU}{Actual}, qr/^n\/a: .*\Q$none\E/, 'the row has its error');
is($row{CPU}{Status}, '⚠️ n/a', 'and no verdict');
like($page, qr/^\*\*Status:\*\* .*not complete/m, 'the page says so');
like($page, qr/^- alerts: .*\Q$none\E/m, 'the alerts are named as missing');
like($page, qr/Grafana 1 .*: curl/, 'and the picture');
my $doc = $ev->doc('s1.2');
ok(!$doc->{complete}, 'and so does the document');
is(scalar(grep { /\Q$none\E/ } @{$doc->{missing}}), 4, 'all four are listed');

# of two at the same time both are kept
$ev->sources('');
$ev->settings();
my @pids = map { $ev->spawn('s1') } 1, 2;
my @out = sort map { $_->{out} } map { $ev->finish($_) } @pids;
is_deeply(
    \@out,
    [map { $ev->folder() . "/s1.$_.md\n" } 3, 4],
    'two at the same time'
);

# one that is stopped leaves nothing
@before = $ev->files();
$t->stop_upstream($t->port(5));
$t->http_upstream($t->port(5), delay => 5);
$ev->settings(grafana => $odd);
my $pid = $ev->spawn('s1');
ok(
    $t->wait_for(
        sub {
            grep { /^\.collect/ } $ev->files();
        }
    ),
    'one that began'
);
kill 'TERM', $pid;
is($ev->finish($pid)->{status}, 1, 'and was stopped');
is_deeply([$ev->files()], \@before, 'leaves nothing');

$ev->settings();
is($ev->collect('verify')->{status}, 0, 'the manifest fits all the time');

$t->no_alerts();

done_testing();
