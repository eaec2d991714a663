# A request that must not be repeated is not repeated on the baseline.

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
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_http_version 1.1;
        proxy_read_timeout 300ms;
        proxy_next_upstream error timeout http_500;
        location / { proxy_pass http://documents; }
        location /repeat/ {
            proxy_pass http://documents;
            proxy_next_upstream error timeout http_500 non_idempotent;
        }
        location /streamed/ {
            proxy_pass http://documents;
            proxy_request_buffering off;
            proxy_next_upstream error timeout http_500 non_idempotent;
        }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream(
    $t->port(1),
    name => 'new',
    status => 500,
    broken => sub { $_[0]{uri} =~ m{/(hang|close)$} ? $1 : undef }
);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my %e500 = (requests => 1, errors => 1, '5xx' => 1, timed => 1);
my %lost = (requests => 1, errors => 1, none => 1, timed => 1);
my @cases =
    ([status => 500, \%e500], [close => 502, \%lost], [hang => 504, \%lost]);

# nginx streams what has not arrived together with the header
sub streamed {
    my ($path) = @_;

    my $client = $t->client();
    $client->send(
        "POST $path HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
    sleep 0.1;
    $client->send('dy');
    return $client->response('POST');
}

for my $case (@cases) {
    my ($kind, $status, $figures) = @$case;

    is($t->post("/$kind", 'body')->{status}, $status, "POST, $kind: passed");
    $f->counted('an error, no fallback', canary => $figures);

    is($t->get("/$kind")->{status}, 200, "GET, $kind: the baseline answers");
    $f->counted('an error, a fallback', canary => {%$figures, fallbacks => 1});

    is($t->post("/repeat/$kind", 'body')->{status},
        200, "POST with non_idempotent, $kind: the baseline answers");
    $f->counted('an error, a fallback', canary => {%$figures, fallbacks => 1});

    is(streamed("/streamed/$kind")->{status},
        $status, "a streamed body, $kind: is gone, passed");
    $f->counted('an error, no fallback', canary => $figures);
}

my @bodies = map { $_->{body} }
    grep { $_->{method} eq 'POST' } $t->requests($t->port(2));
is("@bodies", 'body body body', 'the baseline got the POSTs that may repeat');

$t->no_alerts();
done_testing();
