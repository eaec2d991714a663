# grpc_pass: a split in front of HTTP/2 servers, with the gRPC status as an
# error.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary {
        server 127.0.0.1:%%PORT1%%;
        keepalive 4;
    }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        keepalive 4;
        canary canary 50%;
        canary_key $arg_user;
        canary_errors 5xx if=$upstream_http_grpc_status;
    }
    upstream down { server 127.0.0.1:%%PORT3%%; }
    upstream lost {
        server 127.0.0.1:%%PORT2%%;
        canary down 100%;
    }
    upstream closes { server 127.0.0.1:%%PORT4%%; }
    upstream broken {
        server 127.0.0.1:%%PORT2%%;
        canary closes 100%;
    }
    map $arg_status $grpc_status { ~^\d+$ $arg_status; }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { grpc_pass documents; }
        location /direct { grpc_pass grpc://$canary_variant_documents; }
        location /lost { grpc_pass lost; }
        location /broken { grpc_pass broken; }
        location /canary/ { canary_status; }
    }
    server {
        listen 127.0.0.1:%%PORT1%% http2;
        add_header X-Upstream new always;
        add_header Grpc-Status $grpc_status always;
        location / { return 200 $request_method; }
        location /500 { return 500; }
    }
    server {
        listen 127.0.0.1:%%PORT2%% http2;
        add_header X-Upstream old always;
        add_header Grpc-Status $grpc_status always;
        location / { return 200 $request_method; }
        location /500 { return 500; }
    }
CONF
$t->http_upstream($t->port(4), broken => 'close');
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $one = Canary::Figures::success(1);

my (%users, $moved);
for my $user (map { "user$_" } 1 .. 20) {
    my $name = $t->get("/?user=$user")->{header}{'x-upstream'} || '';
    push @{$users{$name}}, $user;
    my $r = $t->post("/direct?user=$user", 'x' x 70_000);
    $moved++
        if $r->{header}{'x-upstream'} ne $name || $r->{body} ne 'POST';
}
my ($new, $old) = map { scalar @{$users{$_} || []} } qw(new old);
is($new + $old, 20, 'every user has an answer');
ok($new && $old, 'both variants have users') or diag("$new $old");
is($moved, undef, 'by the variable, and with a body, the same');
$f->counted(
    'each is counted once',
    canary => Canary::Figures::success(2 * $new),
    documents => Canary::Figures::success(2 * $old)
);

my ($in, $out) = ("user=$users{new}[0]", "user=$users{old}[0]");
$t->get("/?$in&status=0");
$f->counted('gRPC status 0 is none', canary => $one);
$t->get("/?$in&status=14");
$f->counted('gRPC status 14 is an error', canary => {%$one, errors => 1});
$t->get("/?$out&status=2");
$f->counted('of the baseline too', documents => {%$one, errors => 1});
is($t->get("/500?$in")->{status}, 500, 'an HTTP error');
$f->counted('counts as before',
    canary => {requests => 1, errors => 1, '5xx' => 1, timed => 1});

my $failure = {%{Canary::Figures::failure(1)}, fallbacks => 1};
my $lost = Canary::Figures->new($t, 'lost');
is($t->get('/lost')->{header}{'x-upstream'}, 'old', 'down: falls back');
$lost->counted('on its account', down => $failure);

my $broken = Canary::Figures->new($t, 'broken');
is($t->get('/broken')->{header}{'x-upstream'}, 'old', 'closes: falls back');
$broken->counted('on its account', closes => $failure);

$t->no_alerts();
done_testing();
