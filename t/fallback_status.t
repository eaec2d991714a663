# proxy_next_upstream names a status: the baseline answers instead, and the
# canary is charged by canary_errors, not for having fallen back.

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
    upstream strict_canary { server 127.0.0.1:%%PORT1%%; }
    upstream strict {
        server 127.0.0.1:%%PORT2%%;
        canary strict_canary 100%;
        canary_errors 404 if=$upstream_http_x_failed;
    }
    add_header X-Variant "[$canary_variant]" always;
    add_header X-Fallback "[$canary_fallback]" always;
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_next_upstream error http_500 http_404 http_403 http_429;
        location / { proxy_pass http://documents; }
        location /strict/ { proxy_pass http://strict; }
        location /canary/ { canary_status; }
    }
CONF
my $status = sub { $_[0]{uri} =~ m{/(\d{3})} ? $1 : 200 };
$t->http_upstream(
    $t->port(1),
    name => 'new',
    status => $status,
    headers => sub { $_[0]{uri} =~ /failed/ ? {'X-Failed' => 'yes'} : {} }
);
$t->http_upstream(
    $t->port(2),
    name => 'old',
    status => sub { $_[0]{uri} =~ /both/ ? $status->(@_) : 200 }
);
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $strict = Canary::Figures->new($t, 'strict');

sub figures {
    my ($status, %more) = @_;

    my ($class) = $status =~ /^(.)/;
    return {requests => 1, "${class}xx" => 1, timed => 1, %more};
}

for my $code (500, 404, 403, 429) {
    my $r = $t->get("/$code");
    is($r->{header}{'x-upstream'}, 'old', "$code: the baseline answers");
    is($r->{header}{'x-variant'}, '[canary]', 'the variant stays the canary');
    is($r->{header}{'x-fallback'}, '[1]', 'a fallback');
    $f->counted($code == 500 ? 'an error' : 'no error by default',
        canary => figures($code, fallbacks => 1, errors => $code == 500));
}

for my $code (502, 503, 418) {
    is($t->get("/$code")->{status}, $code, "$code is not named: passed");
    $f->counted('no fallback', canary => figures($code, errors => $code > 499));
}

for my $code (500, 404) {
    is($t->get("/both/$code")->{status}, $code, "$code of both");
    $f->counted('once, on the canary',
        canary => figures($code, fallbacks => 1, errors => $code == 500));
}

$t->get('/strict/404');
$strict->counted('canary_errors 404: an error',
    strict_canary => figures(404, fallbacks => 1, errors => 1));
$t->get('/strict/500');
$strict->counted('and a 500 is none',
    strict_canary => figures(500, fallbacks => 1));
$t->get('/strict/403/failed');
$strict->counted('if= sees the answer of the canary',
    strict_canary => figures(403, fallbacks => 1, errors => 1));

$t->no_alerts();
done_testing();
