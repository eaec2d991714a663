#!/usr/bin/perl

# collect-evidence.sh: a stage's page and document, which say the same, and
# what nginx counted.

use strict;
use warnings;

use Digest::SHA;
use Test::More;

use Canary;
use Canary::Evidence;

my $t = Canary->new();
my $ev = Canary::Evidence->new(
    $t,
    stages => 's1:20%:2h s2:100%:24h',
    split => "canary sliceB off;\n",
    settings => {flag => 'sliceB_documents', branch => 'b|1', commit => 'abc'},
    sources => ""
);
my $ctl = $ev->ctl();

$ev->sources(<<'TEXT');
security |Odd <name> `x` *y*|= 0      |status|.variants[$variant].stage.errors
resources|Requests          |>= 5 runs|status|.variants[$variant].stage.requests
TEXT

$t->http_upstream($t->port(1), name => 'old', delay => 0.01);
$t->http_upstream(
    $t->port(2),
    name => 'new',
    delay => 0.03,
    status => sub { $_[0]{uri} =~ /fail/ ? 500 : 200 }
);
$t->start();

$t->get("/?user=$_") for 1 .. 40;
my $r = $ev->collect('baseline');
is($r->{status}, 0, 'the baseline is complete') or diag($r->{err});
is($r->{out}, $ev->folder() . "/baseline.md\n", 'it tells the page');

my $before = $ev->doc('baseline');
is($before->{variant}, 'documents', 'it is about the baseline');
is($before->{traffic}{requests}, 40, 'and its requests');

is($ctl->run('set', '20%', '--stage', 's1', '--by', 'ana')->{status},
    0, 'the first stage begins');
$t->get("/?user=$_") for 1 .. 200;
$t->get("/fail?user=$_") for 1 .. 200;

my ($old, $new) = map { $t->seen($t->port($_)) } 1, 2;
my $failed = $t->seen($t->port(2), qr/fail/);
$old -= 40;
cmp_ok($failed, '>', 5, 'some requests failed');

$t->write('evidence/incidents.jsonl',
          qq({"time":"2026-01-01T00:00:00.250Z","stage":"s1","by":"ben",)
        . qq("text":"a | pipe"}\n)
        . qq({"time":"2026-01-01T00:00:00.250Z","stage":"s2","by":"ben",)
        . qq("text":"of another stage"}\n));
$t->write('evidence/decisions.jsonl',
          qq({"time":"2026-01-01T00:00:00.000Z","stage":"s1","by":"x",)
        . qq("decision":"rollback","reason":"a first thought"}\n)
        . qq({"time":"2026-01-01T00:00:01.000Z","stage":"s1","by":"ana",)
        . qq("decision":"go","reason":"all is well"}\n));

$r = $ev->collect('s1', '--by', 'cora', '--json');
is($r->{status}, 0, 'the stage is complete') or diag($r->{err});
is($r->{json}{decision}{status}, 'GO', 'it tells the decision');

# the document
my $doc = $ev->doc('s1');
is($doc->{traffic}{requests}, $new, 'requests, as the canary saw them');
is($doc->{traffic}{of}, $new + $old, 'of all, as both saw them');
is($doc->{traffic}{configured}, 0.2, 'the share');
is($doc->{planned}{time}, 7200, 'the planned time');
is($doc->{collected_by}, 'cora', 'who collected');
is($doc->{deployment}{commit}, 'abc', 'the commit');
is_deeply($doc->{decision}{by}, 'ana', 'the last decision counts');
is_deeply([map { $_->{text} } @{$doc->{incidents}}],
    ['a | pipe'], 'incidents of this stage');
is($doc->{incidents}[0]{time}, 1767225600.25, 'with their time');
is($doc->{raw}{changes}[0]{by}, 'ana', 'the log of changes');

my %performance = map { $_->{name} => $_ } @{$doc->{performance}};
is(
    $performance{'Error Rate'}{value},
    sprintf('%.6f', $failed / $new) + 0,
    'the error rate'
);
my $p50 = $performance{'P50 Latency'};
cmp_ok($p50->{value}, '>=', 0.03, 'the canary is as slow as it is');
cmp_ok($p50->{baseline_value}, '<', $p50->{value}, 'the baseline is faster');
is(
    $p50->{baseline_value},
    $before->{performance}[0]{value},
    'which is the one measured before'
);

my $status = $doc->{raw}{status}{splits}{documents};
is_deeply(
    [map { $status->{variants}{$_}{stage}{requests} } qw(documents sliceB)],
    [$old, $new],
    'the status as it was'
);
is(
    $doc->{raw}{metrics}{sha256},
    Digest::SHA->new(256)->addfile($ev->folder() . '/s1.metrics')->hexdigest(),
    "the metrics' hash"
);
like(
    $t->read('evidence/s1.metrics'),
    qr/^nginx_canary_requests_total\{.*variant="sliceB"\} $new$/m,
    'and the metrics'
);

for my $name (qw(documents sliceB)) {
    for my $scope (qw(total stage window)) {
        my $latency = $status->{variants}{$name}{$scope}{latency};
        my $sum = 0;
        $sum += $_->[1] for @{$latency->{histogram}};
        is($sum, $latency->{count}, "$name, $scope: the whole histogram");
    }
}

# the page says what the document says
my $page = $ev->page('s1');
my %table = $ev->table($page, 'Performance Metrics');
is_deeply(
    {map { $_ => $table{$_}{Actual} } keys %table},
    {map { $_ => $performance{$_}{actual} } keys %performance},
    'the table has the same figures'
);
is($table{'P50 Latency'}{Baseline}, $p50->{baseline}, 'and the baseline');

my %variants = $ev->table($page, 'Both Variants');
is($variants{sliceB}{Requests}, $new, 'requests of the canary');
is($variants{documents}{Requests}, $old, 'and of the baseline');
is($variants{sliceB}{Errors}, $failed, 'and errors');

my %security = $ev->table($page, 'Security Metrics');
my ($odd) = keys %security;
is($odd, 'Odd \<name> \`x\` \*y\*' =~ s/>/\\>/r, 'markup in a name is none');
is($security{$odd}{Status}, '❌ fail', 'a target that is missed');
my %resources = $ev->table($page, 'Resource Utilization');
is($resources{Requests}{Baseline}, '40 runs', 'a source has its baseline');
is($resources{Requests}{Actual}, "$new runs", 'and its figure');
is($resources{Requests}{Status}, '✅ pass', 'and its status');

like($page, qr/^\*\*Branch:\*\* b\\\|1 /m, 'a pipe is escaped');
like($page, qr/a \\\| pipe \(ben\)/, 'in an incident as well');
like($page, qr/^\*\*Proceed to Stage 2:\*\* YES/m, 'it goes on');
my ($duration) = $page =~ /^\*\*Duration:\*\* ([\d.]+) s/m;
cmp_ok(abs($duration - $doc->{times}{duration}), '<', 0.1, 'the duration');

# a second collection is kept beside
my @first = map { $t->read("evidence/s1.$_") } qw(json md metrics);
$r = $ev->collect('s1');
is($r->{out}, $ev->folder() . "/s1.2.md\n", 'a second one has its own name');
is_deeply([map { $t->read("evidence/s1.$_") } qw(json md metrics)],
    \@first, 'the first one is as it was');
is($ev->doc('s1.2')->{number}, 2, 'it is the second one');
is($ev->collect('s1')->{out}, $ev->folder() . "/s1.3.md\n", 'and a third');
is($ev->collect('verify')->{status}, 0, 'all of them are in the manifest');

$t->no_alerts();

done_testing();
