use strict;
use warnings;

# canary_rollback manual: a gate that fails is said once, and the traffic
# stays as it is.  false_alarm sets how much evidence it takes.

use Test::More;
use Time::HiRes qw(time);
use Canary;
use Canary::Fault;

my $t = Canary->new();
my $fault = Canary::Fault->new(
    $t,
    gates => 'error_rate <= 1%',
    rollback => 'manual pause=0 false_alarm=1d'
);
my $conf = $t->read('nginx.conf');
$t->start();

sub gate { return $fault->documents()->{gates}[0] }

sub load {
    my ($from, $to) = @_;

    $t->write('nginx.conf', $conf =~ s/\Q$from\E/$to/r);
    return $t->reload();
}

my %by;

sub requests {
    my ($n) = @_;

    for (1 .. $n) {
        my $r = $t->get('/?user=' . $fault->{user}++);
        $by{$r->{status} == 503 ? 'failed' : $r->{body}}++;
    }
    return;
}

sub said {
    my ($regex) = @_;

    return scalar grep { /$regex/ } split /\n/, $t->error_log();
}

sub fails {
    return $t->wait_for(
        sub {
            requests(10);
            return gate()->{status} eq 'fail';
        }
    );
}

my $said = qr/\[warn\].*"documents" has a gate that fails, and is not rolled/;

requests(250);
ok($t->wait_for(sub { gate()->{status} eq 'pass' }), 'passes at first');

$t->write('broken', '');
ok(fails(), 'the gate fails');

my $reason =
    qr/^error_rate <= 1% is broken: .*evidence 10\^\S+ of 10\^(\d+\.\d)/;
like(gate()->{reason}, $reason, 'with its reason');
my ($needed) = gate()->{reason} =~ $reason;

# a day of ticks of a second, one gate: 86400 is 10^4.94
is($needed, '4.9', 'the evidence that false_alarm=1d takes');

my $split = $fault->documents();
is($split->{verdict}, 'rollback', 'the verdict');
is($split->{state}, 'active', 'the state');
is($split->{reason}, '', 'no rollback, no reason of one');

# and so it stays for some ticks

my $end = time + 3.5;
ok(
    $t->wait_for(
        sub {
            requests(5);
            return time > $end;
        }
    ),
    'for some seconds'
);
%by = ();
requests(60);
cmp_ok($by{failed}, '>', 15, 'the canary has its share');
cmp_ok($by{baseline}, '>', 15, 'and the baseline');

my @notes = grep { $_->{event} eq 'gate' } @{$fault->documents()->{journal}};
is(@notes, 1, 'one entry in the journal');
like($notes[0]{text}, qr/^canary: error_rate <= 1% is broken: /, 'its text');
is(said($said), 1, 'one line in the error log');
is(said(qr/rolled back by a gate/), 0, 'no rollback');
my $metrics = $t->get('/canary/metrics')->{body};
like(
    $metrics,
    qr/^nginx_canary_rollbacks_total\{.*cause="gate"\} 0$/m,
    'nor is one counted'
);
like(
    $metrics,
    qr/^nginx_canary_verdict\{.*verdict="rollback"\} 1$/m,
    'the verdict in the metrics'
);

# an unchanged reload does not say it again

ok($t->reload(), 'reload');
$end = time + 1.5;
ok($t->wait_for(sub { time > $end }), 'and a tick');
is(gate()->{status}, 'fail', 'it still fails');
is(said($said), 1, 'it is not said again');

# loaded once with 0%, the gate begins anew

unlink $t->dir() . '/broken';
ok(load('canary canary 50%', 'canary canary 0%'), 'loaded once with 0%');
is(gate()->{status}, 'pending', 'nothing is held against the next one');
ok(load('', ''), 'and with its share');
ok(
    $t->wait_for(
        sub {
            requests(5);
            return gate()->{samples} >= 100 && gate()->{reason} =~ /evidence/;
        }
    ),
    'it is judged'
);
is(gate()->{status}, 'pending', 'by what it does now');
is(said($said), 1, 'it is not said again');

# it fails once more, and that is news

$t->write('broken', '');
ok(fails(), 'the gate fails again');
ok($t->wait_for(sub { said($said) == 2 }), 'and that is said');

# the operator turns to auto: a gate that fails is a rollback

ok(load('manual pause=0 false_alarm=1d', 'auto pause=0'), 'loaded with auto');
ok(
    $t->wait_for(
        sub {
            requests(5);
            return $fault->documents()->{state} eq 'rolled_back';
        }
    ),
    'rolled back'
);
($needed) = gate()->{reason} =~ $reason;

# 90 days of ticks of a second, one gate: 7776000 is 10^6.89
is($needed, '6.9', 'the evidence that false_alarm=90d takes');

$t->no_alerts();
done_testing();
