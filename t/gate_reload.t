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
    split => 'canary_rollback auto false_alarm=100y;',
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

# powers of ten, as in "evidence 10^1.2 of 10^9.5"
sub evidence {
    my ($gate) = @_;

    return [$gate->{reason} =~ /evidence 10\^(\S+) of 10\^(\S+)$/];
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
    my ($metric, $rule) = @_;

    my $next = 0;
    return $t->wait_for(
        sub {
            if (time > $next) {
                requests(20);
                requests(1, 1);
                $next = time + 0.3;
            }
            my $evidence = evidence(gate_of($metric, $rule))->[0];
            return defined $evidence && $evidence > -9.9;
        }
    );
}

requests(100);
ok(begun('error_rate', '<='), 'an error makes evidence');
requests(4, 1);

my ($before, $since) = (0, 0);
ok(
    $t->wait_for(
        sub {
            my $evidence = evidence(gate_of('error_rate', '<='))->[0];
            $since = time if $evidence ne $before;
            $before = $evidence;
            return $before > 1 && time - $since > 1.5;
        }
    ),
    'some evidence, and no more of it for a tick'
);
diag("evidence 10^$before");

# 100 years are 3155760000 s by 365.25 days, 3153600000 by 365: 10^9.5
is_deeply(evidence(gate_of('error_rate', '<=')), [$before, '9.5'], 'one gate');

ok(
    load(
              'canary_gate p95 <= 5s; canary_gate error_rate <= 1% min=50;'
            . ' canary_gate throughput >= 1r/s;'
    ),
    'a reload with two more gates, and another "min"'
);

# three gates: 3 times as much, 10^9.98
is_deeply(
    evidence(gate_of('error_rate', '<=')),
    [$before, '10.0'],
    'the evidence is kept'
);
is(gate_of('error_rate', '<=')->{min}, 50, 'the samples that it takes now');

ok(load('canary_gate error_rate <= 2%;'), 'a reload with another limit');
is(evidence(gate_of('error_rate', '<='))->[0], '-9.9', 'begins anew');
ok(begun('error_rate', '<='), 'and goes on from there');

ok(load('canary_gate error_rate <= 1%;'), 'and the first one again');
is(evidence(gate_of('error_rate', '<='))->[0],
    '-9.9', 'begins anew: it was away');

is($fault->documents()->{state}, 'active', 'nothing was rolled back');

$t->no_alerts();
done_testing();
