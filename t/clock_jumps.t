use strict;
use warnings;

# The wall clock may jump: windows, stages and gates go by the monotonic one.

use Test::More;
use Time::HiRes qw(time);
use Canary;
use Canary::Clock;

plan skip_all => 'a sanitizer wants to be loaded first'
    if !Canary::Clock::available();

my $t = Canary->new();
my $clock = Canary::Clock->new($t);

$t->conf(<<'CONF', workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100% stage=s;
        canary_key $arg_user;
        canary_window 10s;
        canary_rollback auto pause=0 false_alarm=1h;
        canary_gate error_rate <= 1%;
        canary_gate throughput >= 1r/s;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
        location /bad { return 500; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF

$clock->start();

my ($user, $begun) = (0, time);

sub requests {
    my ($n) = @_;

    $t->get('/?user=' . $user++) for 1 .. $n;
    return;
}

sub jumped {
    my ($seconds, $name) = @_;

    $clock->set($seconds);
    requests(40);

    my $status;
    ok(
        $t->wait_for(
            sub {
                requests(1);
                $status = $t->status();
                return abs($status->{time} - $seconds - time) < 60;
            }
        ),
        "$name: nginx's clock has jumped"
    );

    my $split = $status->{splits}{baseline};
    my $canary = $split->{variants}{canary};
    my $elapsed = time - $begun;

    cmp_ok(abs($split->{stage}{elapsed} - $elapsed),
        '<', 2, "$name: the stage is as old as it is");
    cmp_ok($canary->{window}{requests}, '>=', 40, "$name: in the window");
    is(
        $canary->{window}{requests},
        $canary->{total}{requests},
        "$name: all of them"
    ) if $elapsed < 9;
    cmp_ok($canary->{total}{latency}{max}, '<', 5, "$name: no long latency");
    cmp_ok(
        abs($canary->{stage}{throughput} * $split->{stage}{elapsed} - $user),
        '<',
        2 + $user / 2,
        "$name: the throughput"
    );
    is($split->{state}, 'active', "$name: nothing is rolled back");
    return;
}

requests(40);
jumped(86_400, 'a day ahead');
jumped(-31_536_000, 'a year back');

ok(
    $t->wait_for(
        sub {
            my $canary =
                $t->status()->{splits}{baseline}{variants}{canary};
            return $canary->{window}{requests} == 0;
        },
        14
    ),
    'the window slides on'
);
cmp_ok(time - $begun, '>', 9.5, 'at its own pace');

# gates judge whatever the time of day is

my $n = 0;
ok(
    $t->wait_for(
        sub {
            $t->get('/bad?user=x') for 1 .. 5;
            $clock->set($n++ % 2 ? 7200 : -7200);
            return $t->status()->{splits}{baseline}{state} eq 'rolled_back';
        }
    ),
    'a canary that fails is rolled back while the clock jumps'
);

$t->no_alerts();
done_testing();
