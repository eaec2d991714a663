# An upstream that does not answer in time.

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
        canary_fallback off;
    }
    upstream zero { server 127.0.0.1:%%PORT2%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary zero 0%;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_read_timeout 300ms;
        location / { proxy_pass http://documents; }
        location /unbuffered/ {
            proxy_pass http://documents;
            proxy_buffering off;
        }
        location /baseline/ { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream(
    $t->port(1),
    name => 'new',
    broken => sub { $_[0]{uri} =~ m{/(hang\w*)$} ? $1 : undef }
);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $baseline = Canary::Figures->new($t, 'baseline');
my $cut = {requests => 1, errors => 1, '2xx' => 1, timed => 1};

is($t->get('/hang')->{status}, 504, 'no answer');
$f->counted(
    'an error without a status, timed',
    canary => Canary::Figures::failure(1)
);

my $latency = $f->latency('canary');
cmp_ok($latency->{min}, '>=', 0.29, 'with the time until nginx gave up');
cmp_ok($latency->{max}, '<', 5 * $t->slow(), 'and no more');

is($t->get('/baseline/hang')->{status}, 504, 'of the baseline');
$baseline->counted(
    'an error without a status, timed',
    baseline => Canary::Figures::failure(1)
);

for my $path (qw(/hang_body /unbuffered/hang_body)) {
    my $r = $t->get($path);
    is($r->{status}, 200, "a body that stops: $path");
    ok(!$r->{complete}, 'is cut short');
    $f->counted('an error, of the class of its status', canary => $cut);
}
cmp_ok($f->latency('canary')->{min}, '>=', 0.29, 'timed until the end');

$t->no_alerts();
done_testing();
