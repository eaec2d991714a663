# proxy_next_upstream inside a variant: one request and one retry, however many
# tries.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary {
        server 127.0.0.1:%%PORT1%% max_fails=0;
        server 127.0.0.1:%%PORT2%% backup;
    }
    upstream documents {
        server 127.0.0.1:%%PORT3%% max_fails=0;
        server 127.0.0.1:%%PORT4%% backup;
        canary canary 100%;
        canary_key $http_x_user;
    }

    upstream canary_alone {
        server 127.0.0.1:%%PORT1%% max_fails=0;
        server 127.0.0.1:%%PORT2%% backup;
    }
    upstream alone {
        server 127.0.0.1:%%PORT3%%;
        canary canary_alone 100%;
        canary_fallback off;
    }

    upstream zero { server 127.0.0.1:%%PORT5%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%% max_fails=0;
        server 127.0.0.1:%%PORT2%% backup;
        canary zero 0%;
    }

    proxy_next_upstream error timeout http_500;
    add_header X-Variant $canary_variant always;
    add_header X-Fallback "[$canary_fallback]" always;

    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://documents; }
        location /alone/ { proxy_pass http://alone; }
        location /baseline/ { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF

my $both = qr{/both};
$t->http_upstream(
    $t->port(1),
    name => 'first',
    status => 500,
    delay => 0.3,
    broken => sub { $_[0]{uri} =~ m{/close} ? 'close' : undef }
);
$t->http_upstream(
    $t->port(2),
    name => 'second',
    status => sub { $_[0]{uri} =~ $both ? 500 : 200 }
);
$t->http_upstream($t->port(3), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $alone = Canary::Figures->new($t, 'alone');
my $baseline = Canary::Figures->new($t, 'baseline');
my $one = {%{Canary::Figures::success(1)}, retries => 1};
my $error = {%$one, errors => 1, '5xx' => 1, '2xx' => 0};
my @user = ('X-User', 'a');

my $r = $t->get('/a', @user);
is($r->{header}{'x-upstream'}, 'second', 'the second server answers');
is($t->seen($t->port(1)), 1, 'the first was tried');
is($r->{header}{'x-fallback'}, '[]', 'no fallback');
$f->counted('a status, then a success: one success', canary => $one);
cmp_ok($f->latency('canary')->{min},
    '>=', 0.29, 'the latency is that of both tries');

$r = $t->get('/close', @user);
is($r->{header}{'x-upstream'}, 'second', 'the second server answers');
$f->counted('a lost connection, then a success: one success', canary => $one);

$r = $t->get('/both', @user);
is($r->{header}{'x-upstream'}, 'old', 'the baseline answers');
is($r->{header}{'x-variant'}, 'canary', 'the variant stays the canary');
is($r->{header}{'x-fallback'}, '[1]', 'a fallback');
is($t->seen($t->port(1), $both), 1, 'the first was tried once');
is($t->seen($t->port(2), $both), 1, 'the second was tried once');
$f->counted(
    'both fail: one error, one fallback',
    canary => {%$error, fallbacks => 1}
);

is($t->get('/alone/both')->{status}, 500, 'without a fallback');
$alone->counted('one error, no fallback', canary_alone => $error);

is($t->get('/alone/a')->{status}, 200, 'tried again without a fallback');
$alone->counted('a success', canary_alone => $one);

is($t->get('/baseline/a')->{status}, 200, 'tried again in the baseline');
$baseline->counted('a success of the baseline', baseline => $one);

is($t->get('/baseline/both')->{status}, 500, 'the whole baseline fails');
$baseline->counted('an error of the baseline', baseline => $error);

is($t->get('/b')->{status}, 200, 'the baseline of a canaried upstream');
$f->counted('without a key', unkeyed => 1);

$t->no_alerts();
done_testing();
