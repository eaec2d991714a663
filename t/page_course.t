use strict;
use warnings;

# A course of errors and latencies that the test drives is what the page draws:
# the curves of its charts, read back by the labels of their axes, agree with
# history.json, with status.json and with what was sent and waited for.

use List::Util qw(max min sum0);
use Test::More;
use Time::HiRes qw(time);
use Canary;
use Canary::Chart;

# of two bounds of history, or of two lines of the same clock
use constant {BUCKET => 1.65, CLOCK => 0.005};

my @variants = qw(baseline canary);
my %ports = (canary => 1, baseline => 2);

my $t = Canary->new();

$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_key $arg_k;
        canary_rollback manual;
        canary_gate error_rate <= 20%;
        canary_gate p95 <= 150ms;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF

$t->http_upstream(
    $t->port($ports{$_}),
    name => $_,
    status => sub { return $_[0]{uri} =~ /bad/ ? 500 : 200 },
    delay => sub { return $_[0]{uri} =~ /slow(\d+)/ ? $1 / 1000 : 0 }
) for @variants;

$t->start();

my (%key, @phases);


sub history { return $t->status('/canary/history.json?upstream=baseline') }


sub figures { return $t->status()->{splits}{baseline} }


# one request, on record with its variant
sub send_one {
    my ($phase, $path, $key) = @_;

    my $since = time;
    my $answer = $t->get("/$path?k=$key");
    my $name = $answer->{header}{'x-upstream'};

    push @{$phase->{$name}},
        {
        bad => $answer->{status} >= 500,
        least => $path =~ /slow(\d+)/ ? $1 / 1000 : 0,
        most => time - $since
        };

    return $name;
}


# Sends to both, from the next point of the stage on, and waits until all of it
# is in the history.
sub phase {
    my ($label, %paths) = @_;

    my $stage = history()->{stage};
    my $n = @{$stage->{t}};
    my $phase = {label => $label, map { ($_ => []) } @variants};

    $t->wait_for(
        sub {
            $stage = history()->{stage};
            return @{$stage->{t}} > $n;
        }
    );
    $phase->{from} = $n;

    # the first of all looks for a key of each
    for (my $k = 1; keys %key < 2; $k++) {
        $key{send_one($phase, '', $k)} = $k;
    }

    for my $name (@variants) {
        send_one($phase, $_, $key{$name}) for @{$paths{$name}};
    }
    push @phases, $phase;

    $t->wait_for(
        sub {
            $stage = history()->{stage};
            for my $name (@variants) {
                my $sent = sum0(map { scalar @{$_->{$name}} } @phases);
                my $counted = sum0(@{$stage->{variants}{$name}{samples}});
                return if $counted != $sent;
            }
            return 1;
        }
    ) or BAIL_OUT('the history does not count all');

    $phase->{to} = $#{$stage->{t}};

    return;
}


# "bad" of "n" are as far from their expectation as an interval of 95% allows
sub interval {
    my ($bad, $n) = @_;

    my $part = $bad / $n;
    my @ends;

    for my $end (0, 1) {
        my ($inside, $outside) = ($part, $end);
        for (1 .. 60) {
            my $p = ($inside + $outside) / 2;
            my $sure = abs($part - $p) <= 1.959964 * sqrt($p * (1 - $p) / $n);
            ($sure ? $inside : $outside) = $p;
        }
        push @ends, $inside;
    }

    return @ends;
}


# a column as stretches of [time, value], the middle of each point
sub stretches {
    my ($series, @values) = @_;

    my @stretches;
    my $open;

    for my $i (0 .. $#values) {
        if (!defined $values[$i]) {
            $open = undef;
            next;
        }
        push @stretches, $open = [] if !$open;
        push @$open,
            [$series->{t}[$i] + $series->{length}[$i] / 2, $values[$i]];
    }

    return @stretches;
}


