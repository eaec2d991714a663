# A body cut short is an error of the variant, whatever nginx logs: else a
# canary that cuts its answers looks healthy.

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
    upstream zero { server 127.0.0.1:%%PORT2%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary zero 0%;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_http_version 1.1;
        location /buffered/ { proxy_pass http://documents; }
        location /unbuffered/ {
            proxy_pass http://documents;
            proxy_buffering off;
        }
        location /cached/ {
            proxy_pass http://documents;
            proxy_cache cache;
            proxy_cache_valid 1m;
        }
        location /baseline/ { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF

my $broken = sub { $_[0]{uri} =~ m{/\w+/(\w+)} ? $1 : undef };
$t->http_upstream($t->port(1), name => 'new', broken => $broken);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $baseline = Canary::Figures->new($t, 'baseline');
my $cut = {requests => 1, errors => 1, '2xx' => 1, timed => 1};

for my $way (qw(buffered unbuffered cached)) {
    for my $kind (qw(truncate truncate_chunked reset_body bad_chunk)) {
        my $r = $t->get("/$way/$kind");
        ok(!$r->{complete}, "$way, $kind: the client has a part");
        $f->counted('an error of the canary, no fallback', canary => $cut);
    }
}

for my $kind (qw(truncate truncate_chunked reset_body bad_chunk)) {
    ok(!$t->get("/baseline/$kind")->{complete}, "baseline, $kind");
    $baseline->counted('an error of the baseline', baseline => $cut);
}

is($t->get('/baseline/truncate_head')->{status}, 502, 'a header cut short');
$baseline->counted('an error without a status',
    baseline => Canary::Figures::failure(1));

is($t->seen($t->port(2)), 0, 'nothing fell back');
$t->no_alerts();
done_testing();
