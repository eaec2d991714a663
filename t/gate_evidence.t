use strict;
use warnings;

# The evidence of each kind of gate is that of what was sent: of all requests,
# events or values, of those that are bad, against the limit that is written,
# and with what a second may count at most.  Evidence is compared with the
# definition, trials with what was sent.

use List::Util qw(min sum);
use Test::More;
use Time::HiRes qw(sleep time);
use Canary;
use Canary::Detector;

# what may be bad, and which of the requests are: a part of each that counts
my @gates = (
    ['error_rate <= 10%', 0.1, sub { $_[0]{bad} }],
    ['retry_rate <= 2.5%', 0.025, sub { $_[0]{bad} }],
    ['abort_rate <= 50%', 0.5, sub { 0 }],
    ['p50 <= 1us', 0.5, sub { 1 }],
    ['p90 <= 1000s', 0.1, sub { 0 }],
    ['event:good/all >= 90%', 0.1, sub { !$_[0]{good} }],
    ['event:good/all <= 90%', 0.9, sub { $_[0]{good} }],
    ['event:odd/all <= 5%', 0.05, sub { $_[0]{odd} }],
    ['event:odd/all >= 5%', 0.95, sub { !$_[0]{odd} }],
    ['event:v:p90 <= 30', 0.1, sub { $_[0]{v} > 30 }],
    ['event:v:mean <= 20', 0.2, sub { min($_[0]{v}, 100) / 100 }],
    ['event:odd <= 30r/m', 0.5, sub { $_[0]{odd} }],
);
my ($quantile, $mean, $rate) = (9, 10, 11);
my %pause = (p0 => 0, p1 => 1, p3 => 3);

my $t = Canary->new();
my $lines = join "\n", map { "canary_gate $_->[0] min=10;" } @gates;
my $upstreams = join "\n", map { <<"CONF" } sort keys %pause;
    upstream $_ {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
        canary_fallback off;
        canary_rollback manual pause=$pause{$_}s;
        $lines
    }
CONF
my $locations = join "\n",
    map { "        location /$_ { proxy_pass http://$_; }" } sort keys %pause;
$t->conf(<<"CONF");
    upstream canary {
        server 127.0.0.1:%%PORT1%% max_fails=0;
        server 127.0.0.1:%%PORT1%% max_fails=0;
    }
$upstreams
    proxy_next_upstream http_503;
    canary_event all;
    canary_event good if=\$arg_good;
    canary_event odd if=\$arg_odd;
    canary_event v value=\$arg_v;
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / {
            if (\$arg_bad) { return 503; }
            return 204;
        }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
$locations
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
$t->start();

# three seconds: somewhat bad, all bad, and good; of a gate on what is good or
# odd the second may be the best.  No value but the last is a bucket's edge.
my @seconds = (
    [
        map {
            {
                bad => $_ % 7 == 0,
                good => $_ % 5 != 0,
                odd => $_ % 9 == 0,
                v => (0.5, 10.05, 12.345, 29.95, 30.04, 99.99)[$_ % 6]
            }
        } 1 .. 40
    ],
    [map { {bad => 1, good => 0, odd => 1, v => 250.5} } 1 .. 50],
    [map { {bad => 0, good => 1, odd => 0, v => 1} } 1 .. 60],
);
my @sent = map { @$_ } @seconds;

my $watch;
for my $try (1 .. 5) {
    $watch = watched();
    last if $watch->gap() < 0.9;
    diag('a second was missed');
}
cmp_ok($watch->gap(), '<', 0.9, 'each second was seen');

my $splits = $watch->look();
for my $name (sort keys %pause) {
    for my $i (0 .. $#gates) {
        compare($name, $i, $splits->{$name}{gates}[$i]);
    }
}

