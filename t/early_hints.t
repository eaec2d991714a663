# Early hints: the final response alone is counted, over each protocol.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
my ($status) = $t->test_config('early_hints 1;');
plan skip_all => 'this nginx takes 103 for the answer' if $status;

($status) = $t->test_config('proxy_http_version 2;');
my $version = $status ? '1.1' : '2';

$t->conf(<<"CONF");
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;

    upstream hints { server 127.0.0.1:%%PORT1%%; }
    upstream off {
        server 127.0.0.1:%%PORT2%%;
        canary hints 100%;
        canary_fallback off;
    }
    upstream on { server 127.0.0.1:%%PORT2%%; canary hints 100%; }

    upstream http2 { server 127.0.0.1:%%PORT3%%; }
    upstream over { server 127.0.0.1:%%PORT4%%; canary http2 100%; }

    upstream none { server 127.0.0.1:%%PORT1%%; }
    upstream stale { server 127.0.0.1:%%PORT1%%; canary none 0%; }

    server {
        listen 127.0.0.1:%%PORT0%%;
        early_hints 1;
        proxy_http_version 1.1;
        proxy_next_upstream error http_502;
        location /off { proxy_pass http://off; }
        location /on { proxy_pass http://on; }
        location /over/proxy {
            proxy_http_version $version;
            proxy_pass http://over;
        }
        location /over/grpc {
            grpc_next_upstream error http_502;
            grpc_pass over;
        }
        location /stale {
            proxy_pass http://stale;
            proxy_next_upstream error;
            proxy_cache cache;
            proxy_cache_key \$uri;
            proxy_cache_valid 200 1s;
            proxy_cache_use_stale http_502;
            proxy_cache_revalidate on;
            add_header X-Cache \$upstream_cache_status;
        }
        location /canary/ { canary_status; }
    }
    server {
        listen 127.0.0.1:%%PORT3%%;
        http2 on;
        early_hints 1;
        location / {
            proxy_http_version 1.1;
            proxy_pass http://127.0.0.1:%%PORT1%%;
        }
    }
    server {
        listen 127.0.0.1:%%PORT4%%;
        http2 on;
        return 200 old;
    }
CONF

# two early hints, then the status at the end of the path
$t->upstream(
    $t->port(1),
    sub {
        my ($socket, $request) = @_;

        my ($what, $first) = $request->{uri} =~ m{/(\w+)(\?first)?$};
        $what = 200 if $first;
        syswrite $socket, "HTTP/1.1 103 Early Hints\r\nLink: </$_>\r\n\r\n"
            for 1, 2;
        return 0 if $what eq 'close';

        my $body = $what == 304 ? '' : 'new';
        syswrite $socket,
              "HTTP/1.1 $what Any\r\nConnection: close\r\nETag: \"1\"\r\n"
            . 'Content-Length: '
            . length($body)
            . "\r\n\r\n$body";
        return 0;
    }
);
$t->http_upstream($t->port(2), body => 'old');
$t->start();


my %f = map { $_ => Canary::Figures->new($t, $_) } qw(off on over stale);


# asks, and compares status, body and what the canary has counted
sub counted {
    my ($split, $uri, $status, $figures) = @_;

    my $answer = $t->get($uri);
    is($answer->{status}, $status, "$uri: $status");
    is($answer->{interim}, 2, "$uri: the hints are passed on");
    $f{$split}->counted("$uri: the final response", %$figures);
    return $answer;
}

for my $uri ('/off', $version == 2 ? '/over/proxy' : (), '/over/grpc') {
    my ($split, $canary) = $uri eq '/off' ? qw(off hints) : qw(over http2);
    counted($split, "$uri/200", 200,
        {$canary => {requests => 1, '2xx' => 1, timed => 1}});
    counted($split, "$uri/404", 404,
        {$canary => {requests => 1, '4xx' => 1, timed => 1}});
    counted($split, "$uri/500", 500,
        {$canary => {requests => 1, errors => 1, '5xx' => 1, timed => 1}});
}
counted('off', '/off/502', 502,
    {hints => {requests => 1, errors => 1, '5xx' => 1, timed => 1}});
counted('off', '/off/close', 502,
    {hints => {requests => 1, errors => 1, none => 1, timed => 1}});

# the fallback's own answer has no hints
my %lost = (requests => 1, errors => 1, fallbacks => 1, timed => 1);
my $answer =
    counted('on', '/on/502', 200, {hints => {%lost, '5xx' => 1}});
is($answer->{body}, 'old', '502 after hints: the baseline answers');
$answer = counted('on', '/on/close', 200, {hints => {%lost, none => 1}});
is($answer->{body}, 'old', 'a close after hints: the baseline answers');
$answer =
    counted('over', '/over/grpc/502', 200, {http2 => {%lost, '5xx' => 1}});
is($answer->{body}, 'old', 'gRPC: the baseline answers');

# a response out of the cache hides the one behind the hints
for my $case ([502, 'STALE', 'errors', '5xx'], [304, 'REVALIDATED', '3xx']) {
    my ($code, $cache, @counted) = @$case;
    $t->get("/stale/$code?first");
    $f{stale}->counted("$code: put into the cache",
        stale => Canary::Figures::success(1));
    $t->wait_for(
        sub {
            $answer = $t->get("/stale/$code");
            $answer->{header}{'x-cache'} ne 'HIT';
        }
    );
    is(
        "$answer->{status} $answer->{header}{'x-cache'}",
        "200 $cache",
        "$code after hints: out of the cache"
    );
    $f{stale}->counted("$cache: the upstream's own response",
        stale => {requests => 1, timed => 1, map { $_ => 1 } @counted});
}

$t->no_alerts();
done_testing();
