use strict;
use warnings;

# A draining worker of an older configuration decides under the newest
# generation, and under the latch; a canary that it does not know is the
# baseline to it.

use Test::More;
use Canary;

my $t = Canary->new();

sub configure {
    my ($split) = @_;

    $t->conf(<<"CONF");
    upstream one { server 127.0.0.1:%%PORT1%%; }
    upstream two { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        $split
        canary_force \$arg_force ~^(?:one|always)\$ one;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        add_header X-Pid \$pid;
        add_header X-Generation \$canary_generation;
        add_header X-Variant \$canary_variant;
        add_header X-Why \$canary_assignment;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
    return;
}

$t->http_upstream($t->port(1),
    delay => sub { $_[0]->{uri} =~ /slow/ ? 1.5 * Canary::slow() : 0 });
configure('canary one 100%;');
$t->start();

my ($old) = $t->workers();

# requests of which the old worker has only a part

sub half {
    my ($client, $bytes) = @_;

    $client->send($bytes);
    return $client;
}

my $line = "GET / HTTP/1.1\r\nHost: loc";
my $rest = "alhost\r\n\r\n";

my $kept = $t->client();
is($kept->get('/')->{header}{'x-generation'}, 1, 'the first generation');
half($kept, $line);

my @fresh = map { half($t->client(), $line) } 1 .. 3;
my $forced = half($t->client(), "GET /?force=one HTTP/1.1\r\nHost: loc");
my $body = half($t->client(),
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab");
my $slow = half($t->client(), "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");

ok($t->wait_for(sub { $t->seen($t->port(1), qr/slow/) }),
    'one is passed on already');

# the worker has read what came before this request of another connection
$t->get('/');

sub decided {
    my ($r, $expected, $name) = @_;

    is_deeply(
        [
            $r->{status},
            map { $r->{header}{"x-$_"} } qw(pid generation variant why)
        ],
        [200, @$expected],
        $name
    );
    return;
}

sub finish {
    my ($client, $bytes, $expected, $name) = @_;

    $client->send($bytes);
    decided($client->response('GET'), $expected, $name);
    return;
}

configure('canary one 0%;');
ok($t->reload(), 'reload with 0%');
my ($new) = $t->workers();
isnt($new, $old, 'another worker');

finish(
    $kept, $rest,
    [$old, 2, qw(baseline split)],
    'a keep-alive connection: the new share'
);
finish($body, 'cd', [$old, 2, qw(baseline split)],
    'half a body: the new share');
finish(
    $fresh[0], $rest,
    [$old, 2, qw(baseline split)],
    'half a header: the new share'
);
decided(
    $slow->response('GET'),
    [$old, 1, qw(one split)],
    'passed on before: as it was decided'
);

my $before = $t->status()->{splits}{baseline}{variants};

configure('canary two 100%; canary one 0%;');
ok($t->reload(), 'reload with a canary that the old worker lacks');

finish(
    $fresh[1], $rest,
    [$old, 3, qw(baseline split)],
    'it is the baseline to the old worker'
);
finish(
    $forced, $rest,
    [$old, 3, qw(one forced)],
    'a canary that both know, in another place of the plan'
);
decided(
    $t->get('/'),
    [($t->workers())[0], 3, qw(two split)],
    'the new worker knows it'
);

my $variants = $t->status()->{splits}{baseline}{variants};
is(
    $variants->{baseline}{total}{requests},
    $before->{baseline}{total}{requests} + 1,
    'counted as the baseline by the old worker'
);
is($variants->{two}{total}{requests}, 1, 'as the canary by the new one');
is($variants->{one}{total}{forced}, 1, 'and the forced one apart');

is($t->post('/canary/control/baseline/rollback', '')->{status},
    200, 'rolled back');
ok(-d "/proc/$old", 'the old worker still drains');
finish(
    $fresh[2], $rest,
    [$old, 3, qw(baseline rolled_back)],
    'in the old worker as well'
);

$_->close() for $kept, @fresh, $forced, $body, $slow;
ok($t->wait_for(sub { !-d "/proc/$old" }), 'the old worker ends');

$t->no_alerts();
done_testing();
