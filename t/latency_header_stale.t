# canary_latency header: a stale response out of the cache has no header of the
# variant, be it that its server refuses, or that there is none to try.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
    upstream canary { server 127.0.0.1:%%PORT1%% fail_timeout=60s; }
    upstream documents {
        server 127.0.0.1:%%PORT1%% fail_timeout=60s;
        server 127.0.0.1:%%PORT2%% fail_timeout=60s;
        canary canary 0%;
        canary_latency header;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        add_header X-Latency "[$canary_latency]";
        proxy_next_upstream error;
        proxy_cache cache;
        proxy_cache_valid 200 1s;
        proxy_cache_use_stale error;
        location / { proxy_pass http://documents; }
        location /canary/ {
            proxy_cache off;
            canary_status;
        }
    }
CONF
$t->http_upstream($t->port($_)) for 1, 2;
$t->start();

my $f = Canary::Figures->new($t, 'documents');

is($t->get('/a')->{status}, 200, 'into the cache');
$f->counted('with its latency', documents => Canary::Figures::success(1));

$t->stop_upstream($t->port($_)) for 1, 2;
sleep 2.1;

sub stale {
    my ($label, %more) = @_;

    my $r = $t->get('/a');
    is($r->{status}, 200, "$label: a stale response");
    is($r->{header}{'x-latency'}, '[]', 'without a latency');
    $f->counted('an error, not timed',
        documents => {requests => 1, none => 1, errors => 1, %more});
    return;
}

stale('both servers refuse', retries => 1);
stale('none is left to try') for 1, 2;

$t->no_alerts();
done_testing();
