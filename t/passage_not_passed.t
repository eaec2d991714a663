# What nginx answers by itself, or passes on past the split, is not counted.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->write('file.html', "file\n");
$t->conf(<<'CONF');
    limit_req_zone all zone=limit:1m rate=1r/m;
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
        canary_cookie id;
    }
    add_header X-Variant "[$canary_variant]" always;
    server {
        listen 127.0.0.1:%%PORT0%%;
        large_client_header_buffers 2 1k;
        client_max_body_size 1k;
        location / { proxy_pass http://documents; }
        location /return { return 200 "$canary_variant_documents"; }
        location /moved { return 302 /; }
        location /denied {
            deny all;
            proxy_pass http://documents;
        }
        location /limited {
            limit_req zone=limit;
            proxy_pass http://documents;
        }
        location /file { try_files /file.html @documents; root %%DIR%%; }
        location @documents { proxy_pass http://documents; }
        location /address {
            set $address 127.0.0.1:%%PORT1%%;
            proxy_pass http://$address;
        }
        location /resolved {
            resolver 127.0.0.1:%%PORT9%% valid=1s;
            resolver_timeout 300ms;
            set $name nowhere.example;
            proxy_pass http://$name;
        }
        location /direct { proxy_pass http://canary; }
        location /known {
            proxy_set_header X-Variant $canary_variant_documents;
            proxy_pass http://canary;
            canary_event seen;
        }
        location /badly {
            set $name "";
            proxy_pass http://$name;
        }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream($t->port(1), name => 'new');
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $one = Canary::Figures::success(1);

is($t->get('/return')->{body}, 'canary', 'return, with a variant');
is($t->get('/moved')->{status}, 302, 'return 302');
is($t->get('/denied')->{status}, 403, 'deny');
is($t->get('/file')->{header}{'x-variant'}, '[]', 'a file');
is($t->get('/badly')->{status}, 500, 'proxy_pass to nowhere');
$f->nothing('are not counted');

is($t->get('/limited')->{header}{'x-upstream'}, 'new', 'within limit_req');
$f->counted('is counted', canary => $one);
is($t->get('/limited')->{status}, 503, 'over limit_req');
$f->nothing('is not');

is($t->http("GET / HTTP/1.1\r\n\r\n")->{status}, 400, 'no Host');
is($t->http("GET / HTTP/9.9\r\nHost: a\r\n\r\n")->{status}, 505, 'HTTP/9.9');
is($t->get('/', 'X-Long', 'x' x 3000)->{status}, 400, 'a header too large');
is($t->get('/' . 'x' x 3000)->{status}, 414, 'a URI too long');
is($t->post('/', 'x' x 2000)->{status}, 413, 'a body too large');
$f->nothing('are not counted');

my $r = $t->get('/address');
is($r->{header}{'x-upstream'}, 'new', 'proxy_pass to a variable address');
is($r->{header}{'x-variant'}, '[]', 'meets no split');
is($t->get('/resolved')->{status}, 502, 'proxy_pass to a name to resolve');
is($t->get('/direct')->{header}{'x-upstream'}, 'new', 'to the canary itself');
$f->nothing('are not counted');

is($t->get('/known')->{header}{'x-upstream'},
    'new', 'to the canary, with the variant known');
my ($known) = grep { $_->{uri} eq '/known' } $t->requests($t->port(1));
is($known->{headers}{'x-variant'}, 'canary', 'which it was told');
$f->nothing('is not counted');
is($t->status()->{splits}{documents}{events}{seen}{canary}{total}{count},
    0, 'and neither is its event');

is($t->get('/')->{header}{'x-upstream'}, 'new', 'a request as any other');
$f->counted('is counted', canary => $one);

$t->no_alerts();
done_testing();
