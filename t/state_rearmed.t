use strict;
use warnings;

# A load that re-arms is in the state file by the next tick, as a crash would
# bring the latch back.

use Test::More;
use Time::HiRes qw(time);
use Canary;

my $t = Canary->new();

$t->write('split', 'canary canary 5%;');
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        include %%DIR%%/split;
        canary_state %%DIR%%/state;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
$t->start();

for my $round (1 .. 3) {
    $t->write('split', 'canary canary 5%;');
    ok($t->reload(), "round $round: a share");
    $t->post('/canary/control/baseline/rollback', '');

    $t->write('split', 'canary canary 0%;');
    my $loaded = time;
    ok($t->reload(), "round $round: re-armed by a load");
    ok(
        $t->wait_for(sub { written() > $loaded }, 2.5),
        "round $round: written by the next tick"
    );
}

my @pids = ($t->master(), $t->workers());
my $master = delete $t->{master};
kill 'KILL', @pids;
$t->wait_for(
    sub {
        $t->_reap($master) && !grep { -d "/proc/$_" } @pids;
    }
);
$t->start();
is($t->status()->{splits}{baseline}{state}, 'active', 'it holds over a crash');

$t->no_alerts();
done_testing();

sub written {
    return $t->status()->{splits}{baseline}{state_file}{written_at} || 0;
}