# the figures of the stage, which began with the streams
for my $name (sort keys %pause) {
    my @gate = @{$splits->{$name}{gates}};
    my @values = sort { $a <=> $b } map { $_->{v} } @sent;
    my $true = sum(@values) / @values;
    cmp_ok(abs($gate[$mean]{actual} - $true),
        '<', 2e-6, "$name: the mean is that of the values");
    is($gate[$mean]{samples}, @values, "$name: which are its samples");
    cmp_ok(abs($gate[$quantile]{actual} / $values[134] - 1),
        '<=', 0.005, "$name: p90 is the 135th of the 150");
}

$t->no_alerts();
done_testing();

###############################################################################

# streams that begin anew, and what they have of each second
sub watched {
    my $w = Canary::Detector->watch($t);
    my $client = $t->client();

    my %before;
    for my $name (sort keys %pause) {
        $before{$name} = $w->look()->{$name}{gates}[-1]{stream};
        $t->post("/canary/control/$name/$_", '') for qw(rollback resume);
    }
    look_until(
        $w,
        sub {
            my ($now) = @_;
            return !grep { $now->{$_}{gates}[0]{stream} <= $before{$_} }
                keys %pause;
        }
    ) or die "the streams did not begin\n";

    my $n = 0;
    for my $second (@seconds) {
        for my $r (@$second) {
            my $query = join '&', map { "$_=$r->{$_}" }
                grep { $r->{$_} } sort keys %$r;
            $client->get("/$_?$query") for sort keys %pause;
        }
        $n += @$second;
        look_until(
            $w,
            sub {
                my ($now) = @_;
                my @judged = map { @{$now->{$_}{gates}}[0 .. $rate - 1] }
                    keys %pause;
                return !grep { $_->{trials} != $n } @judged;
            }
        ) or die "$n requests were not judged\n";
    }

    # what has no trials of its own comes with the same tick
    $w->look();

    return $w;
}


sub look_until {
    my ($w, $done) = @_;

    my $end = time + 20 * $t->slow();
    while (time < $end) {
        return 1 if $done->($w->look());
        sleep 0.05;
    }
    return 0;
}


sub compare {
    my ($name, $i, $gate) = @_;

    my ($text, $limit, $bad) = @{$gates[$i]};
    my $expected = sum(map { $bad->($_) } @sent);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $text = "$name: $text";

    if ($i == $mean) {

        # a value is its bucket's, which is at most a hundredth as wide
        cmp_ok($gate->{bad}, '<=', $expected + 1e-6, "$text: no more is bad");
        cmp_ok($gate->{bad}, '>=', 0.99 * $expected, "$text: and no less");

    } else {
        is($gate->{bad}, $expected, "$text: what is bad");
    }

    if ($i == $rate) {

        # from the first tick to the last, of what the stage lasts
        my $elapsed = $splits->{$name}{stage}{elapsed};
        cmp_ok($gate->{trials}, '<', $elapsed, "$text: of seconds");
        cmp_ok($gate->{trials}, '>', $elapsed / 4, "$text: and of all");

    } else {
        is($gate->{trials}, scalar @sent, "$text: of all");
    }

    is($gate->{dispersion}, 12.9, "$text: taken to come in clusters");

    my $o = $watch->replay(
        $name, $i,
        limit => $limit,
        pause => $pause{$name},
        stream => $i == $rate ? 'rate' : 'limit'
    );
    cmp_ok(
        abs($gate->{evidence} - $o->{evidence}),
        '<', 0.01, sprintf '%s: evidence 10^%.3f',
        $text, $o->{evidence}
    ) or diag("it is 10^$gate->{evidence}");

    my ($held, $counted) =
        $gate->{reason} =~ /; (\d+) bad seconds?.* counted as (\S+) of/;
    return is($held, undef, "$text: none was cut")
        if !$pause{$name} || !$o->{held};
    is($held, $o->{held}, "$text: seconds that were cut");
    cmp_ok(abs($counted - $o->{counted}), '<', 0.051, "$text: to so much");
    return;
}
