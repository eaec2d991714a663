# A tunnel of "tunnel_pass" (nginx 1.31 and later) is answered with 200: it is
# not timed, as its time is the life of the tunnel, and its end is no error.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
my $location = 'server { location / { tunnel_pass 127.0.0.1:1; } }';
my ($status) = $t->test_config($location);
plan skip_all => 'this nginx has no tunnel_pass' if $status;

$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    # nobody listens on port 8
    upstream dead { server 127.0.0.1:%%PORT8%%; }
    upstream documents { server 127.0.0.1:%%PORT2%%; canary canary 100%; }
    upstream headers {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
        canary_latency header;
    }
    upstream lost { server 127.0.0.1:%%PORT2%%; canary dead 100%; }
    server {
        listen 127.0.0.1:%%PORT0%%;
        server_name documents;
        location / {
            tunnel_pass documents;
            tunnel_read_timeout 300ms;
        }
        location /canary/ { canary_status; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        server_name headers;
        location / { tunnel_pass headers; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        server_name lost;
        location / { tunnel_pass lost; }
    }
CONF
for my $n (1, 2) {
    $t->upstream(
        $t->port($n),
        sub {
            my ($socket, $request) = @_;

            syswrite $socket, "server $n\n";
            return $request->{uri} ne '/bye';
        }
    );
}
$t->start();


sub tunnel {
    my ($host) = @_;

    my $socket = $t->connect();
    syswrite $socket, "CONNECT $host:80 HTTP/1.1\r\nHost: $host:80\r\n\r\n";
    sysread $socket, my $head, 4096;
    like($head, qr{^HTTP/1.1 200 }, "$host: a tunnel");

    return $socket;
}

sub ask {
    my ($socket, $uri) = @_;

    syswrite $socket, "GET $uri HTTP/1.1\r\nHost: a\r\n\r\n";
    sysread $socket, my $bytes, 4096;

    return $bytes;
}

my $f = Canary::Figures->new($t, 'documents');
my $tunnel = {requests => 1, '2xx' => 1};

my $socket = tunnel('documents');
is(ask($socket, '/a'), "server 1\n", 'to the canary');
close $socket;
$f->counted('ended by the client', canary => $tunnel);

$socket = tunnel('documents');
is(ask($socket, '/bye'), "server 1\n", 'to the canary');
$f->counted('ended by the server', canary => $tunnel);

$socket = tunnel('documents');
$f->counted('ended by tunnel_read_timeout: no error', canary => $tunnel);

$f = Canary::Figures->new($t, 'headers');
$socket = tunnel('headers');
close $socket;
$f->counted('the header is not timed either', canary => $tunnel);

$f = Canary::Figures->new($t, 'lost');
$socket = tunnel('lost');
is(ask($socket, '/a'), "server 2\n", 'to the baseline');
close $socket;
$f->counted('the canary has failed',
    dead => {%{Canary::Figures::failure(1)}, fallbacks => 1});

$t->no_alerts();
done_testing();
