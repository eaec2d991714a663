use strict;
use warnings;

# What status.json and metrics say of a gate are the same numbers, which the
# reason has too; what was judged only grows, over a reload as well, until the
# split is re-armed; and a fleet takes more evidence.

use Test::More;
use Canary;
use Canary::Pace;

my $t = Canary->new();
my $gates =
      'canary_gate error_rate <= 5% min=20;'
    . ' canary_gate error_rate not_worse margin=50% min=20;'
    . ' canary_gate p95 <= 500ms min=20;';
Canary::Pace::site(
    $t,
    alone => "$gates canary_rollback manual;",
    fleet => "$gates canary_rollback manual fleet=7;"
);
$t->start();

my $pace = Canary::Pace->new($t, rate => 100);
ok(
    $t->wait_for(
        sub {
            !grep { !$_->{stream} } gates();
        }
    ),
    'streams begin'
);
my @begun = gates();
is_deeply([grep { $_->{trials} || $_->{bad} } @begun], [], 'with nothing');

# nearly a tenth of the canary's requests fail
my @shrunk;
my @last = @begun;
my $grows = sub {
    my @now = gates();
    push @shrunk, grep {
               $now[$_]{stream} != $last[$_]{stream}
            || $now[$_]{trials} < $last[$_]{trials}
            || $now[$_]{bad} < $last[$_]{bad}
    } 0 .. $#now;
    @last = @now;
    return 0;
};
my $some = sub { return $_[1] % 20 < 2 ? 'fail' : undef };
$pace->run(2, bad => $some, until => $grows);
ok($t->reload(), 'a reload of the same');
$pace->run(1.5, bad => $some, until => $grows);
$pace->finish();

# no more of it comes
my $all = sub {
    my ($name) = @_;

    my $split = $pace->split($name);
    my $total = $split->{variants}{canary}{total};
    my ($limit, $pair) = @{$split->{gates}};
    return
           $limit->{trials} == $total->{requests}
        && $limit->{bad} == $total->{errors}
        && $pair->{bad} == $total->{errors};
};
ok($t->wait_for(sub { $grows->(); $all->('alone') && $all->('fleet') }),
    'what was judged is what the canary had');
is_deeply(\@shrunk, [], 'it never became less, in the same streams');

for my $name (qw(alone fleet)) {
    my $split = $pace->split($name);
    my $variants = $split->{variants};
    my $metrics = metrics($name);
    my ($limit, $pair, $slow) = @{$split->{gates}};

    cmp_ok($limit->{evidence}, '>', 0, "$name: there is evidence");
    is($pair->{trials}, $pair->{bad},
        "$name: not_worse: all that is bad is the canary's");

    # half of the requests, of which 3 may be bad where the baseline has 2
    my ($canary, $baseline) =
        map { $_->{total}{requests} } @{$variants}{'canary', $name};
    my $expected =
        $pair->{trials} * 3 * $canary / (3 * $canary + 2 * $baseline);
    cmp_ok(abs($pair->{expected} / $expected - 1),
        '<', 0.1, "$name: not_worse: expected of these");
    is($limit->{expected}, undef, "$name: of a limit: nothing");
    is($slow->{bad}, 0, "$name: p95: none is bad");
    cmp_ok($slow->{evidence}, '<', 1, "$name: p95: hardly any evidence");
    is($slow->{status}, 'pass', "$name: p95: it passes");
    unlike($slow->{reason}, qr/evidence/, "$name: p95: not worth a word");

    for my $gate ($limit, $pair) {
        my $text = "$name: $gate->{metric} $gate->{rule}";
        my ($evidence, $of) =
            $gate->{reason} =~ /evidence 10\^(\S+) of 10\^(\d+\.\d)/;
        cmp_ok(abs($evidence - $gate->{evidence}),
            '<', 0.051, "$text: the reason has the evidence");
        cmp_ok(abs($of - $gate->{threshold}),
            '<', 0.051, "$text: and the threshold");
    }

    for my $gate (@{$split->{gates}}) {
        my $text = "$gate->{metric} $gate->{rule}";
        my ($label) = grep { index($_, $text) == 0 } keys %$metrics;
        ok($label, "$name: $text: in the metrics") or next;
        cmp_ok(
            abs(
                $metrics->{$label}{evidence_ratio} -
                    $gate->{evidence} / $gate->{threshold}
            ),
            '<', 0.001,
            "$name: $text: the evidence in the metrics"
        );
        cmp_ok(abs($metrics->{$label}{dispersion} / $gate->{dispersion} - 1),
            '<', 0.001, "$name: $text: the dispersion in the metrics");
    }
}

# 3 gates, a tick a second, 90 days, and N + 1 = 8 times as much for the fleet
for my $n (0 .. 2) {
    my $alone = $pace->gate('alone', $n)->{threshold};
    cmp_ok(abs($alone - log(7776000 * 3) / log(10)),
        '<', 0.001, "gate $n: the threshold");
    cmp_ok(
        abs($pace->gate('fleet', $n)->{threshold} - $alone - log(8) / log(10)),
        '<', 0.002, "gate $n: of a fleet"
    );
}

my @before = gates('alone');
for my $verb (qw(rollback resume)) {
    is($t->post("/canary/control/alone/$verb", '')->{status}, 200, $verb);
}
ok($t->wait_for(sub { (gates('alone'))[0]{stream} > $before[0]{stream} }),
    're-armed: another stream');
for my $gate (gates('alone')) {
    is_deeply(
        [@{$gate}{qw(trials bad evidence)}],
        [0, 0, 0],
        "$gate->{metric} $gate->{rule}: nothing of before"
    );
}
my @others = map { $_->{stream} } gates('fleet');
is_deeply(
    \@others,
    [map { $_->{stream} } @last[3 .. 5]],
    'the other split goes on'
);

$t->no_alerts();
done_testing();


# of one split, or of both
sub gates {
    my ($name) = @_;

    my $splits = $t->status()->{splits};
    return map { @{$splits->{$_}{gates}} } $name || sort keys %$splits;
}


# by the text of a gate
sub metrics {
    my ($name) = @_;

    my %found;
    my $text = $t->get("/canary/metrics?upstream=$name")->{body};
    while (
        $text =~ /^nginx_canary_gate_(evidence_ratio|dispersion)
                     \{.*gate="(.*?)"\}\ (\S+)$/mgx
        )
    {
        $found{$2}{$1} = $3;
    }

    return \%found;
}
