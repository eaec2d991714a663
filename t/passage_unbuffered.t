# Without buffering, in either direction, figures are the same.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
    }
    upstream slow_canary { server 127.0.0.1:%%PORT3%%; }
    upstream slow {
        server 127.0.0.1:%%PORT2%%;
        canary slow_canary 100%;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_http_version 1.1;
        proxy_buffering off;
        proxy_request_buffering off;
        location / { proxy_pass http://documents; }
        location /slow { proxy_pass http://slow; }
        location /canary/ { canary_status; }
    }
CONF

my $large = 'x' x 1_000_000;
$t->http_upstream(
    $t->port(1),
    name => 'new',
    body => sub { $_[0]{uri} =~ /large/ ? $large : "new\n" },
    status => sub { $_[0]{uri} =~ m{/(\d{3})} ? $1 : 200 }
);
$t->http_upstream($t->port(2), name => 'old');
$t->upstream(
    $t->port(3),
    sub {
        my ($socket) = @_;

        syswrite $socket, "HTTP/1.1 200 OK\r\n"
            . "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
        sleep 0.4;
        syswrite $socket, "3\r\ndef\r\n0\r\n\r\n";
        return 1;
    }
);
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $slow = Canary::Figures->new($t, 'slow');
my $one = Canary::Figures::success(1);

is($t->get('/')->{body}, "new\n", 'GET');
$f->counted('a success', canary => $one);
is($t->head('/')->{status}, 200, 'HEAD');
$f->counted('a success', canary => $one);
is(length $t->get('/large')->{body}, 1_000_000, 'a large body');
$f->counted('a success', canary => $one);
is($t->post('/', $large)->{status}, 200, 'POST of a large body');
$f->counted('a success', canary => $one);
is($t->get('/204')->{status}, 204, 'an answer without a body');
$f->counted('a success', canary => $one);
is($t->get('/500')->{status}, 500, 'an error');
$f->counted('an error',
    canary => {requests => 1, errors => 1, '5xx' => 1, timed => 1});

is($t->get('/slow')->{body}, 'abcdef', 'a slow body in chunks');
$slow->counted('a success', slow_canary => $one);
cmp_ok($slow->latency('slow_canary')->{min},
    '>=', 0.39, 'its latency includes the body');

is($t->seen($t->port(2)), 0, 'the baseline saw nothing');
$t->no_alerts();
done_testing();
