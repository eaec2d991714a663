use strict;
use warnings;

# Two splits have a file each; that of the one is not taken by the other.  The
# same without a master process, and with a rollback by a gate.

use Test::More;
use Canary;

my $t = Canary->new();
my $dir = $t->dir();

conf(workers => 2);
$t->start();
ok($t->wait_for(sub { -e "$dir/a.state" && -e "$dir/b.state" }), 'two files');

$t->get('/b/fails') for 1 .. 300;
ok($t->wait_for(sub { of('b')->{state} eq 'rolled_back' }),
    'a gate rolls one back');
my $reason = of('b')->{reason};
$t->get('/a/') for 1 .. 7;

# a gate waits for no disk
ok($t->wait_for(sub { $t->read('b.state') =~ /\Q$reason\E/ }),
    'and it is on the disk');
crash();
$t->start();
is(of('b')->{state}, 'rolled_back', 'it still is after a crash');
is(of('b')->{reason}, $reason, 'for the same reason');
is(of('a')->{state}, 'active', 'the other is not');
$t->stop();

# the file of the one put in the place of the other's

rename "$dir/b.state", "$dir/a.state" or die "rename: $!\n";
$t->start();
is(of('a')->{state}, 'rolled_back', 'the file of another split');
like(of('a')->{reason}, qr/that of another split, "b"/, 'is not trusted');
is(of('b')->{state}, 'active', 'no file is a fresh start');
ok(-e "$dir/a.state.bad", 'it is kept aside');
$t->post('/canary/control/a/resume', '');
$t->stop();

# one process: it writes and reads as well

conf(workers => 1, master => 'off');
$t->start();
my $before = of('a')->{variants}{a}{total}{requests};
$t->get('/a/') for 1 .. 5;
$t->stop();
$t->start();
is(
    of('a')->{variants}{a}{total}{requests},
    $before + 5,
    'without a master the counters go on'
);
$t->post('/canary/control/a/rollback', '');
ok($t->wait_for(sub { of('a')->{state_file}{written_at} }), 'written');
my $pid = delete $t->{master};
kill 'KILL', $pid;
$t->wait_for(sub { $t->_reap($pid) });
$t->start();
is(of('a')->{state}, 'rolled_back', 'and a rollback is kept');

$t->no_alerts();
done_testing();

###############################################################################

sub conf {
    return $t->conf(<<'CONF', @_);
    upstream c { server 127.0.0.1:%%PORT1%%; }
    upstream a {
        server 127.0.0.1:%%PORT2%%;
        canary c 0.0001%;
        canary_state %%DIR%%/a.state;
    }
    upstream b {
        server 127.0.0.1:%%PORT2%%;
        canary c 100%;
        canary_fallback off;
        canary_gate error_rate <= 1%;
        canary_rollback auto pause=0 false_alarm=60s;
        canary_state %%DIR%%/b.state;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200; }
        location /b/fails { return 500; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /a/ { proxy_pass http://a; }
        location /b/ { proxy_pass http://b; }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
}

sub of {
    my ($name) = @_;

    return $t->status()->{splits}{$name};
}

sub crash {
    my @workers = $t->workers();
    my $master = delete $t->{master};

    kill 'KILL', $master, @workers;
    $t->wait_for(
        sub {
            $t->_reap($master) && !grep { -d "/proc/$_" } @workers;
        }
    ) or die "nginx did not die\n";

    return;
}
