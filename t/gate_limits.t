use strict;
use warnings;

# A limit is what was written, in each unit and to the last decimal that is
# allowed: in seconds, parts of 1, a second's rate, or the event's own unit.

use Test::More;
use Canary;

my $t = Canary->new();

# the rule of each metric, and what status.json has to say of its limit
my @limits = (
    ['p50 <= 1us', 0.000001],
    ['p90 <= 999us', 0.000999],
    ['p95 <= 250ms', 0.25],
    ['p99 <= 2500ms', 2.5],
    ['p999 <= 16m', 960],
    ['error_rate <= 0.0001%', 0.000001],
    ['abort_rate <= 99.9999%', 0.999999],
    ['retry_rate <= 12.345%', 0.12345],
    ['error_rate not_worse margin=33.3333%', 0.333333],
    ['retry_rate not_worse margin=1000%', 10],
    ['p95 not_worse', 0],
);

# 0, and the sixtieth part of what a minute may have: rounded, to a millionth
my %rates = (
    '0' => 0,
    '0.000001r/s' => 0.000001,
    '0.5r/s' => 0.5,
    '50r/s' => 50,
    '12.3456r/s' => 12.3456,
    '0.00006r/m' => 0.000001,
    '0.0001r/m' => 0.000002,
    '0.1r/m' => 0.001667,
    '1r/m' => 0.016667,
    '20r/m' => 0.333333,
    '20.0001r/m' => 0.333335,
    '30r/m' => 0.5,
    '59r/m' => 0.983333,
    '60r/m' => 1,
    '61r/m' => 1.016667,
    '6000r/m' => 100,
);

my %ratios = (
    '1%' => 0.01,
    '5%' => 0.05,
    '50%' => 0.5,
    '90%' => 0.9,
    '99.5%' => 0.995,
    '99.95%' => 0.9995,
    '99.995%' => 0.99995,
    '99.9995%' => 0.999995,
    '99.9999%' => 0.999999,
    '0.0001%' => 0.000001,
    '1.2345%' => 0.012345,
    '1.234500%' => 0.012345,
);

my %values = (
    '0.001' => 0.001,
    '0.999' => 0.999,
    '1' => 1,
    '1.23' => 1.23,
    '30.5' => 30.5,
    '999' => 999,
    '123000' => 123_000,
    '1000000' => 1_000_000,
);

# a metric stands once in a split for each rule: an event each, but the values
# may have all quantiles
my $n = 0;
for my $rate (sort keys %rates) {
    push @limits, [sprintf('event:e%d <= %s', $n, $rate), $rates{$rate}];
    push @limits, [sprintf('event:e%d >= %s', $n, $rate), $rates{$rate}]
        if $rate ne '0';
    $n++;
}
push @limits, ['throughput >= 3000r/m', 50];
for my $ratio (sort keys %ratios) {
    for my $op ('<=', '>=') {
        push @limits,
            [sprintf('event:e%d/e0 %s %s', $n, $op, $ratio), $ratios{$ratio}];
    }
    $n = ($n + 1) % 28;
}
push @limits, ['event:e30/e31 >= 100%', 1], ['event:e30/e31 <= 0%', 0];
for my $value (sort keys %values) {
    push @limits,
        map { ["event:e$n:$_ <= $value", $values{$value}] } qw(p95 mean);
    $n++;
}

# at most 32 in a split
my @splits;
push @splits, [splice @limits, 0, 32] while @limits;

my $upstreams = '';
for my $i (0 .. $#splits) {
    my $gates = join "\n",
        map { "        canary_gate $_->[0];" } @{$splits[$i]};
    $upstreams .= <<"CONF";
    upstream split$i {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
$gates
    }
CONF
}
my $events = join "\n", map { "    canary_event e$_ value=\$arg_v;" } 0 .. 31;

$t->conf(<<"CONF");
    upstream canary { server 127.0.0.1:%%PORT1%%; }
$upstreams
$events
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://split0; }
        location /canary/ { canary_status; }
    }
CONF
$t->start();

my $status = $t->status();
for my $i (0 .. $#splits) {
    my @gates = @{$status->{splits}{"split$i"}{gates}};
    is(@gates, @{$splits[$i]}, "split $i: all of its gates");

    for my $k (0 .. $#gates) {
        my ($text, $limit) = @{$splits[$i][$k]};
        my ($metric, $rule) = split / /, $text;
        my $gate = $gates[$k];
        is("$gate->{metric} $gate->{rule}", "$metric $rule", $text);
        is($gate->{limit}, $limit, "$text: its limit");
    }
}

$t->no_alerts();
done_testing();
