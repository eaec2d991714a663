# canary_cookie: variables in "domain=" and "path=", which no value of a client
# can use to add an attribute or a header.

use strict;
use warnings;

use Test::More;

use Canary;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        canary_cookie id domain=$http_x_domain path=$http_x_path secure;
    }
    upstream fixed {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        canary_cookie other domain=.$host path=/fixed;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://documents; }
        location /fixed { proxy_pass http://fixed; }
    }
CONF
$t->start();

sub attributes {
    my ($uri, @headers) = @_;
    my $cookie = $t->get($uri, @headers)->{header}{'set-cookie'};
    return $cookie =~ s/^\w+=[0-9a-f]{32}//r;
}

is(
    attributes('/', 'X-Domain' => 'a.example', 'X-Path' => '/x'),
    '; Secure; Path=/x; Domain=a.example',
    'both from variables'
);
is(attributes('/'), '; Secure; Path=/', 'empty: no domain, the default path');
for my $bad ('a; HttpOnly', 'a b', "a\tb", "a\xe9", 'a;b') {
    is(
        attributes('/', 'X-Domain' => $bad),
        '; Secure; Path=/',
        "left out: \"$bad\""
    );
    is(attributes('/', 'X-Path' => $bad), '; Secure; Path=/', 'as a path');
}
is(
    attributes('/fixed', Host => 'b.example'),
    '; Path=/fixed; Domain=.b.example',
    'text and a variable'
);

$t->no_alerts();
done_testing();
