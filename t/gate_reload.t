use strict;
use warnings;

# A reload keeps the evidence of each gate that is unchanged, whatever stands
# around it; a changed limit begins anew, a changed "min" does not.

use Test::More;
use Time::HiRes qw(time);
use Canary;
use Canary::Fault;

my $t = Canary->new();

my $fault = Canary::Fault->new(
    $t,
    gates => 'error_rate <= 1%',
    share => '100%',
    rollback => 'auto false_alarm=100y',
    canary => 'if ($arg_bad) { return 500; } return 200 canary;'
);
my $conf = $t->read('nginx.conf');
$t->start();

sub gate_of {
    my ($metric, $rule) = @_;

    my ($gate) = grep { $_->{metric} eq $metric && $_->{rule} eq $rule }
        @{$fault->documents()->{gates}};
    return $gate;
}

# what it has judged so far, in which stream
sub judged {
    my ($gate) = @_;

    return [@{$gate}{qw(stream trials bad evidence)}];
}

sub load {
    my ($gates) = @_;

    $t->write('nginx.conf', $conf =~ s/canary_gate error_rate <= 1%;/$gates/r);
    return $t->reload();
}

my $user = 0;

sub requests {
    my ($n, $bad) = @_;

    $t->get('/?user=' . $user++ . ($bad ? '&bad=1' : '')) for 1 .. $n;
    return;
}

# the first tick of a gate is where it begins to count

sub begun {
    my $next = 0;
    return $t->wait_for(
        sub {
            if (time > $next) {
                requests(20);
                requests(1, 1);
                $next = time + 0.3;
            }
            return gate_of('error_rate', '<=')->{evidence} > 0;
        }
    );
}

requests(100);
ok(begun(), 'an error makes evidence');
requests(4, 1);

my ($before, $since) = (gate_of('error_rate', '<='), time);
ok(
    $t->wait_for(
        sub {
            my $gate = gate_of('error_rate', '<=');
            $since = time if $gate->{bad} != $before->{bad};
            $before = $gate;
            return $gate->{bad} >= 4 && time - $since > 1.5;
        }
    ),
    'some evidence, and no more of it for a tick'
);
cmp_ok($before->{evidence}, '>', 0, 'it is some');
cmp_ok($before->{stream}, '>', 0, 'in some stream');

# 100 years are 3155760000 s by 365.25 days, 3153600000 by 365: 10^9.5
like($before->{threshold}, qr/^9\.499/, 'one gate');

ok(
    load(
              'canary_gate p95 <= 5s; canary_gate error_rate <= 1% min=50;'
            . ' canary_gate throughput >= 1r/s;'
    ),
    'a reload with two more gates, and another "min"'
);

my $gate = gate_of('error_rate', '<=');
is_deeply(judged($gate), judged($before), 'what was judged is kept');

# three gates: 3 times as much, 10^9.976
is($gate->{threshold}, 9.976, 'it takes more evidence');
is($gate->{min}, 50, 'the samples that it takes now');

my $stream = $before->{stream};

for my $limit ('2%', '1%') {
    ok(load("canary_gate error_rate <= $limit;"), "a reload with $limit");
    ok($t->wait_for(sub { gate_of('error_rate', '<=')->{stream} > $stream }),
        'another stream');
    $gate = gate_of('error_rate', '<=');
    is_deeply(
        [@{$gate}{qw(trials bad evidence)}],
        [0, 0, 0],
        'of which nothing was judged'
    );
    ok(begun(), 'and goes on from there');
    $stream = $gate->{stream};
}

is($fault->documents()->{state}, 'active', 'nothing was rolled back');

$t->no_alerts();
done_testing();
