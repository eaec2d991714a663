use strict;
use warnings;

# Workers are killed at random moments while they write, under load, many
# times: the file is whole at each moment, and after all of it the counters are
# those of the requests that were answered, but for what was being served.

use Test::More;
use Time::HiRes qw(sleep time);
use Canary;
use Canary::Load;
use Canary::State;

use constant KILLS => 60;

my $t = Canary->new();
my $s = Canary::State->new($t, workers => 3, connections => 256);

$s->load('canary canary 50%;');
$t->start();
ok($s->written(), 'written');

srand 4711;
my ($kills, $due, $answered) = (0, 0, 0);

# POST writes in the worker that takes it, so that many writings are hit

my $writer = $t->_spawn(
    sub {
        for (1 .. 100_000) {
            eval { $t->post('/canary/control/baseline/resume', '') };
        }
    }
);

my $load = Canary::Load->new(
    $t->port(0),
    clients => 8,
    request => sub { return "/?k=$_[0]" },
    answered => sub { $answered++ if $_[1] == 200 }
);
$load->run(
    seconds => 120,
    until => sub { $kills >= KILLS },
    tick => sub {
        return if time < $due;
        my @workers = $t->workers();
        return if @workers < 3;
        my $pid = $workers[rand @workers];
        $t->{killed}{$pid} = 1;
        kill 'KILL', $pid;
        $kills++;
        $due = time + rand 0.1;
    }
);
$t->_end($writer);

is($kills, KILLS, 'workers were killed');
cmp_ok($answered, '>', 100, 'while requests were answered');
ok($t->wait_for(sub { $t->workers() == 3 }), 'all workers are there again');
ok($s->written(), 'the file is still written');

my $counted =
    $s->figures('canary')->{requests} + $s->figures('baseline')->{requests};
cmp_ok($counted, '>=', $answered, 'all that was answered is counted');

# a request that was cut off may have been counted before

cmp_ok($counted, '<=', $answered + KILLS * 8, 'and nothing twice');

# killed all at once, many times, while it is written

for my $round (1 .. 10) {
    my $pid = $t->_spawn(
        sub {
            for (1 .. 100) {
                eval { $t->post('/canary/control/baseline/rollback', '') };
                eval { $t->post('/canary/control/baseline/resume', '') };
            }
        }
    );
    sleep 0.02 + rand 0.1;
    $s->crash();
    $t->_end($pid);
    $t->start();
}

my $kept =
    $s->figures('canary')->{requests} + $s->figures('baseline')->{requests};
is($kept, $counted, 'the counters are the same after ten crashes');
is($s->logged(qr/cannot be trusted/), 0, 'the file was never in doubt');
is_deeply([glob $s->file() . '.bad*'], [], 'nothing was kept aside');

$s->restart();
is_deeply([glob $t->dir() . '/state/*'],
    [$s->file()], 'and no other file is left over');

$t->no_alerts();
done_testing();
