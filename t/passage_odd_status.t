# Any three digits are a status to nginx; those outside 100 to 599 have no
# class, and are answers.

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
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://documents; }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream(
    $t->port(1),
    name => 'new',
    close => 1,
    status => sub { substr $_[0]{uri}, 1 }
);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');

for my $status (qw(000 001 099 600 700 999)) {
    $t->raw("GET /$status HTTP/1.0\r\n\r\n");
    is($t->seen($t->port(1), qr/$status/), 1, "$status was asked for");
    $f->counted('of no class, no error',
        canary => {requests => 1, none => 1, timed => 1});
}

for my $status (qw(199 200 299 300 399 400 499 599)) {
    my ($class) = $status =~ /^(.)/;
    $t->raw("GET /$status HTTP/1.0\r\n\r\n");
    $f->counted(
        "$status is of its class",
        canary => {
            requests => 1,
            "${class}xx" => 1,
            timed => 1,
            errors => $class == 5
        }
    );
}

$t->no_alerts();
done_testing();
