use strict;
use warnings;

# A window slides for longer than the rings behind it are: 34 steps of
# counters, and 32 slices of users and values.  What is in it is always what
# came within its length, give or take a tick, of the variant that has the slot.

use List::Util qw(max);
use Test::More;
use Canary;
use Canary::Clock;
use Canary::Slots;

use constant WINDOW => 10;
use constant STEPS => 34;
use constant SLICES => 32;

plan skip_all => 'a sanitizer wants to be loaded first'
    if !Canary::Clock::available();

my $t = Canary->new();
my $s = Canary::Slots->new(
    $t,
    more => 'canary_window 10s;',
    location => 'canary_event step unique=$arg_u value=$arg_v;'
);
my $clock = Canary::Clock->new($t);
my @others = map { "$_ 0%" } 'b' .. 'g';

$s->load('a 100%', @others);
$clock->start();

# many at once, which must never be seen again, and slow ones
$t->get("/?u=old$_&v=5000") for 1 .. 20;
$t->get('/slow/200?u=old&v=5000');
$s->counted('a', 21);

# one user, one value and one request a second: the value is the second
my ($second, $total, $checks, @at, @wrong) = (0, 21, 0);

sub expect {
    my ($what, $figure, $from, $to) = @_;

    $checks++;
    push @wrong,
        "$second: $what is " . ($figure // 'none') . ", not $from to $to"
        if !defined $figure || $figure < $from || $figure > $to;
    return;
}

# Of so many of these requests: a step is due each second, and a window begins
# with one, so it may be longer by two.
sub bounds {
    my ($now) = @_;

    my $in = grep { $_ >= $now - WINDOW } @at[max(0, @at - 20) .. $#at];
    return ($in, $in + 3);
}

sub check {
    my ($name) = @_;

    my ($split, $now);
    $t->wait_for(
        sub {
            $split = $s->split_of();
            $now = $clock->since();
            return $split->{events}{step}{$name}{total}{count} == $total;
        },
        5
    );
    my $window = $split->{variants}{$name}{window};
    my $event = $split->{events}{step}{$name}{window};
    my $value = $event->{value};

    my ($from, $to) = bounds($now);

    expect('requests', $window->{requests}, $from, $to);
    expect('latencies', $window->{latency}{count}, $from, $to);
    expect('2xx', $window->{responses}{'2xx'}, $from, $to);
    expect('events', $event->{count}, $from, $to);
    expect('users', $event->{unique}, $from, $to + 1);
    expect('values', $value->{count}, $from, $to);
    expect('least', $value->{min} * 1.005, $second - $to, $second + 1);
    expect('greatest', $value->{max}, $second * 0.995, $second * 1.005);
    return;
}

sub go_on {
    my ($seconds, $name, $every) = @_;

    $clock->pass(
        $seconds,
        sub {
            my ($n) = @_;
            $second++;
            $total++;
            push @at, $clock->since();
            $t->get("/?u=user$second&v=$second");
            check($name)
                if $second > WINDOW + 3 && ($n % $every == 0 || $n == $seconds);
        }
    );
    return;
}

go_on(WINDOW + 3, 'a', 1000);
go_on(2 * SLICES + 3, 'a', 1);
is(@wrong, 0, 'always what came within the window')
    or diag(join "\n", grep { defined } @wrong[0 .. 9]);

# the steps of the ring hold many latencies of another variant, of its slot

ok($s->load('h 100%', @others), 'another variant gets its slot');
$total = 0;
my $before = $second;
go_on(WINDOW + 3, 'h', 1000);
go_on(STEPS + 3, 'h', 1);
is(
    $s->counted('h', $total)->{total}{requests},
    $second - $before,
    'it has its own requests in total'
);

# latencies that are new to it, but not to what the ring held before
$t->get('/slow/200?u=x&v=1') for 1 .. 2;
$total += 2;
$s->counted('h', $total);
my $window = $s->split_of()->{variants}{h}{window}{latency};
my ($from, $to) = bounds($clock->since());
expect('with slow ones', $window->{count} - 2, $from, $to);
cmp_ok($window->{max}, '>', 0.199, 'and slow ones that are new to it');

is(@wrong, 0, 'and what came within the window, over the ring of another')
    or diag(join "\n", grep { defined } @wrong[0 .. 9]);
cmp_ok($checks, '>', 8 * 100, 'looked at often');

$t->no_alerts();
done_testing();
