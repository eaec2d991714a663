# A switched protocol is counted when its tunnel ends, as 1xx, and not timed:
# its time is the life of the tunnel.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection upgrade;
        location / { proxy_pass http://documents; }
        location /idle {
            proxy_pass http://documents;
            proxy_read_timeout 300ms;
        }
        location /canary/ { canary_status; }
    }
CONF
$t->upstream(
    $t->port(1),
    sub {
        my ($socket, $request) = @_;

        if ($request->{uri} eq '/refused') {
            syswrite $socket, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n";
            return 1;
        }
        syswrite $socket, "HTTP/1.1 101 Switching Protocols\r\n"
            . "Upgrade: echo\r\nConnection: upgrade\r\n\r\n";
        while (sysread $socket, my $bytes, 4096) {
            syswrite $socket, $bytes;
            last if $bytes =~ /bye/;
        }
        return 0;
    }
);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $tunnel = {requests => 1, '1xx' => 1};

sub tunnel {
    my ($path) = @_;

    my $client = $t->client();
    $client->send("GET $path HTTP/1.1\r\nHost: a\r\n"
            . "Upgrade: echo\r\nConnection: Upgrade\r\n\r\n");
    is($client->response('GET')->{status}, 101, "a tunnel: $path");
    $client->send("hello\n");
    $client->_fill(time + 10) while length $client->{buffer} < 6;
    is($client->{buffer}, "hello\n", 'goes both ways');
    return $client;
}

my $client = tunnel('/client');
$f->nothing('an open tunnel is not counted yet');
$client->close();
$f->counted('ended by the client', canary => $tunnel);

$client = tunnel('/upstream');
$client->send('bye');
1 while $client->_fill(time + 10);
$f->counted('ended by the upstream', canary => $tunnel);
$client->close();

$client = tunnel('/idle');
1 while $client->_fill(time + 10);
$f->counted('ended by proxy_read_timeout: no error', canary => $tunnel);
$client->close();

is($t->get('/refused', Upgrade => 'echo', Connection => 'Upgrade')->{status},
    403, 'refused');
$f->counted('an answer as any other',
    canary => {requests => 1, '4xx' => 1, timed => 1});

$client = tunnel('/quit');
my ($worker) = $t->workers();
$t->reload();
$client->send("more\n");
$client->_fill(time + 10) while length $client->{buffer} < 11;
$client->close();
$t->wait_for(sub { !-d "/proc/$worker" });
$f->counted('ended in a worker that is draining', canary => $tunnel);

$t->no_alerts();
done_testing();
