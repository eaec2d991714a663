use strict;
use warnings;

# Requests under way in a worker that is told to stop at once, or that
# worker_shutdown_timeout ends, are counted once and are no errors.

use Test::More;
use Time::HiRes qw(sleep);
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF', main => 'worker_shutdown_timeout 300ms;');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream plain {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
    }
    upstream whole {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
        canary_latency request;
    }
    map $http_upgrade $hop { '' ''; default upgrade; }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_http_version 1.1;
        postpone_output 0;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $hop;
        location /plain { proxy_pass http://plain; }
        location /whole { proxy_pass http://whole; }
        location /plain/unbuffered {
            proxy_pass http://plain;
            proxy_buffering off;
        }
        location /whole/unbuffered {
            proxy_pass http://whole;
            proxy_buffering off;
        }
        location /canary/ { canary_status; }
    }
CONF

$t->upstream(
    $t->port(1),
    sub {
        my ($socket, $request) = @_;
        my $uri = $request->{uri};
        sleep 0.1 if $uri =~ /late/;
        print {$socket} "HTTP/1.1 101 Switching Protocols\r\n"
            . "Upgrade: x\r\nConnection: upgrade\r\n\r\n"
            if $uri =~ /tunnel/;
        print {$socket} "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun"
            if $uri =~ /body/;
        print {$socket} "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            if $uri =~ /done|late/;
        return 1 if $uri =~ /done|late/;

        # until nginx is gone
        sysread $socket, my $byte, 1;
        return 0;
    }
);
$t->http_upstream($t->port(2), name => 'baseline');
$t->start();

my $seen = 0;

# all that can be under way: before the header, in the body, in a tunnel
sub begin {
    my @clients;

    for my $location (qw(plain whole)) {
        is($t->get("/$location/done")->{body}, 'ok', "$location: one is done");
        for my $part (qw(head body unbuffered/body tunnel)) {
            my $uri = "/$location/$part";
            my $client = $t->client();
            my $upgrade =
                $uri =~ /tunnel/
                ? "Upgrade: x\r\nConnection: upgrade\r\n"
                : '';
            $client->send(
                "GET $uri HTTP/1.1\r\nHost: localhost\r\n$upgrade\r\n");
            push @clients, $client;
        }
    }
    $seen += 2 + @clients;
    ok($t->wait_for(sub { $t->seen($t->port(1)) == $seen }), 'under way');

    # bodies and tunnels are begun once their client has something
    for my $n (1 .. 3, 5 .. 7) {
        ok($clients[$n]->_fill(time + 10 * $t->slow()), 'and answered');
    }

    return @clients;
}

sub figures {
    my ($name) = @_;

    my $split = $t->status()->{splits}{$name};
    my $c = $split->{variants}{canary}{total};
    my $b = $split->{variants}{$name}{total};
    return {
        requests => $c->{requests},
        errors => $c->{errors},
        fallbacks => $c->{fallbacks},
        timed => $c->{latency}{count},
        baseline => $b->{requests},
        map { $_ => $c->{responses}{$_} } qw(none 1xx 2xx)
    };
}

# rounds of the five requests above; only the one that was done has a latency
sub counted {
    my ($rounds, $name) = @_;

    my %each = (
        requests => 5,
        errors => 0,
        fallbacks => 0,
        timed => 1,
        baseline => 0,
        none => 1,
        '1xx' => 1,
        '2xx' => 3
    );
    my %all = map { $_ => $each{$_} * $rounds } keys %each;

    is_deeply(figures('plain'), \%all, "$name: upstream latency");
    is_deeply(figures('whole'), \%all, "$name: request latency");
    return;
}

my ($old) = $t->workers();
my @clients = begin();
kill 'TERM', $old or die "kill: $!\n";
ok(
    $t->wait_for(
        sub {
            my ($pid) = $t->workers();
            $pid && $pid != $old && !-d "/proc/$old";
        }
    ),
    'another worker took over'
);
counted(1, 'stopped at once');
$_->close() for @clients;

@clients = begin();
ok($t->reload(drain => 1), 'reload, the old worker ends by its timeout');
counted(2, 'shutdown timeout');
$_->close() for @clients;

# one that ends before its worker has to
my $client = $t->client();
$client->send("GET /plain/late HTTP/1.1\r\nHost: localhost\r\n\r\n");
ok($t->wait_for(sub { $t->seen($t->port(1)) == $seen + 1 }), 'under way');
$t->reload(wait => 0);
is($client->response('GET')->{body}, 'ok', 'a request over a reload');
$client->close();
ok($t->wait_for(sub { figures('plain')->{requests} == 11 }), 'is counted');
is(figures('plain')->{timed}, 3, 'and timed');

is($t->seen($t->port(2)), 0, 'none fell back');

$t->no_alerts();
done_testing();
