use strict;
use warnings;

# A third stage and a ninth begin as the second did, by a load or by resuming,
# and a restart in the middle of one goes on with it: each has its own requests,
# unkeyed ones, extremes, values and users, and the total has those of all.

use List::Util qw(max min sum);
use Test::More;
use Time::HiRes qw(sleep time);
use Canary;

my $t = Canary->new();
mkdir $t->dir() . '/state';

$t->write('stage', 'canary canary 100% stage=s0;');
$t->conf(<<'CONF', workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        include %%DIR%%/stage;
        canary_key $arg_u;
        canary_force $arg_f 1 canary;
        canary_state %%DIR%%/state/file;
        canary_gate throughput >= 1r/m;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://baseline;
            canary_event step unique=$arg_u value=$arg_v;
        }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
$t->http_upstream($t->port(1),
    delay => sub { $_[0]{uri} =~ m{^/slow/(\d+)} ? $1 / 1000 : 0 });
$t->start();
my ($up, $since) = (0, time);

# how a stage begins, and what comes in it: requests with a user each, their
# milliseconds and value, unkeyed and forced ones
my @stages = (
    [load => {n => 4, ms => 30, value => 300, unkeyed => 3, forced => 1}],
    [load => {n => 3, ms => 120, value => 500, unkeyed => 5, forced => 0}],
    [load => {n => 5, ms => 80, value => 400, unkeyed => 2, forced => 2}],
    [load => {n => 2, ms => 10, value => 20, unkeyed => 3, forced => 0}],
    [resume => {n => 2, ms => 80, value => 900, unkeyed => 1, forced => 0}],
    [resume => {n => 3, ms => 10, value => 5, unkeyed => 4, forced => 1}],
    [restart => {n => 2, ms => 0, value => 7, unkeyed => 2, forced => 1}],
    [resume => {n => 4, ms => 40, value => 8, unkeyed => 1, forced => 0}],
    [load => {n => 2, ms => 0, value => 11, unkeyed => 6, forced => 1}],
    [restart => {n => 0, ms => 0, value => 1, unkeyed => 0, forced => 0}],
);

# what came in the stage, and in all of them
my @stage = ();
my @all = ();

sub now { return $t->status()->{splits}{baseline} }

my %begin = (
    load => sub {
        $t->write('stage', "canary canary 100% stage=s$_[0];");
        return $t->reload(drain => 1);
    },
    resume => sub {
        my $began = now()->{stage}{started_at};
        $t->post("/canary/control/baseline/$_", '') for qw(rollback resume);
        return $t->wait_for(sub { now()->{stage}{started_at} > $began }, 5);
    },
    restart => sub {
        $t->stop();
        $up += time - $since;
        $t->start();
        $since = time;
        return 1;
    }
);

# sends them; the time that each takes is the most that its latency may be
sub sent {
    my ($n, $what) = @_;

    my @took;
    for my $i (1 .. $what->{n}) {
        my $begun = time;
        $t->get("/slow/$what->{ms}?u=$n.$i&v=$what->{value}");
        push @took, time - $begun;
    }
    $t->get('/') for 1 .. $what->{unkeyed};
    $t->get("/?u=f$_&f=1") for 1 .. $what->{forced};

    return {
        %$what,
        low => $what->{ms} / 1000,
        high => @took ? max(@took) : 0,
        values => [($what->{value}) x $what->{n}]
    };
}

sub of {
    my ($key, @what) = @_;

    return sum(0, map { $_->{$key} } @what);
}

sub check {
    my ($name, $split, $scope, @what) = @_;

    my $v = $split->{variants}{canary}{$scope};
    my $e = $split->{events}{step}{canary}{$scope};
    my @timed = grep { $_->{n} } @what;
    my @values = map { @{$_->{values}} } @what;

    is_deeply(
        [
            @$v{qw(requests forced)}, $v->{latency}{count},
            @$e{qw(count unique)}, $e->{value}{count},
            $e->{value}{sum}
        ],
        [
            of(n => @what),
            of(forced => @what),
            (of(n => @what)) x 4,
            sum(0, @values)
        ],
        "$name, $scope: requests, users, values"
    );
    is_deeply(
        [@{$e->{value}}{qw(min max)}],
        [min(@values), max(@values)],
        "$name, $scope: their extremes"
    );

    my $latency = $v->{latency};
    my $most = max(map { $_->{low} } @timed);
    ok(
        $latency->{max} >= $most
            && $latency->{max} <= max(map { $_->{high} } @timed)
            && $latency->{min} >= min(map { $_->{low} } @timed)
            && $latency->{min} <= min(map { $_->{high} } @timed),
        "$name, $scope: the extremes of latency"
    ) or diag("$latency->{min} to $latency->{max}");
    return;
}

for my $n (0 .. $#stages) {
    my ($how, $what) = @{$stages[$n]};
    my $name = "$n, $how";

    ok($begin{$how}->($n), $name) if $n;
    if ($how ne 'restart') {
        @stage = ();
        is(now()->{gates}[0]{samples}, 0, "$name: a stage without samples")
            if $n;
    }

    my $sent = sent($n, $what);
    push @stage, $sent;
    push @all, $sent;

    # a request may be counted a moment after its answer
    my $split;
    my $passages = sum(map { of($_ => @stage) } qw(n unkeyed forced));
    $t->wait_for(
        sub {
            $split = now();
            my $event = $split->{events}{step}{canary}{total};
            return $split->{gates}[0]{samples} == $passages
                && $event->{count} == of(n => @all);
        },
        5
    );
    is($split->{gates}[0]{samples},
        $passages, "$name: throughput is of all that came in the stage");
    is($split->{unkeyed}, of(unkeyed => @all), "$name: unkeyed ones");
    check($name, $split, 'stage', @stage);
    check($name, $split, 'total', @all);

    my $total = $split->{variants}{canary}{total};
    my $elapsed = $total->{requests} / $total->{throughput};
    cmp_ok(abs($elapsed - $up - time + $since),
        '<', 2, "$name: the total is as old as nginx was up");
}

$t->no_alerts(allow => qr/rolled back/);
done_testing();
