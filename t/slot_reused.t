use strict;
use warnings;

# The eighth name gets the slot of a dead one, and nothing else that was its: no
# counter, latency, event, user, point of the history, or evidence, also not in
# a window or a point that began while the dead one counted.

use List::Util qw(max sum0);
use Test::More;
use Time::HiRes qw(time);
use Canary;
use Canary::Slots;

my $t = Canary->new();
mkdir $t->dir() . '/state';
my $s = Canary::Slots->new(
    $t,
    more => <<'CONF',
        canary_state %%DIR%%/state/file;
        canary_window 10s;
        canary_rollback manual pause=0 false_alarm=1m;
        canary_gate error_rate <= 1%;
        canary_gate p95 <= 20ms;
CONF
    location => 'canary_event step unique=$arg_u value=$arg_v;'
);

# where a number other than 0 is
sub nonzero {
    my ($value, $path) = @_;

    if (ref $value eq 'HASH') {
        return map { nonzero($value->{$_}, "$path $_") } sort keys %$value;
    }
    return $value ? ("$path $value") : ();
}

# all that is shown of a variant's numbers, but for a share
sub numbers {
    my ($status, $name) = @_;

    my %variant = %{$status->{variants}{$name}};
    delete @variant{qw(role share configured_share)};

    return {%variant, event => $status->{events}{step}{$name}};
}

# what gates have seen, without what is the rule's
sub seen {
    my ($status) = @_;

    return [
        map {
            my $gate = $_;
            +{map { $_ => $gate->{$_} }
                    qw(variant samples trials bad evidence actual window)}
        } grep { $_->{variant} =~ /^[ah]$/ } @{$status->{gates}}
    ];
}

sub history {
    return $t->status('/canary/history.json?upstream=baseline');
}

sub points {
    my ($name, $column) = @_;

    my $history = history();
    return {
        map {
            $_ => sum0(map { $_ || 0 }
                    @{$history->{$_}{variants}{$name}{$column}})
        } qw(hour stage)
    };
}

# the greatest evidence of a canary's gates, and which gates it has
sub evidence {
    my ($name) = @_;

    return max(
        map { $_ || 0 } map { @{$_->{evidence}} }
        grep { $_->{variant} eq $name } @{history()->{hour}{gates}}
    );
}

# waits for a tick: gates begin with it, and points of the history
sub tick {
    my ($name) = @_;

    return $t->wait_for(
        sub {
            my @gates =
                grep { $_->{variant} eq $name } @{$s->split_of()->{gates}};
            return @gates && !grep { !$_->{stream} } @gates;
        },
        5
    );
}

my @others = map { "$_ 0%" } 'b' .. 'g';
$s->load('a 100%', @others);
$t->start();
ok(tick('a'), 'the gates begin');

# of a: all that there is to count, and evidence against it

my $n = 0;
ok(
    $t->wait_for(
        sub {
            $n++;
            $t->get("/fail?u=$n&v=" . 1000 * $n);
            return $n > 20 && evidence('a') > 0.1;
        }
    ),
    'evidence against the first one'
);
$s->requests(1, '/slow/500?u=1&v=1');
$s->requests(2, '/?u=1&v=1');
$s->requests(2, '/busy?u=x&v=7');
$s->requests(4, '/?f=1');
my $client = $t->client();
$client->send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n");
$t->wait_for(sub { $t->seen($t->port(1), qr/hang/) });
$client->close();

my $of_a = $n + 6;
$s->counted('a', $of_a);
ok($t->wait_for(sub { points('a', 'requests')->{hour} == $of_a }, 5),
    'and in its history');

# its totals are now what the window begins with, and the points

$t->stop();
$t->start();

my $a = $s->split_of()->{variants}{a}{total};
is_deeply(
    [
        @$a{qw(requests forced errors fallbacks aborted)},
        @{$a->{responses}}{qw(2xx 5xx none)}
    ],
    [$of_a, 4, $n + 2, 2, 1, 3, $n + 2, 1],
    'all was counted'
);
cmp_ok($a->{retries}, '>=', 2, 'retries as well');
cmp_ok($s->split_of()->{events}{step}{a}{total}{unique}, '>', 20, 'and users');

