# A cache in front of a split: only what is passed on is counted, and by what
# the upstream answered, not by what the cache served instead.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
    }
    upstream canary_down { server 127.0.0.1:%%PORT1%%; }
    upstream down {
        server 127.0.0.1:%%PORT2%%;
        canary canary_down 100%;
        canary_fallback off;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_cache cache;
        proxy_cache_key $uri;
        proxy_cache_valid 200 1s;
        add_header X-Cache $upstream_cache_status always;
        add_header X-Variant "[$canary_variant]" always;
        add_header X-Latency "[$canary_latency]" always;
        location / { proxy_pass http://documents; }
        location /stale {
            proxy_pass http://documents;
            proxy_cache_use_stale http_500;
        }
        location /lost {
            proxy_pass http://down;
            proxy_cache_use_stale error;
        }
        location /background {
            proxy_pass http://documents;
            proxy_cache_use_stale updating;
            proxy_cache_background_update on;
        }
        location /revalidate {
            proxy_pass http://documents;
            proxy_cache_revalidate on;
        }
        location /truncate { proxy_pass http://documents; }
        location /canary/ {
            proxy_cache off;
            canary_status;
        }
    }
CONF

$t->http_upstream(
    $t->port(1),
    name => 'new',
    close => 1,
    status => sub {
        return 304 if $_[0]{headers}{'if-none-match'};
        return 500
            if $_[0]{uri} =~ /stale/ && $_[0]{n} > 2;
        return 200;
    },
    headers => sub { {ETag => '"a"'} },
    broken => sub {
        return 'truncate' if $_[0]{uri} =~ /truncate/;
        return 'close' if $_[0]{uri} =~ /lost/ && $_[0]{n} > 3;
        return;
    }
);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $down = Canary::Figures->new($t, 'down');
my $one = Canary::Figures::success(1);

is($t->get('/hit')->{header}{'x-cache'}, 'MISS', 'a miss');
$f->counted('a miss is counted', canary => $one);
my $r = $t->get('/hit');
is($r->{header}{'x-cache'}, 'HIT', 'a hit');
is($r->{header}{'x-latency'}, '[]', 'a hit has no latency');
$f->nothing('a hit is not counted');

# the cache's clock has a resolution of a second
sub expired {
    my ($path, $state) = @_;

    return $t->wait_for(
        sub {
            my $response = $t->get($path);
            return $response->{header}{'x-cache'} eq $state && $response;
        }
    );
}

is($t->get('/stale')->{header}{'x-cache'}, 'MISS', 'a second page');
$f->counted('a miss is counted', canary => $one);

is($t->get('/lost')->{header}{'x-cache'}, 'MISS', 'a third page');
$down->counted('a miss is counted', canary_down => $one);

$r = expired('/stale', 'STALE');
is($r->{status}, 200, 'stale: the client sees a success');
is($r->{body}, "new\n", 'of the old page');
$f->counted('the canary is charged for its 500',
    canary => {requests => 1, errors => 1, '5xx' => 1, timed => 1});

$r = expired('/lost', 'STALE');
is($r->{status}, 200, 'stale after a lost connection');
$down->counted('the canary is charged for it',
    canary_down => Canary::Figures::failure(1));

is($t->get('/background')->{header}{'x-cache'}, 'MISS', 'a page');
$f->counted('a miss is counted', canary => $one);
ok(expired('/background', 'STALE'), 'stale, updated in the background');
$f->counted('the background update is counted once',
    canary => {requests => 1, '3xx' => 0, '2xx' => 1, timed => 1});

is($t->get('/revalidate')->{header}{'x-cache'}, 'MISS', 'a page');
$f->counted('a miss is counted', canary => $one);
ok(expired('/revalidate', 'REVALIDATED'), 'revalidated');
$f->counted('a revalidation is counted by its 304',
    canary => {requests => 1, '3xx' => 1, timed => 1});

$r = $t->get('/truncate');
ok(!$r->{complete}, 'a body cut short on its way into the cache');
$f->counted('is an error',
    canary => {requests => 1, errors => 1, '2xx' => 1, timed => 1});

is($t->seen($t->port(2)), 0, 'the baseline saw nothing');
$t->no_alerts();
done_testing();
