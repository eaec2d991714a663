use strict;
use warnings;

# The throughput of a gate is that of the whole split: assigned, forced and
# unkeyed requests.  Below the limit it is pending, and rolls nothing back.

use Test::More;
use Canary;

my $t = Canary->new();

sub configure {
    my ($limit) = @_;

    $t->conf(<<"CONF");
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        canary_key \$arg_user;
        canary_force \$arg_force ~. canary;
        canary_rollback auto false_alarm=1m;
        canary_gate throughput >= $limit min=90;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
    return;
}

sub gate { return $t->status()->{splits}{baseline}{gates}[0] }

sub judged {
    my ($status, $name) = @_;

    my $gate;
    ok($t->wait_for(sub { $gate = gate(); $gate->{status} eq $status }), $name)
        or diag("$gate->{status}: $gate->{reason}");
    return $gate;
}

configure('1r/m');
$t->start();

my $gate = gate();
is("$gate->{status}: $gate->{reason}", 'pending: 0 of 90 samples', 'none');

$t->get("/?user=$_") for 1 .. 29;
$t->get("/?user=$_&force=1") for 1 .. 30;
$t->get('/') for 1 .. 30;
$gate = gate();
is(
    "$gate->{status}: $gate->{reason}",
    'pending: 89 of 90 samples',
    'assigned, forced and unkeyed'
);
$t->get('/');

$gate = judged('pass', 'above the limit');
is($gate->{samples}, 90, 'its samples');
like($gate->{reason}, qr{^\S+r/s in the stage, \S+r/s in the window$},
    'its reason');
is($t->status()->{splits}{baseline}{verdict}, 'go', 'the verdict');

configure('100000r/s');
ok($t->reload(), 'a limit that is far away');
$gate = judged('pending', 'below the limit');
like($gate->{reason}, qr{^\S+r/s in the stage, below the limit$}, 'its reason');

# some ticks of a false alarm a minute

my $window = 0;
my $ticks = 0;
$t->wait_for(
    sub {
        my $now = $t->status()->{time};
        $ticks++ if int $now != $window;
        $window = int $now;
        return $ticks > 4;
    }
);
is($t->status()->{splits}{baseline}{state}, 'active', 'nothing is rolled back');
is(gate()->{status}, 'pending', 'and it is still pending');

$t->no_alerts();
done_testing();
