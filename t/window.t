use strict;
use warnings;

# The figures of the window are those of the last canary_window, exact to one
# tick, against the client's own clock; the same over reloads, with any number
# of workers, and for a canary that was away.

use Test::More;
use Time::HiRes qw(sleep time);
use Canary;

# seconds: the window, the pause of ticks, what a machine may be late
use constant WINDOW => 10;
use constant TICK => 1;
use constant LATE => 0.6 * Canary::slow();

my $t = Canary->new();

sub configure {
    my ($workers, $split) = @_;

    return $t->conf(<<"CONF", workers => $workers);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        $split
        canary_key \$arg_user;
        canary_window 10s;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
        location /bad { return 500; }
    }
    server {
        listen 127.0.0.1:%%PORT0%% reuseport;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
}

my $share = 'canary canary 100%;';

configure(1, $share);
$t->start();

# [begun, answered] of each request to the canary
my @sent;

sub send_requests {
    my ($n, $uri) = @_;

    for (1 .. $n) {
        my $begun = time;
        $t->get($uri || '/?user=' . scalar @sent);
        push @sent, [$begun, time];
    }
    return;
}

# Requests that the window must hold, and those that it may: it begins between
# one window and a tick more before now.
sub bounds {
    my ($before, $after) = @_;

    my $least = grep { $_->[0] >= $before - WINDOW } @sent;
    my $most =
        grep { $_->[1] >= $after - WINDOW - TICK - LATE && $_->[0] <= $after }
        @sent;
    return ($least, $most);
}

sub canary_of {
    return $t->status()->{splits}{baseline}{variants}{canary};
}

my ($checks, @wrong) = (0);

sub check {
    my ($when) = @_;

    my $before = time;
    my $figures = canary_of();
    my $after = time;
    my ($least, $most) = bounds($before, $after);
    my $window = $figures->{window};

    # the answer may reach the client before its passage is counted
    $checks++;
    push @wrong, "$when: $window->{requests}, not $least to $most"
        if $window->{requests} < $least - 1 || $window->{requests} > $most;
    push @wrong, "$when: $window->{latency}{count} are timed"
        if $window->{latency}{count} != $window->{requests};
    push @wrong, "$when: $figures->{total}{requests} in total of " . @sent
        if abs($figures->{total}{requests} - @sent) > 1;
    return $window;
}

sub go_on {
    my ($seconds, $when) = @_;

    my $end = time + $seconds;
    while (time < $end) {
        send_requests(3);
        check($when);
        sleep 0.15;
    }
    return;
}

send_requests(20, '/bad?user=x');
is(check('at first')->{requests} > 18, 1, 'the first requests are in it');
go_on(3, 'one worker');

configure(4, $share);
ok($t->reload(), 'reload with four workers');
go_on(2.5, 'four workers');

# away, and back again: what it had stays, its window slides on

configure(2, '');
ok($t->reload(), 'reload without the canary, with two workers');
my $away = time;
ok(!exists $t->status()->{splits}{baseline}{variants}{canary}, 'it is away');
ok($t->wait_for(sub { time >= $away + 1.2 * TICK }), 'for more than a tick');

configure(2, $share);
ok($t->reload(), 'reload with the canary');
check('back');
go_on(2, 'two workers');

configure(1, 'canary canary 100%; canary_salt s;');
ok($t->reload(), 'reload with one worker');
go_on(4, 'one worker again');

my $errors = $t->wait_for(
    sub {
        my $figures = canary_of();
        return $figures->{window}{errors} ? undef : $figures;
    },
    5
);
ok($errors, 'the first ones have slid out');
is($errors->{total}{errors}, 20, 'the total keeps them');
is($errors->{stage}{requests} < $errors->{total}{requests},
    1, 'the stage began with the canary that came back');

# nothing comes any more

my $stopped = time;
ok(
    $t->wait_for(
        sub {
            check('silence');
            return canary_of()->{window}{requests} == 0;
        },
        WINDOW + TICK + 3
    ),
    'all have slid out'
);
my $took = time - $stopped;
cmp_ok($took, '>', WINDOW - LATE - 0.3, 'not before the window is over');
cmp_ok($took, '<', WINDOW + TICK + 2 * LATE, 'at most a tick later');

my $window = canary_of()->{window};
is($window->{error_rate} || 0, 0, 'no rate of nothing');
is($window->{latency}{p95}, undef, 'no quantile of nothing');
is($window->{throughput}, 0, 'no throughput');
is(canary_of()->{total}{requests}, scalar @sent, 'the total is exact');

is(@wrong, 0, 'each time within one tick')
    or diag(join "\n", grep { defined } @wrong[0 .. 9]);
cmp_ok($checks, '>', 40, 'looked at often enough');

$t->no_alerts();
done_testing();
