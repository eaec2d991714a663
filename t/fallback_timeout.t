# A canary that does not answer in time: the baseline does, within the limits
# that nginx has for all tries together.

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
    }
    add_header X-Fallback "[$canary_fallback]" always;
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_read_timeout 300ms;
        location / { proxy_pass http://documents; }
        location /limited {
            proxy_pass http://documents;
            proxy_next_upstream_timeout 100ms;
        }
        location /error {
            proxy_pass http://documents;
            proxy_next_upstream error;
        }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream($t->port(1), name => 'new', broken => 'hang');
$t->http_upstream($t->port(2), name => 'old', delay => 0.1);
$t->start();

my $f = Canary::Figures->new($t, 'documents');

my $r = $t->get('/');
is($r->{header}{'x-upstream'}, 'old', 'the baseline answers');
is($r->{header}{'x-fallback'}, '[1]', 'a fallback');
$f->counted(
    'an error and a fallback of the canary',
    canary => {
        requests => 1,
        errors => 1,
        fallbacks => 1,
        none => 1,
        timed => 1
    }
);

my $latency = $f->latency('canary');
cmp_ok($latency->{max}, '>=', 0.29, 'timed until the attempt failed');
cmp_ok($latency->{max}, '<', 0.39, 'without the time of the baseline')
    if $t->slow() == 1;

is($t->get('/limited')->{status},
    504, 'no fallback beyond proxy_next_upstream_timeout');
$f->counted('an error alone', canary => Canary::Figures::failure(1));

is($t->get('/error')->{status},
    504, 'no fallback if proxy_next_upstream does not say timeout');
$f->counted('an error alone', canary => Canary::Figures::failure(1));

is($t->seen($t->port(2)), 1, 'the baseline saw one request');
$t->no_alerts();
done_testing();
