# HTTP/2 to the servers of either variant: connections that are kept, GOAWAY,
# streams that are reset or cut short, and fallback.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
plan(skip_all => 'this nginx has no HTTP/2 to upstream servers')
    if (
    $t->test_config(
        'server { location / { proxy_http_version 2;'
            . ' proxy_pass http://127.0.0.1:1; } }',
        module => 0
    )
    )[0];

# servers that speak frames: what they answer stream 1 with
my %frames = (
    goaway => [frame(7, 0, 0, pack 'N2', 0, 0)],
    refused => [frame(3, 0, 1, pack 'N', 7)],
    reset => [frame(3, 0, 1, pack 'N', 2)],
    cut => [
        frame(1, 4, 1, "\x88"),
        frame(0, 0, 1, 'part'),
        frame(3, 0, 1, pack 'N', 2)
    ],
);
my @broken = sort keys %frames;
my %port = map { ($broken[$_] => 3 + $_) } 0 .. $#broken;

my ($upstreams, $locations) = ('', '');
for my $name (@broken, 'down') {
    my $port = $port{$name} || 9;
    $upstreams .= <<"CONF";
    upstream new_$name { server 127.0.0.1:%%PORT$port%%; }
    upstream $name {
        server 127.0.0.1:%%PORT2%%;
        keepalive 4;
        canary new_$name 100%;
    }
CONF
    $locations .= "location /$name { proxy_pass http://$name; }\n";
}
my $server = <<'CONF';
        add_header X-Connection $connection;
        client_max_body_size 1m;
        location / { return 200 $server_port; }
        location /404 { return 404 no; }
        location /body { proxy_pass http://127.0.0.1:%%PORT8%%; }
CONF
$t->conf(<<"CONF");
    $upstreams
    upstream canary {
        server 127.0.0.1:%%PORT1%%;
        keepalive 4;
    }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        keepalive 4;
        canary canary 50%;
        canary_key \$arg_user;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        keepalive_requests 10000;
        proxy_http_version 2;
        proxy_next_upstream error timeout invalid_header http_503;
        add_header X-Variant \$canary_variant always;
        add_header X-Fallback "[\$canary_fallback]" always;
        location / { proxy_pass http://documents; }
        $locations
        location /canary/ { canary_status; }
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        http2 on;
        keepalive_requests 7;
        location /500 { return 500 error; }
        location /503 { return 503 error; }
        location /444 { return 444; }
        $server
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        http2 on;
        keepalive_requests 7;
        $server
    }
CONF
$t->http_upstream($t->port(8), body => sub { length $_[0]{body} });
for my $name (@broken) {
    my $answer = join '', frame(4, 0, 0, ''), @{$frames{$name}};
    $t->upstream(
        $t->port($port{$name}),
        sub {
            my ($socket) = @_;
            syswrite $socket, $answer;
            1 while sysread $socket, my $bytes, 65_536;
            return 0;
        }
    );
}
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $client = $t->client();
my %port_of = (canary => $t->port(1), documents => $t->port(2));

# 7 requests a connection, then GOAWAY
my (%count, %user, %wrong, %connections);
for my $user (1 .. 40) {
    my $r = $client->get("/?user=u$user");
    my $variant = $r->{header}{'x-variant'};
    $wrong{"$r->{status} $r->{body}"}++
        if $r->{status} != 200 || $r->{body} ne $port_of{$variant};
    $count{$variant}++;
    $connections{$variant}{$r->{header}{'x-connection'}} = 1;
    $user{$variant} = "user=u$user";
}
is_deeply(\%wrong, {}, 'each answer is that of its variant');
for my $variant (sort keys %port_of) {
    is(
        scalar keys %{$connections{$variant}},
        int(($count{$variant} + 6) / 7),
        "$variant: connections are kept until they are said to end"
    );
}
$f->counted('counted',
    map { $_ => Canary::Figures::success($count{$_}) } keys %count);

my $new = $user{canary};
my $one = Canary::Figures::success(1);
is($client->head("/?$new")->{status}, 200, 'HEAD');
is($client->post("/body?$new", 'x' x 300_000)->{body}, 300_000, 'POST');
$f->counted('counted', canary => Canary::Figures::success(2));

is($client->get("/404?$user{documents}")->{status}, 404, 'status 404');
$f->counted('is no error',
    documents => {requests => 1, '4xx' => 1, timed => 1});
is($client->get("/500?$new")->{status}, 500, 'status 500');
my $five = {requests => 1, errors => 1, '5xx' => 1, timed => 1};
$f->counted('is one', canary => $five);

by_the_baseline($client->get("/503?$new"), '503');
$f->counted('a fallback', canary => {%$five, fallbacks => 1});
my $failed = {%{Canary::Figures::failure(1)}, fallbacks => 1};
by_the_baseline($client->get("/444?$new"), 'no answer');
$f->counted('a fallback', canary => $failed);
is($client->get("/?$new")->{body}, $port_of{canary}, 'and on as before');
$f->counted('counted', canary => $one);

for my $name (qw(down goaway refused reset)) {
    my $figures = Canary::Figures->new($t, $name);
    by_the_baseline($client->get("/$name"), $name) for 1 .. 2;
    $figures->counted("$name: fallbacks",
        "new_$name" => {%{Canary::Figures::failure(2)}, fallbacks => 2});
}

my $figures = Canary::Figures->new($t, 'cut');
ok(!$t->get('/cut')->{complete}, 'a stream that is reset in its body');
$figures->counted('an error of the canary',
    new_cut => {requests => 1, errors => 1, '2xx' => 1, timed => 1});

$t->no_alerts();
done_testing();


sub by_the_baseline {
    my ($response, $label) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(
        "$response->{status} $response->{body}"
            . " $response->{header}{'x-fallback'}",
        "200 $port_of{documents} [1]",
        "$label: the baseline answers"
    );
    return;
}


# RFC 9113, 4.1
sub frame {
    my ($type, $flags, $stream, $payload) = @_;

    my $head = pack 'N C2 N', length $payload, $type, $flags, $stream;
    return substr($head, 1) . $payload;
}
