# An answer without a status line (HTTP/0.9): nginx makes it a 200 in one
# place and a 0 in another; it has no class, and it is an answer.

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
    body => "just text\n",
    broken => sub { substr $_[0]{uri}, 1 }
);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');

for my $kind (qw(no_status_line bad_status_line)) {
    my $raw = $t->raw("GET /$kind HTTP/1.0\r\n\r\n");

    # a nginx that refuses HTTP/0.9 makes it a failure
    my $passed = $raw =~ /just text\n$/;
    like($raw, qr/just text\n$|^HTTP\S+ 502/, "$kind: passed or refused");
    $f->counted(
        'of no class, an error only if refused',
        canary =>
            {requests => 1, none => 1, timed => 1, errors => !$passed || 0}
    );
}

$t->no_alerts();
done_testing();
