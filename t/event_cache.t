# An answer out of nginx's own cache is an event of the variant whose answer it
# is, where the cache's key tells; so a cache's hit rate can be counted.

use strict;
use warnings;

use Test::More;
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF');
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
    map $upstream_cache_status $hit { HIT 1; }
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
        canary_key $arg_u;
        canary_force $arg_force always canary;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200 x; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_cache cache;
        proxy_cache_valid 200 1m;
        add_header X-Cache $upstream_cache_status;
        canary_event all;
        canary_event hit if=$hit;
        location / {
            proxy_pass http://baseline;
            proxy_cache_key "$canary_variant_baseline $uri";
        }
        location /plain {
            proxy_pass http://baseline;
            proxy_cache_key $uri;
        }
        location /canary/ { canary_status; }
    }
CONF
$t->start();

sub counts {
    my $events = $t->status()->{splits}{baseline}{events};
    return [map { $events->{$_}{canary}{total}{count} } qw(all hit)];
}

sub cached {
    my ($path) = @_;
    return $t->get($path)->{header}{'x-cache'};
}

is(cached('/a?u=1'), 'MISS', 'passed on');
is_deeply(counts(), [1, 0], 'counted');
is(cached('/a?u=1'), 'HIT', 'out of the cache') for 1 .. 3;
is_deeply(counts(), [4, 3], 'counted, by the variant in the key');
is(cached('/a?u=1&force=always'), 'HIT', 'forced');
is_deeply(counts(), [4, 3], 'is no event');

is(cached('/plain?u=1'), 'MISS', 'a key without the variant');
is_deeply(counts(), [5, 3], 'what is passed on');
is(cached('/plain?u=1'), 'HIT', 'out of the cache');
is_deeply(counts(), [5, 3], 'is of nobody');

is($t->status()->{splits}{baseline}{variants}{canary}{total}{requests},
    2, 'the requests are those that were passed on');

$t->no_alerts();
done_testing();
