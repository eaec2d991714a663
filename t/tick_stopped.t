use strict;
use warnings;

# A worker that is stopped holds up no tick: another one does it.  When it goes
# on it undoes nothing.

use Test::More;
use Time::HiRes qw(time);
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF', workers => 2);
    upstream canary {
        server 127.0.0.1:%%PORT1%%;
        keepalive 4;
    }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        keepalive 4;
        canary canary 50%;
        canary_key $arg_user;
        canary_gate error_rate <= 1%;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        keepalive_requests 100000;
        add_header X-Pid $pid always;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF

my $broken = $t->dir() . '/broken';
$t->http_upstream(
    $t->port(1),
    name => 'canary',
    status => sub { return -e $broken ? 503 : 200 }
);
$t->http_upstream($t->port(2), name => 'baseline');
$t->start();

# a connection to each worker: new ones may wait for the one that is stopped
my %client;
$t->wait_for(
    sub {
        my $client = $t->client();
        $client{$client->get('/')->{header}{'x-pid'}} ||= $client;
        return keys %client == 2;
    }
);
is(keys %client, 2, 'both workers answer');

my $user = 0;

sub request {
    my ($client) = @_;

    return $client->get('/?user=' . $user++)->{header}{'x-upstream'};
}

sub documents {
    my ($client) = @_;

    my $text = $client->get('/canary/status.json')->{body};
    return JSON::PP->new()->utf8()->decode($text)->{splits}{baseline};
}

my @pids = sort { $a <=> $b } keys %client;

for my $pid (@pids) {
    my ($other) = grep { $_ != $pid } @pids;
    my $client = $client{$other};
    my $name = $pid == $pids[0] ? 'one' : 'the other';

    request($client) for 1 .. 50;
    kill 'STOP', $pid or die "kill: $!\n";

    $t->write('broken', '');
    ok(
        $t->wait_for(
            sub {
                request($client) for 1 .. 10;
                return documents($client)->{state} eq 'rolled_back';
            }
        ),
        "$name is stopped: rolled back all the same"
    );

    kill 'CONT', $pid or die "kill: $!\n";
    my ($end, %by) = (time + 1.5);
    $t->wait_for(
        sub {
            $by{request($client{$_})}++ for @pids;
            return time > $end;
        }
    );
    is_deeply([keys %by], ['baseline'], "$name goes on: rolled back in both");

    unlink $broken;
    is($client->post('/canary/control/baseline/resume', '')->{status},
        200, 'resumed');
}

$t->no_alerts();
done_testing();
