use strict;
use warnings;

# A rollback by a gate is latched: over reloads, killed workers and in workers
# that drain; re-armed in each of the two ways, the gates begin anew.

use Test::More;
use Canary;
use Canary::Fault;

my $t = Canary->new();
my $fault = Canary::Fault->new(
    $t,
    gates => 'error_rate <= 1%',
    share => '50%'
);
my $conf = $t->read('nginx.conf');
$t->start();

sub load_share {
    my ($share) = @_;

    $t->write('nginx.conf',
        $conf =~ s/canary canary 50%/canary canary $share/r);
    return $t->reload();
}

sub canary_answers {
    my ($n) = @_;

    my $answers = 0;
    for (1 .. $n) {
        my $r = $t->get('/?user=' . $fault->{user}++);
        $answers++ if $r->{status} == 503 || $r->{body} eq 'canary';
    }
    return $answers;
}

# what comes before the first tick of a gate is not held against the canary
sub rolled_back {
    return $t->wait_for(
        sub {
            canary_answers(20);
            return $fault->documents()->{state} eq 'rolled_back';
        }
    );
}

sub gate { return $fault->documents()->{gates}[0] }

# a connection each to a worker of before, which drains after the reload

sub drained {
    my ($client) = @_;

    $client->send("st\r\n\r\n");
    my $r = $client->response('GET');
    $client->close();
    return $r->{body};
}

# users that the canary answers, in the worker that is to drain as well
my @halves;
for (1 .. 12) {
    my $client = $t->client();
    $client->get('/');
    $client->send("GET /?user=half$_ HTTP/1.1\r\nHost: localho");
    push @halves, $client;
}
my @old = $t->workers();

ok(load_share('60%'), 'a reload');
is(grep({ -d "/proc/$_" } @old) > 0, 1, 'old workers drain');

cmp_ok(canary_answers(200), '>', 80, 'the canary is well');
is(drained(shift @halves) =~ /canary|baseline/, 1, 'a draining worker serves');

$t->write('broken', '');
ok(rolled_back(), 'rolled back by a gate');
is(canary_answers(30), 0, 'in force');
is_deeply(
    [map { drained($_) } @halves],
    [('baseline') x @halves],
    'in workers that drain, too'
);
like($fault->documents()->{reason}, qr/^canary: error_rate/, 'the reason');
my $reason = $fault->documents()->{reason};

ok(load_share('60%'), 'reload with the same share');
is(canary_answers(30), 0, 'it holds');

ok(load_share('90%'), 'reload with a higher share');
is(canary_answers(30), 0, 'it holds');
like(
    $t->error_log(),
    qr/\[error\].*"documents" is rolled back and stays so.*"0%"/,
    'an error says how to re-arm it'
);

$t->kill_worker();
is(canary_answers(30), 0, 'it holds after a worker was killed');

my @workers = $t->workers();
$t->{killed}{$_} = 1 for @workers;
kill 'KILL', @workers;
ok(
    $t->wait_for(
        sub {
            my %old = map { $_ => 1 } @workers;
            return 2 == grep { !$old{$_} } $t->workers();
        }
    ),
    'all workers were killed'
);
is(canary_answers(30), 0, 'it holds');
is($fault->documents()->{reason}, $reason, 'with its reason');
is(gate()->{status}, 'fail', 'the gate still fails');

# the first way: loaded with 0%

unlink $t->dir() . '/broken';
ok(load_share('0%'), 'loaded with 0%');
is($fault->documents()->{state}, 'active', 're-armed');
ok(load_share('60%'), 'and with a share');
cmp_ok(canary_answers(200), '>', 80, 'the canary answers');
is($fault->documents()->{state}, 'active', 'what was seen counts no more');
isnt(gate()->{status}, 'fail', 'the gate began anew');
cmp_ok(gate()->{evidence},
    '<', 1, 'without evidence, though the window holds the errors');

$t->write('broken', '');
ok(rolled_back(), 'rolled back again');

# the second way: resume

unlink $t->dir() . '/broken';
is($t->post('/canary/control/documents/resume', '')->{status}, 200, 'resume');
cmp_ok(canary_answers(200), '>', 80, 'the canary answers');
ok(
    $t->wait_for(
        sub {
            my $reason = gate()->{reason};
            return $reason =~ /samples|^\S+ in the window/;
        }
    ),
    "the gate began anew, but for the window"
);
is($fault->documents()->{state}, 'active', 'and rolls back no more');

my @events = map { $_->{event} } @{$fault->documents()->{journal}};
is_deeply(
    [grep { /rollback|rearmed|resume/ } @events],
    [qw(rollback rearmed rollback resume)],
    'the journal'
);
is(() = $t->error_log() =~ /was rolled back by a gate/g,
    2, 'logged once each time');

$t->no_alerts();
done_testing();
