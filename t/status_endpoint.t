use strict;
use warnings;

# The status location: its resources, what else is refused, the choice
# of the metrics format, and that all of it is one well-formed response.

use JSON::PP ();
use Test::More;
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        canary canary 25%;
        canary_key $arg_k;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /canary/ { canary_status; }
        location /bare { canary_status; }
        location /board { rewrite ^/board(.*) /bare$1 last; }
        location = /exact/metrics { canary_status; }
        location ~ ^/regex/ { canary_status; }
    }
    server {
        listen 127.0.0.1:%%PORT3%%;
        location / { proxy_pass http://127.0.0.1:%%PORT0%%; }
        location = /ssi { ssi on; ssi_types *; default_type text/html;
            return 200 '<!--#include virtual="/canary/status.json" -->'; }
        location /canary/ { canary_status; }
    }
CONF
$t->start();

# once in every answer, whatever it is
sub sniffed {
    my ($response, $name) = @_;

    is_deeply($response->{headers}{'x-content-type-options'},
        ['nosniff'], "$name: nosniff");
    return;
}

my $text = 'text/plain; version=0.0.4; charset=utf-8';
my $open = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

my %types = (
    '/canary/' => 'text/html; charset=utf-8',
    '/canary/status.json' => 'application/json',
    '/canary/metrics' => $text,
    '/bare/' => 'text/html; charset=utf-8',
    '/bare/metrics' => $text,
    '/exact/metrics' => $text,
    '/regex/' => 'text/html; charset=utf-8',
    '/regex/a/status.json' => 'application/json'
);

for my $path (sort keys %types) {
    my $r = $t->get($path);
    is($r->{status}, 200, $path);
    sniffed($r, $path);
    is($r->{header}{'content-type'}, $types{$path}, "$path: type");
    is($r->{header}{'cache-control'}, 'no-store', "$path: not to be stored");
    is($r->{header}{'content-length'}, length $r->{body}, "$path: length");

    my $head = $t->head($path);
    is($head->{status}, 200, "$path: HEAD");
    is($head->{header}{'content-type'}, $types{$path}, "$path: HEAD: type");
    cmp_ok($head->{header}{'content-length'}, '>', 0, "$path: HEAD: length");
    is($head->{body}, '', "$path: HEAD: no body");
}

for my $path (
    '/canary/status', '/canary/metrics/',
    '/canary/a/metrics', '/canary/status.jsonx',
    '/canary/METRICS', '/baremetrics',
    '/regex/x'
    )
{
    my $r = $t->get($path);
    is($r->{status}, 404, "$path is not there");
    sniffed($r, $path);
}

# nginx itself leads to a prefix that ends in a slash; else the page has links
# that hold below the last part of its address
my $r = $t->get('/canary');
is($r->{status}, 301, '/canary is led to the page');
like($r->{header}{location}, qr{^http://[^/]+/canary/$}, 'where to');

for my $case (
    ['/canary/', ''],
    ['/bare/', ''],
    ['/bare/?a=b/c', ''],
    ['/bare', './bare/'],
    ['/bare?a=b/c', './bare/'],
    ['/b%61re', './b%61re/'],
    ['//x/..//bare', './bare/'],
    ['/board', './board/']
    )
{
    my ($path, $prefix) = @$case;

    $r = $t->get($path);
    is($r->{status}, 200, "$path is the page");
    my @links = $r->{body} =~ /(?:href|src)="([^"]*)"/g;
    is(scalar grep({ /^data:image\/svg\+xml,/ } @links), 1, "$path: its icon");
    is_deeply(
        [sort grep { !/^data:/ } @links],
        [sort map { "$prefix$_" } qw(page.css page.js status.json metrics)],
        "$path: its links"
    );
    my ($folder) = $path =~ m{^([^?]*/)};
    for my $link (grep { !/:/ } @links) {
        is($t->get("$folder$link")->{status}, 200, "$folder$link is there");
    }
}

for my $method (qw(POST PUT DELETE OPTIONS PATCH)) {
    my $client = $t->client();
    $client->send("$method /canary/metrics HTTP/1.1\r\nHost: a\r\n"
            . "Content-Length: 4\r\n\r\nbody");
    my $r = $client->response($method);
    is($r->{status}, 405, "$method is refused");
    sniffed($r, $method);
    is($r->{header}{allow}, 'GET, HEAD', "$method: what is allowed");
    is($client->get('/canary/metrics')->{status},
        200, "$method: its body is no part of the next request");
    $client->close();
}

my $with_body = $t->client();
$with_body->send("GET /canary/status.json HTTP/1.1\r\nHost: a\r\n"
        . "Content-Length: 4\r\n\r\nbody");
is($with_body->response('GET')->{status}, 200, 'GET with a body');
is($with_body->get('/canary/')->{status}, 200, 'and the request after it');
$with_body->close();

my @accepts = (
    ['*/*', $text],
    ['application/*', $text],
    ['application/openmetrics-text', $open],
    ['Application/OpenMetrics-Text;version=1.0.0', $open],
    ['application/openmetrics-text;q=0', $text],
    ['application/openmetrics-text;q=0.000', $text],
    ['application/openmetrics-text;q=0.001', $open],
    ['application/openmetrics-text;q=1.001', $text],
    ['application/openmetrics-text;q=x', $text],
    ['application/openmetrics-text; q=0.5, text/plain; q=0.5', $open],
    ['application/openmetrics-text;q=0.499,text/plain;q=0.5', $text],
    ['text/plain,application/openmetrics-text;q=0.9', $text],
    ['text/plain;q=0.3 , application/openmetrics-text ; q=0.4', $open],
    [['text/plain;q=0.3', 'application/openmetrics-text;q=0.4'], $open],
    ['application/openmetrics-textual', $text],
    [',,;;q=,application/openmetrics-text;;;', $open],
    [
        'application/openmetrics-text;version=1.0.0;q=0.5,'
            . 'application/openmetrics-text;version=0.0.1;q=0.4,'
            . 'text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
        $open
    ]
);

for my $accept (@accepts) {
    my ($value, $type) = @$accept;
    my $name = ref $value ? "@$value" : $value;
    my $r = $t->get('/canary/metrics', Accept => $value);
    is($r->{header}{'content-type'}, $type, "Accept: $name");
    is($r->{body} =~ /\n# EOF\n\z/ ? $open : $text, $type, "$name: the body");
}

# behind more headers than nginx keeps in one piece
my $far = $t->get(
    '/canary/metrics',
    (map { ("X-$_", $_) } 1 .. 45),
    accept => 'application/openmetrics-text'
);
is($far->{header}{'content-type'}, $open, 'Accept: behind 45 headers');

my $status = $t->status();
is_deeply([keys %{$status->{splits}}], ['baseline'], 'one split');
my $split = $status->{splits}{baseline};
is($split->{state}, 'active', 'it is active');
cmp_ok(abs($status->{time} - time), '<', 5, 'the time is now');
is($status->{generation}, 1, 'the first load');

my $included = $t->get('/ssi', ':port' => $t->port(3));
is($included->{status}, 200, 'included by a subrequest');
is(eval { JSON::PP::decode_json($included->{body})->{generation} },
    1, 'the whole JSON and nothing else');

my $none = Canary->new();
$none->conf(<<'CONF');
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
$none->start();

is_deeply($none->status()->{splits}, {}, 'no split at all');
is($none->get('/canary/')->{status}, 200, 'its page');
is($none->get('/canary/metrics')->{status}, 200, 'its metrics');
is($none->post('/canary/control/a/rollback', '')->{status},
    404, 'nothing to roll back');

$none->no_alerts();
$t->no_alerts();
done_testing();
