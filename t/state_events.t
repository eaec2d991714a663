use strict;
use warnings;

# Custom events go on over a restart and a crash: counts, values with their
# quantiles and users, since the beginning and since the stage began.  Their
# window begins anew.

use Test::More;
use Canary;

my $t = Canary->new();

$t->write('split', 'canary canary 100% stage=one;');
$t->conf(<<'CONF', workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        include %%DIR%%/split;
        canary_state %%DIR%%/file;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://baseline;
            canary_event seen;
            canary_event upload if=$arg_v unique=$arg_u value=$arg_v;
        }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
$t->start();

$t->get("/?u=user$_&v=$_") for 1 .. 100;
$t->get('/') for 1 .. 20;

# another stage, with fewer users and other values

$t->write('split', 'canary canary 100% stage=two;');
ok($t->reload(), 'a new stage');
$t->get("/?u=user$_&v=" . 1000 * $_) for 1 .. 30;

# the last ones are counted once they are answered

$t->wait_for(sub { figures()->{seen}{total}{count} == 150 });
my $before = figures();
is($before->{upload}{total}{count}, 130, 'counted since the beginning');
is($before->{upload}{stage}{count}, 30, 'and since the stage began');
is($before->{seen}{total}{count}, 150, 'each request');

$t->stop();
$t->start();
same('a restart');
for my $name (qw(seen upload)) {
    is(figures()->{$name}{window}{count}, 0, "$name: its window is empty");
}

$t->get("/?u=user$_&v=" . 1000 * $_) for 1 .. 5;

# events are counted when a request is logged, a little after its answer
$t->wait_for(sub { figures()->{upload}{total}{count} == 135 }, 5);
is(figures()->{upload}{total}{count}, 135, 'and the counts go on');
is(figures()->{upload}{stage}{count}, 35, 'of the stage as well');
is(figures()->{upload}{window}{count}, 5, 'and of the window');
is(
    figures()->{upload}{total}{unique},
    $before->{upload}{total}{unique},
    'a user that was seen before is none more'
);

# POST writes all of it

$before = figures();
$t->post('/canary/control/baseline/resume', '');
my @pids = ($t->master(), $t->workers());
my $master = delete $t->{master};
kill 'KILL', @pids;
$t->wait_for(
    sub {
        $t->_reap($master) && !grep { -d "/proc/$_" } @pids;
    }
);
$t->start();
same('a crash');

# a stage that begins with the restart

$t->stop();
$t->write('split', 'canary canary 100% stage=three;');
$t->start();
is(figures()->{upload}{stage}{count}, 0, 'a new stage is empty');
is(figures()->{upload}{total}{count}, 135, 'the totals are not');

# stages that were begun by re-arming: their extremes are in other places

$t->post("/canary/control/baseline/$_", "reason=again") for qw(rollback resume);
$t->get("/?u=user$_&v=" . 50000 * $_) for 1 .. 5;
$t->wait_for(sub { figures()->{upload}{total}{count} == 140 }, 5);
$t->post("/canary/control/baseline/$_", "reason=again") for qw(rollback resume);
$before = figures();
is($before->{upload}{total}{value}{max},
    250000, 'the greatest of the stage before');
$t->stop();
$t->start();
same('a restart after two that were re-armed');

$t->no_alerts();
done_testing();

sub figures {
    my $events = $t->status()->{splits}{baseline}{events};
    return {map { $_ => $events->{$_}{canary} } keys %$events};
}

sub same {
    my ($name) = @_;

    my $after = figures();
    for my $event (qw(seen upload)) {
        for my $scope (qw(total stage)) {
            my @both = map {
                { %{$_->{$event}{$scope}} }
            } $after, $before;
            delete $_->{rate} for @both;
            is_deeply($both[0], $both[1], "$event, $scope: after $name");
        }
    }
    return;
}
