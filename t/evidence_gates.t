#!/usr/bin/perl

# collect-evidence.sh: the gates on a stage's page, and what held back a go.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Evidence;

my $t = Canary->new();
my $ev = Canary::Evidence->new(
    $t,
    stages => 's1:20%:2h s2:100%:24h',
    split => "canary sliceB 20% stage=s1;\n"
);
my $ctl = $ev->ctl();
$t->http_upstream($t->port($_)) for 1, 2;
$t->start();
$t->get("/?user=$_") for 1 .. 20;

my $why = "no go: clients gave up 12% of the requests to sliceB in the stage,"
    . ' more than 5%';
my %gate = (
    variant => 'sliceB',
    status => 'pass',
    window => 0.02,
    samples => 200,
    min => 100,
    evidence => 3.24,
    threshold => 7.6914
);
my @gates = (
    {
        %gate,
        metric => 'abort_rate',
        rule => '<=',
        limit => 0.02,
        actual => 0.0125,
        reason => '1.25% in the stage'
    },
    {
        %gate,
        metric => 'p95',
        rule => '<=',
        limit => 0.5,
        actual => undef,
        evidence => 0,
        reason => 'clients gave up'
    },
    {
        %gate,
        metric => 'throughput',
        rule => '>=',
        limit => 5,
        actual => 6,
        reason => '6r/s in the stage'
    },
);
delete $gates[2]{evidence};
$ev->settings(url => $ctl->said_url());
$ctl->say(verdict => 'pending', reason => $why, gates => \@gates);
$ev->collect('s1');

is($ev->doc('s1')->{held_back}, $why, 'the document says what held it back');

my $page = $ev->page('s1');
like($page, qr/^\*\*Verdict of the gates:\*\* pending: \Q$why\E *$/m,
    'and the page');

my %table = $ev->table($page, 'Gates');
is_deeply(
    {map { $_ => [@{$table{$_}}{qw(Limit Actual Evidence)}] } keys %table},
    {
        'abort_rate' => ['\<= 2%', '1.25%', '3.2 of 7.7'],
        'p95' => ['\<= 500ms', '-', '0 of 7.7'],
        'throughput' => ['\>= 5/s', '6/s', '-'],
    },
    'limit, figure and evidence of each gate'
);

$ctl->say(verdict => 'go', gates => \@gates);
$ev->collect('s1');
like(
    $ev->page('s1.2'),
    qr/^\*\*Verdict of the gates:\*\* go *$/m,
    'nothing holds back a go'
);

$t->no_alerts();

done_testing();
