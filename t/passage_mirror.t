# A mirrored request is a passage, though nginx never logs it.

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
        canary_fallback off;
    }
    upstream plain { server 127.0.0.1:%%PORT3%%; }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            mirror /mirror;
            proxy_pass http://documents;
        }
        location /plain/ {
            mirror /mirror;
            proxy_pass http://plain;
        }
        location = /mirror {
            internal;
            proxy_pass http://documents/mirror$request_uri;
        }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream(
    $t->port(1),
    name => 'new',
    status => sub { $_[0]{uri} =~ m{^/mirror.*/(\d+)} ? $1 : 200 },
    broken => sub { $_[0]{uri} =~ m{^/mirror.*/close} ? 'close' : undef }
);
$t->http_upstream($t->port(2), name => 'old');
$t->http_upstream($t->port(3), name => 'plain');
$t->start();

my $f = Canary::Figures->new($t, 'documents');

is($t->get('/a')->{header}{'x-upstream'}, 'new', 'a request and its mirror');
$f->counted('two passages', canary => Canary::Figures::success(2));
is($t->seen($t->port(1), qr{^/mirror/a}), 1, 'the mirror went to the canary');

is($t->get('/plain/a')->{header}{'x-upstream'}, 'plain', 'only a mirror');
$f->counted('one passage', canary => Canary::Figures::success(1));

is($t->get('/plain/500')->{status}, 200, 'a mirror that fails');
$f->counted('an error that no client saw',
    canary => {requests => 1, errors => 1, '5xx' => 1, timed => 1});

is($t->get('/plain/close')->{status}, 200, 'a mirror that is lost');
$f->counted('an error without a status', canary => Canary::Figures::failure(1));

is($t->post('/b', 'x' x 50_000)->{status}, 200, 'with a body');
$f->counted('two passages', canary => Canary::Figures::success(2));
my @lengths = map { length $_->{body} }
    grep { $_->{method} eq 'POST' } $t->requests($t->port(1));
is("@lengths", '50000 50000', 'both got it');

my $client = $t->client();
is($client->get('/plain/k')->{status}, 200, "keep-alive $_") for 1 .. 3;
$client->close();
$f->counted('three mirrors', canary => Canary::Figures::success(3));

is($t->seen($t->port(2)), 0, 'the baseline saw nothing');
$t->no_alerts();
done_testing();
