# A client that goes away: a request, not timed.  Before the header it is
# aborted and no sample of the error rate; behind it the status decides.

use strict;
use warnings;

use Socket qw(SOL_SOCKET SO_RCVBUF);
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
        listen 127.0.0.1:%%PORT0%% sndbuf=16k;
        proxy_max_temp_file_size 0;
        send_timeout 500ms;
        location / { proxy_pass http://documents; }
        location /ignore/ {
            proxy_pass http://documents;
            proxy_ignore_client_abort on;
        }
        location /unbuffered/ {
            proxy_pass http://documents;
            proxy_buffering off;
        }
        location /streamed/ {
            proxy_pass http://documents;
            proxy_request_buffering off;
            proxy_http_version 1.1;
        }
        location /canary/ { canary_status; }
    }
CONF

my $large = 'x' x 20_000_000;
$t->http_upstream(
    $t->port(1),
    name => 'new',
    body => sub { $_[0]{uri} =~ /large/ ? $large : 'new' },
    delay => sub { $_[0]{uri} =~ /late/ ? 0.5 : 0 },
    status => sub { $_[0]{uri} =~ m{/failed/} ? 500 : 200 },
    broken => sub { $_[0]{uri} =~ m{/(hang\w*)$} ? $1 : undef }
);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');

my $aborted = {requests => 1, none => 1, aborted => 1};

sub leave {
    my ($path, $until) = (@_, '');

    my $client = $t->client();
    my $port = $t->port(1);
    $client->send("GET $path HTTP/1.1\r\nHost: a\r\n\r\n");
    $t->wait_for(sub { $t->seen($port, qr/^$path$/) });
    $client->_fill(time + 10) if $until eq 'header';

    # nothing tells that nginx has read it
    select undef, undef, undef, 0.3 * $t->slow() if $until eq 'status line';
    $client->close();
    return $client;
}

leave('/hang');
$f->counted('left before any answer', canary => $aborted);

leave('/unbuffered/hang');
$f->counted('the same without buffering', canary => $aborted);

leave('/hang_head', 'status line');
$f->counted('left behind the status line: its class',
    canary => {requests => 1, '2xx' => 1, aborted => 1});

leave('/unbuffered/hang_body', 'header');
$f->counted(
    'left within the body, without buffering',
    canary => {requests => 1, '2xx' => 1}
);

for my $path (qw(/failed/hang_body /unbuffered/failed/hang_body)) {
    leave($path, 'header');
    $f->counted("left within the body of a 500: $path",
        canary => {requests => 1, '5xx' => 1, errors => 1});
}

for my $path (qw(/large /unbuffered/large)) {
    leave($path, 'header');
    $f->counted("left within the body: $path",
        canary => {requests => 1, '2xx' => 1});
}

leave('/ignore/late');
$f->counted(
    'proxy_ignore_client_abort: a success, timed',
    canary => Canary::Figures::success(1)
);
cmp_ok($f->latency('canary')->{min}, '>=', 0.49, 'with its whole latency');

# the client reads nothing of what is more than all buffers hold
for my $path (qw(/large/stuck /unbuffered/large/stuck)) {
    my $socket = $t->connect();
    setsockopt $socket, SOL_SOCKET, SO_RCVBUF, 4096;
    syswrite $socket, "GET $path HTTP/1.1\r\nHost: a\r\n\r\n";
    $f->counted(
        "a client that stopped reading: $path",
        canary => {requests => 1, '2xx' => 1}
    );
    close $socket;
}

my $client = $t->client();
$client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nxxx");
select undef, undef, undef, 0.2;
$client->close();
$f->nothing('a request whose body never arrived was not passed on');

$client = $t->client();
$client->send(
    "POST /streamed/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nxxx");
select undef, undef, undef, 0.2;
$client->close();
$f->counted('one that was streamed is counted', canary => $aborted);

$client = $t->client();
$client->send("POST /streamed/ HTTP/1.1\r\nHost: a\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
select undef, undef, undef, 0.2;
$client->send("nonsense\r\n");
is($client->response('POST')->{status}, 400, 'a streamed body of nonsense');
$f->counted('is no error of the canary', canary => $aborted);

is($t->seen($t->port(2)), 0, 'nothing fell back');
$t->no_alerts();
done_testing();
