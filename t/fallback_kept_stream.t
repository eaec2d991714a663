# gRPC and HTTP/2 on a connection that was kept, then on a new one: another
# server is asked in a stream that nginx waits for.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
my %pass = (
    grpc => 'grpc_pass grpc://',
    proxy => 'proxy_http_version 2; proxy_pass http://'
);
my @protocols = grep {
    (
        $t->test_config(
            "server { location / { $pass{$_}127.0.0.1:1; } }",
            module => 0
        )
    )[0] == 0
} sort keys %pass;

# a canary with a second server and one without
my ($upstreams, $locations) = ('', '');
for my $name (@protocols) {
    $upstreams .= <<"CONF";
    upstream new_$name { server 127.0.0.1:%%PORT1%% max_fails=0; keepalive 4; }
    upstream two_$name {
        server 127.0.0.1:%%PORT1%% max_fails=0;
        server 127.0.0.1:%%PORT2%% backup;
        keepalive 4;
    }
    upstream $name {
        server 127.0.0.1:%%PORT3%%;
        keepalive 4;
        canary new_$name 100%;
    }
    upstream retry_$name {
        server 127.0.0.1:%%PORT3%%;
        canary two_$name 100%;
    }
CONF
    for my $split ($name, "retry_$name") {
        $locations .= <<"CONF";
        location /$split/ {
            $pass{$name}$split;
            ${name}_next_upstream error invalid_header http_503
                non_idempotent;
        }
CONF
    }
}
$t->conf(<<"CONF");
    $upstreams
    server {
        listen 127.0.0.1:%%PORT0%%;
        $locations
        location /canary/ { canary_status; }
    }
    server {
        listen 127.0.0.1:%%PORT1%% http2;
        location / { return 200 new; }
        location ~ /503 { return 503; }
        location ~ /444 { return 444; }
    }
    server {
        listen 127.0.0.1:%%PORT2%% http2;
        return 200 second;
    }
    server {
        listen 127.0.0.1:%%PORT3%% http2;
        location / { proxy_pass http://127.0.0.1:%%PORT4%%; }
    }
CONF
$t->http_upstream($t->port(4), body => sub { 'old ' . length $_[0]{body} });
$t->start();

my $one = Canary::Figures::success(1);
my %failed = (
    503 => {requests => 1, errors => 1, '5xx' => 1, timed => 1},
    444 => Canary::Figures::failure(1)
);
for my $name (@protocols) {
    my $f = Canary::Figures->new($t, $name);
    for my $status (sort keys %failed) {
        is($t->get("/$name/")->{body}, 'new', "$name: the canary answers");
        $f->counted("$name: it is kept", "new_$name" => $one);

        my $body = 'x' x 1000;
        is($t->post("/$name/$status", $body)->{body},
            'old 1000', "$name $status: the baseline answers");
        $f->counted("$name $status: a fallback",
            "new_$name" => {%{$failed{$status}}, fallbacks => 1});
    }

    $f = Canary::Figures->new($t, "retry_$name");
    is($t->get("/retry_$name/")->{body}, 'new', "$name: the first server");
    is($t->get("/retry_$name/444")->{body}, 'second', "$name: the second one");
    $f->counted("$name: a success each, one by a retry",
        "two_$name" => {%{Canary::Figures::success(2)}, retries => 1});
}

$t->no_alerts();
done_testing();
