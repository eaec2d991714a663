#!/usr/bin/perl

# A roll-out whose canary goes bad at 25%: the gates roll it back, the alert
# fires, and the evidence says why and how long it took.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Rollout;

my $t = Canary->new();
my $roll = Canary::Rollout->new(
    $t,
    stages => 's1:10%:3s s2:25%:1h s3:50%:1h',
    gates => <<'CONF',
canary_gate p95        <= 2s  min=10;
canary_gate error_rate <= 5%  min=10;
canary_gate throughput >= 1r/s min=10;
CONF
    sources => <<'TEXT'
resources|CPU|<= 100%|prometheus|avg(rate(node_cpu_seconds_total[$duration]))
TEXT
);
my $ev = $roll->ev();
my $ctl = $ev->ctl();
my $monitoring = $roll->monitoring();
$roll->start();

$roll->load(4);
is($ev->collect('baseline')->{status}, 0, 'the baseline is collected');

# all by itself from here on
my $run = $ctl->spawn('run', '--by', 'ana', '--interval', '0.2');
ok(
    $roll->load(
        60,
        sub {
            my $state = $roll->state();
            $state->{stage}{name} eq 's2'
                && $state->{variants}{sliceB}{stage}{requests} > 20;
        }
    ),
    'the second stage began'
);
ok(!$monitoring->firing('CanaryRolledBack'), 'no alert so far');

$roll->break();
ok($roll->load(30, sub { $roll->state()->{state} eq 'rolled_back' }),
    'the split is rolled back');
$roll->load(3);

my $r = $ctl->finish($run);
is($r->{status}, 1, 'run ends, and not as if all were well');
like($r->{err}, qr/error_rate/, 'with the reason');

ok($t->wait_for(sub { $monitoring->firing('CanaryRolledBack') }, 20),
    'the alert fires');
ok($t->wait_for(sub { $monitoring->told('CanaryRolledBack') }, 20),
    'and Alertmanager tells the people on call');

# the run collected both stages; the second one once more, now with its alert
is_deeply(
    [grep { /^s\d.*\.json$/ } $ev->files()],
    ['s1.json', 's2.json'],
    'both stages were collected by the run'
);
is($ev->doc('s1')->{decision}{status}, 'GO', 'the first one was go');
is($ev->doc('s2')->{decision}{status}, 'ROLLBACK', 'the second one was not');
$r = $ev->collect('s2');
is($r->{status}, 0, 'the stage is complete') or diag($r->{err});

my $state = $roll->state();
my $doc = $ev->doc('s2.2');
my $canary = $doc->{variants}{sliceB}{stage};

# but for those that were under way when the stage began, one of each client
my ($requests, $all) = ($canary->{requests}, $doc->{traffic}{of});
my $answers = $roll->counted('s2', 'sliceB');
ok($requests >= $answers && $requests <= $answers + 4,
    'the canary had as many requests as the client got answers from it')
    or diag("$requests requests, $answers answers");
is($canary->{errors}, $roll->counted('s2', 'sliceB', '5xx'), 'and errors');
$answers += $roll->counted('s2', 'documents');
ok($all >= $answers && $all <= $answers + 4, 'and all together')
    or diag("$all requests, $answers answers");
my $asked = $t->seen($t->port(2));
my $answered = 0;
$answered += $roll->counted($_, 'sliceB') for qw(s1 s2);
is($answered, $asked, 'the canary saw none that the client did not get');

my ($entry) = grep { $_->{event} eq 'rollback' } @{$state->{journal}};
my ($rollback, @more) = @{$doc->{rollbacks}};
is(scalar @more, 0, 'one rollback');
is($rollback->{time}, $entry->{time}, 'with its time');
is($rollback->{reason}, $entry->{text}, 'and reason');
like($rollback->{reason}, qr/error_rate/, 'which is the gate');
ok($rollback->{automatic}, 'nobody did it');
is($rollback->{measured}, 'prometheus', 'the recovery is measured');
cmp_ok($rollback->{recovery}, '<', 5, 'it took less than 5 s');
cmp_ok($rollback->{recovery}, '>=', 0, 'and not less than nothing');
is($doc->{times}{end}, $entry->{time}, 'the stage ended with it');

my ($alert) = grep { $_->{name} eq 'CanaryRolledBack' } @{$doc->{alerts}};
ok($alert, 'the alert is on record');
cmp_ok($alert->{from}, '>=', int $entry->{time}, 'it came after the rollback');
is_deeply($alert->{receivers}, ['on-call'], 'with whom was told');

is($doc->{decision}{status}, 'ROLLBACK', 'the decision');
is($doc->{decision}{by}, 'the gates, automatically', 'nobody made it');
is($doc->{decision}{why}, $entry->{text}, 'the justification');
is($doc->{verdict}, 'rollback', 'the verdict');

my $page = $ev->page('s2.2');
like($page, qr/^\*\*Status:\*\* 🔴 ROLLBACK  $/m, 'the page says so');
like($page, qr/^\*\*Proceed to Stage 3:\*\* NO/m, 'it does not go on');
my %performance = $ev->table($page, 'Performance Metrics');
is($performance{'Error Rate'}{Threshold}, '≤5%', 'the limit');
is($performance{'Error Rate'}{Status}, '❌ fail', 'is not met');
my ($percent) = $performance{'Error Rate'}{Actual} =~ /^([\d.]+)%$/;
cmp_ok(abs($percent - 100 * $canary->{errors} / $canary->{requests}),
    '<', 0.001, 'with the figure');
is($performance{'P95 Latency'}{Status}, '✅ pass', 'another gate passes');
my %resources = $ev->table($page, 'Resource Utilization');
like($resources{CPU}{Actual}, qr/^[\d.]+%$/, 'CPU, by node_exporter');

# the report
$r = $ev->collect('final');
is($r->{status}, 0, 'the report is complete') or diag($r->{err});
$page = $ev->page('final');
like($page, qr/^\*\*Status:\*\* 🔴 ROLLBACK  $/m, 'it says rollback');
like($page, qr/^\*\*Rollback Reason:\*\* .*error\\?_rate.* \(automatic\)/m,
    'the reason');
like($page, qr/^\*\*Recovery Time:\*\* [\d.]+ s at most/m, 'the recovery time');
like(
    $page,
    qr/^## Stage 3: 50% Traffic.*\n\nNot executed: rolled back in s2\.$/m,
    'a stage that was not reached'
);
like($page, qr/^\*\*Alerts of .*\n(?:- .*\n)*- .*\*\*CanaryRolledBack\*\*/m,
    'the alert');
is($ev->collect('verify')->{status}, 0, 'the manifest fits');

$t->no_alerts();

done_testing();