# whether a path is what it should be, to a unit of the drawing
sub drawn {
    my ($label, $chart, $class, @expected) = @_;

    my @found = $chart->path($class);
    my $shape = join ', ', map { scalar @$_ } @expected;

    is(join(', ', map { scalar @$_ } @found),
        $shape, "$label: stretches of $shape");

    my @want = map { @$_ } @expected;
    my @got = map { @$_ } @found;
    my @wrong;

    for my $i (0 .. min($#want, $#got)) {
        my ($x, $y) = @{$want[$i]};
        $y = min($y, $chart->top());
        push @wrong, "$got[$i][0] $got[$i][1] for $x $y"
            if abs($got[$i][0] - $x) > 2 * $chart->slack('x')
            || abs($got[$i][1] - $y) > 0.75 * $chart->slack('y');
    }

    return is("@wrong", '', "$label: all at their places");
}


# samples by points of the stage
sub samples {
    my ($stage, $name, $phase) = @_;

    return @{$stage->{variants}{$name}{samples}}
        [$phase->{from} .. $phase->{to}];
}


# places of a curve, undef where there is none, by points of the stage
sub places {
    my ($stage, $chart, $class) = @_;

    my @places = map { @$_ } $chart->path($class);

    return map {
        my ($from, $to) =
            ($stage->{t}[$_], $stage->{t}[$_] + $stage->{length}[$_]);
        my ($place) = grep { $_->[0] > $from && $_->[0] < $to } @places;
        $place && $place->[1];
    } 0 .. $#{$stage->{t}};
}


phase('good', map { ($_ => [('') x 15]) } @variants);
phase(
    'errors',
    canary => [qw(bad bad bad bad), ('') x 6],
    baseline => ['bad', ('') x 9]
);
phase('quiet');
phase(
    'slow',
    canary => [('slow250') x 4],
    baseline => [('slow40') x 4]
);
phase(
    'mixed',
    canary => [qw(bad slow200bad slow100 slow50)],
    baseline => ['', '', 'slow20bad', 'slow80']
);
phase('quiet at the end');

# all of the same moment, as nothing changes for a while
my ($history, $page, $split);
$t->wait_for(
    sub {
        my $before = history();
        $page = $t->get('/canary/?upstream=baseline')->{body};
        $split = figures();
        $history = history();
        delete $_->{time} for $before, $history;
        return join("\n", explain($before)) eq join "\n", explain($history);
    }
) or BAIL_OUT('the history never rests');

my %charts;

for my $of (qw(hour stage)) {
    my $series = $history->{$of};

    for my $kind (qw(errors latency evidence)) {
        $charts{"$kind $of"} =
            Canary::Chart->new($page, "$kind-$of", near => $series->{t}[0]);
    }

    for my $v (0, 1) {
        my $column = $series->{variants}{$variants[$v]};
        my @points = 0 .. $#{$series->{t}};
        my @n = @{$column->{samples}};
        my @bad = @{$column->{errors}};

        drawn(
            "error rate of $variants[$v], $of",
            $charts{"errors $of"},
            "curve v$v",
            stretches(
                $series, map { $n[$_] ? $bad[$_] / $n[$_] : undef } @points
            )
        );

        drawn("p95 of $variants[$v], $of",
            $charts{"latency $of"},
            "curve v$v", stretches($series, @{$column->{p95}}));

        next if !$v;

        # there along the upper ends, back along the lower ones
        my @low = stretches($series,
            map { $n[$_] ? (interval($bad[$_], $n[$_]))[0] : undef } @points);
        my @high = stretches($series,
            map { $n[$_] ? (interval($bad[$_], $n[$_]))[1] : undef } @points);
        drawn("band of $variants[$v], $of",
            $charts{"errors $of"}, "band v$v",
            map { [@{$high[$_]}, reverse @{$low[$_]}] } 0 .. $#low);
    }

    my ($text) = $charts{"evidence $of"}->caption() =~ /the most: (.*)/;
    my ($gate) = grep { $_->{text} eq $text } @{$series->{gates}};
    drawn("evidence of $text, $of",
        $charts{"evidence $of"},
        'curve v1', stretches($series, @{$gate->{evidence}}));

    my %limits = (
        errors => 0.2,
        latency => 0.15,
        evidence => $gate->{threshold}
    );
    for my $kind (sort keys %limits) {
        my $chart = $charts{"$kind $of"};
        my ($limit) = $chart->path('limit');
        ok(
            abs($limit->[0][1] - $limits{$kind}) <= $chart->slack('y')
                && $limit->[0][1] == $limit->[1][1],
            "limit of $kind, $of: $limit->[0][1] for $limits{$kind}"
        );

        my @off = map { $_->[0] } $chart->marks();
        my @moments = map { $_->{time} } @{$series->{marks}};
        is(scalar @off, scalar @moments, "marks of $kind, $of");
        $off[$_] = abs $off[$_] - $moments[$_] for 0 .. $#moments;
        ok(max(0, @off) <= 2 * $chart->slack('x'), 'each at its moment');
    }
}

# status.json

my ($most) = sort {
    $b->{evidence} / $b->{threshold} <=> $a->{evidence} / $a->{threshold}
} @{$split->{gates}};
my $evidence = $charts{'evidence stage'};
my $last = ($evidence->path('curve v1'))[-1][-1][1];
like(
    $evidence->caption(),
    qr/the most: \Q$most->{metric} $most->{rule} /,
    'the gate with the most evidence of status.json'
);
ok(
    abs($last - $most->{evidence}) <= $evidence->slack('y') + 0.005,
    "its evidence, $most->{evidence}, at the end: $last"
);

my $stage = $history->{stage};

for my $v (0, 1) {
    my $name = $variants[$v];
    my $chart = $charts{'errors stage'};
    my @rates = places($stage, $chart, "curve v$v");
    my @n = @{$stage->{variants}{$name}{samples}};
    my $bad = sum0(map { ($rates[$_] || 0) * $n[$_] } 0 .. $#rates);
    my $figures = $split->{variants}{$name}{stage};

    ok(
        abs($bad / sum0(@n) - $figures->{error_rate}) <= $chart->slack('y'),
        "error rate of $name, $figures->{error_rate} in status.json"
    );

    # what was sent

    my @p95 = places($stage, $charts{'latency stage'}, "curve v$v");

    for my $phase (@phases) {
        my @sent = @{$phase->{$name}};
        my @of = $phase->{from} .. $phase->{to};
        my $label = "$phase->{label}, $name";
        my @drawn = grep { defined } @rates[@of];

        if (!@sent) {
            is_deeply([@drawn, grep { defined } @p95[@of]],
                [], "$label: nothing");
            next;
        }

        my $sent = grep { $_->{bad} } @sent;
        $bad = sum0(map { ($rates[$_] || 0) * $n[$_] } @of);
        is(sum0(samples($stage, $name, $phase)), scalar @sent, "$label: all");
        ok(
            abs($bad - $sent) <= $chart->slack('y') * @sent,
            "$label: $sent of " . @sent . ' are errors'
        );

        my $least = min(map { $_->{least} } @sent) / BUCKET;
        my $longest = max(map { $_->{most} } @sent) * BUCKET + CLOCK;
        my @wrong = grep { $_ < $least - CLOCK || $_ > $longest }
            grep { defined } @p95[@of];
        is("@wrong", '', "$label: p95 from $least to $longest");
    }

    ok(min(grep { defined } @p95[$phases[3]{from} .. $phases[3]{to}]) > 0.15,
        'slow is beyond the limit')
        if $v;
}

# how many take longer

my $tail = Canary::Chart->new($page, 'tail', log => 1);

for my $v (0, 1) {
    my $name = $variants[$v];
    my @sent = map { @{$_->{$name}} } @phases;
    my ($curve) = $tail->path("curve v$v");
    my $latency = $split->{variants}{$name}{stage}{latency};
    my (@wrong, @beyond);

    for my $place (@$curve) {
        my ($time, $part) = @$place;
        my $slack = 2 * $tail->slack('y', $part);
        my $edge = 2 * $tail->slack('x', $time);
        my $low = grep { $_->{least} > $time + $edge + CLOCK } @sent;
        my $high = grep { $_->{most} > $time - $edge - CLOCK } @sent;

        push @wrong, "$part at $time for $low to $high"
            if $part < $low / @sent - $slack
            || ($part > $high / @sent + $slack && $part > 0.0011);

        for my $q (50, 95, 99) {
            my $at = $latency->{"p$q"};
            my $left = 1 - $q / 100;
            push @beyond, "$part at $time, p$q is $at"
                if ($time < $at * 0.99 && $part < $left - $slack)
                || ($time > $at * 1.01 && $part > $left + $slack);
        }
    }

    ok(@$curve > 30, "tail of $name: " . @$curve . ' places');
    is("@wrong", '', "tail of $name: as long as was waited");
    is("@beyond", '', "tail of $name: quantiles of status.json");
}

my ($corner) = $tail->path('corner');
ok(
    abs($corner->[1][0] - 0.15) <= $tail->slack('x', 0.15)
        && abs($corner->[1][1] - 0.05) <= $tail->slack('y', 0.05),
    'the corner of p95 <= 150ms'
);

$t->no_alerts(allow => qr/has a gate that fails/);
done_testing();