my $began = $s->split_of()->{stage}{started_at};
ok($s->load('h 100%', @others), 'the eighth name');

my $status = $s->split_of();
cmp_ok($status->{stage}{started_at}, '>', $began, 'a stage begins with it');
is_deeply([nonzero(numbers($status, 'h'), 'h')], [], 'it begins from zero');
is_deeply(
    [map { nonzero($_, 'gate') } @{seen($status)}],
    [('gate variant h') x 2],
    'nothing was seen of it'
);
is_deeply(points('h', 'requests'), {hour => 0, stage => 0},
    'it has no history');
is(evidence('h') || 0, 0, 'nor evidence in it');

# of its own

ok(tick('h'), 'the gates begin anew');
# slower than some before, and faster than others

my $begun = time;
$s->requests(6, '/slow/50?u=1&v=5');
$s->requests(1, '/slow/50?u=2&v=8');
$s->requests(2, '/slow/50/fail?u=3&v=6.5');
$s->requests(1, '/slow/50?f=1');
my $took = time - $begun;

$s->counted('h', 9);
$t->wait_for(sub { points('h', 'requests')->{hour} == 9 }, 5);
$t->wait_for(sub { $s->split_of()->{gates}[0]{trials} == 9 }, 5);

sub own {
    my ($scope, $where) = @_;

    my $now = $s->split_of();
    my $h = $now->{variants}{h}{$scope};
    my $event = $now->{events}{step}{h}{$scope};
    my $value = $event->{value};

    is_deeply(
        [
            @$h{qw(requests forced errors fallbacks aborted retries)},
            @{$h->{responses}}{qw(1xx 2xx 3xx 4xx 5xx none)},
            $h->{latency}{count}
        ],
        [9, 1, 2, 0, 0, 0, 0, 7, 0, 0, 2, 0, 9],
        "$where, $scope: its own requests"
    );
    ok($h->{latency}{min} > 0.049 && $h->{latency}{max} < $took - 9 * 0.05,
        "$where, $scope: and latencies")
        or diag("$h->{latency}{min} to $h->{latency}{max}");
    cmp_ok(abs($h->{latency}{sum} - 9 * $h->{latency}{mean}),
        '<', 0.0001, "$where, $scope: their sum");
    is_deeply(
        [@$event{qw(count unique)}, @$value{qw(count sum last)}],
        [9, 3, 9, 51, 6.5],
        "$where, $scope: its own events"
    );

    # those of a window are middles of buckets
    is_deeply(
        [map { int($_ + 0.02) } @$value{qw(min p50 max)}],
        [5, 5, 8],
        "$where, $scope: of its own values"
    );
    return;
}

own($_, 'now') for qw(total stage window);

my ($gate) = grep { $_->{variant} eq 'h' } @{$s->split_of()->{gates}};
is_deeply(
    [@$gate{qw(samples trials bad)}],
    [9, 9, 2],
    'its own trials, and how many were bad'
);
is_deeply(points('h', 'requests'), {hour => 9, stage => 9}, 'its own history');
is_deeply(points('h', 'errors'), {hour => 2, stage => 2}, 'and errors in it');

my $metrics = $t->get('/canary/metrics')->{body};
for my $line (
    'requests_total{upstream="baseline",variant="h"} 9',
    'errors_total{upstream="baseline",variant="h"} 2',
    'retries_total{upstream="baseline",variant="h"} 0',
    'latency_seconds_count{upstream="baseline",variant="h"} 9',
    'events_total{upstream="baseline",variant="h",event="step"} 9',
    'event_users{upstream="baseline",variant="h",event="step"} 3'
    )
{
    like($metrics, qr/^nginx_canary_\Q$line\E$/m, "metrics: $line");
}

$t->stop();
$t->start();
own($_, 'restarted') for qw(total stage);
is_deeply([nonzero($s->split_of()->{variants}{h}{window}, 'h')],
    [], 'restarted: an empty window');

$t->no_alerts();
done_testing();
