# One request of any kind is one passage, one success, on its variant alone.

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
        canary_key $http_x_user;
        canary_force $http_x_canary never documents;
        canary_force $http_x_canary always canary;
    }
    upstream other { server 127.0.0.1:%%PORT1%%; }
    upstream nobody {
        server 127.0.0.1:%%PORT2%%;
        canary other 0%;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://documents; }
        location /nobody { proxy_pass http://nobody; }
        location /canary/ { canary_status; }
    }
    server {
        listen 127.0.0.1:%%PORT3%% http2;
        location / { proxy_pass http://documents; }
    }
CONF
$t->http_upstream(
    $t->port(1),
    name => 'new',
    status => sub { $_[0]{uri} =~ m{/status/(\d+)} ? $1 : 200 }
);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $nobody = Canary::Figures->new($t, 'nobody');
my $one = Canary::Figures::success(1);
my @user = ('X-User', 'a');

is($t->get('/', @user)->{header}{'x-upstream'}, 'new', 'HTTP/1.1');
$f->counted('HTTP/1.1 is counted', canary => $one);

my $r = $t->http("GET / HTTP/1.0\r\nX-User: a\r\n\r\n");
is($r->{header}{'x-upstream'}, 'new', 'HTTP/1.0');
$f->counted('HTTP/1.0 is counted', canary => $one);

$r = $t->head('/', @user);
is($r->{header}{'x-upstream'}, 'new', 'HEAD');
$f->counted('HEAD is counted', canary => $one);

$r = $t->post('/', 'x' x 100_000, @user);
is($r->{header}{'x-upstream'}, 'new', 'POST');
$f->counted('POST is counted', canary => $one);

my $url = 'http://127.0.0.1:' . $t->port(3) . '/';
my $text = `curl -sS -m 10 -i -H 'X-User: a' --http2-prior-knowledge $url`;
like($text, qr{^HTTP/2 200.*^x-upstream: new}ms, 'HTTP/2');
$f->counted('HTTP/2 is counted', canary => $one);

my $client = $t->client();
$client->get('/', @user) for 1 .. 3;
$client->close();
$f->counted(
    'each request of a connection is counted',
    canary => Canary::Figures::success(3)
);

$client = $t->client();
my $two = "GET / HTTP/1.1\r\nHost: a\r\nX-User: a\r\n\r\n" x 2;
$client->send($two);
$client->response('GET') for 1 .. 2;
$client->close();
$f->counted('pipelined requests are counted',
    canary => Canary::Figures::success(2));

for my $class (qw(2 3 4 5)) {
    is($t->get("/status/${class}01", @user)->{status}, "${class}01", 'status');
    $f->counted(
        "class ${class}xx",
        canary => {
            requests => 1,
            "${class}xx" => 1,
            timed => 1,
            errors => $class == 5
        }
    );
}

is($t->get('/')->{header}{'x-upstream'}, 'old', 'without a key');
$f->counted('without a key: unkeyed and nothing else', unkeyed => 1);

$t->get('/', @user, 'X-Canary', 'never');
$f->counted('forced to the baseline', documents => {forced => 1});
$t->get('/', 'X-Canary', 'always');
$f->counted('forced to the canary', canary => {forced => 1});

is($t->get('/nobody')->{header}{'x-upstream'}, 'old', 'a share of nothing');
$nobody->counted('on the account of the baseline', nobody => $one);
$f->nothing('and of no other split');

$t->no_alerts();
done_testing();
