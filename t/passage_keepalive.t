# Connections to a variant are kept; one that went stale costs no try.

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
        canary canary 100%;
        canary_key $http_x_user;
        keepalive 4;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location / { proxy_pass http://documents; }
        location /once {
            proxy_pass http://documents;
            proxy_next_upstream_tries 1;
        }
        location /twice {
            proxy_pass http://documents;
            proxy_next_upstream error http_500;
            proxy_next_upstream_tries 2;
        }
        location /alone { proxy_pass http://alone; }
        location /canary/ { canary_status; }
    }

    upstream only { server 127.0.0.1:%%PORT1%%; keepalive 4; }
    upstream alone {
        server 127.0.0.1:%%PORT2%%;
        canary only 100%;
        canary_fallback off;
    }
CONF

# a process for each connection: its number tells which one answered
my $served = 0;
my %opts = (headers => sub { {'X-Connection' => $$} });
$t->http_upstream(
    $t->port(1),
    name => 'new',
    broken => sub { $served++ && $_[0]{uri} =~ /stale/ ? 'close' : undef },
    status => sub { $_[0]{uri} =~ /fails/ ? 500 : 200 },
    %opts
);
$t->http_upstream($t->port(2), name => 'old', %opts);
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $one = Canary::Figures::success(1);
my @user = ('X-User', 'a');

my %connections =
    map { ($t->get('/', @user)->{header}{'x-connection'} => 1) } 1 .. 5;
is(keys %connections, 1, 'five requests on one connection to the canary');
$f->counted('five successes', canary => Canary::Figures::success(5));

my %old = map { ($t->get('/')->{header}{'x-connection'} => 1) } 1 .. 5;
is(keys %old, 1, 'five requests on one connection to the baseline');
$f->counted('unkeyed', unkeyed => 5);

for my $path (qw(/stale /once/stale)) {
    $t->get('/', @user);
    $f->counted('a connection is kept', canary => $one);

    my $r = $t->get($path, @user);
    is($r->{header}{'x-upstream'}, 'new', 'stale: the canary is tried again');
    ok(!$connections{$r->{header}{'x-connection'}}, 'on a new connection');
    is($t->seen($t->port(1), qr/^$path/), 2, 'it saw it twice');
    is($t->seen($t->port(2), qr/stale/), 0, 'the baseline never');
    $f->counted('one success', canary => $one);
}

# the second of two tries is the baseline's

$t->get('/', @user);
$f->counted('a connection is kept', canary => $one);
my $r = $t->get('/twice/stale/fails', @user);
is($r->{header}{'x-upstream'}, 'old', 'stale, then failed: the baseline');
is($t->seen($t->port(1), qr{^/twice}), 2, 'the canary saw it twice');
$f->counted(
    'an error and a fallback',
    canary => {
        requests => 1,
        errors => 1,
        fallbacks => 1,
        '5xx' => 1,
        timed => 1
    }
);
$t->get('/', @user);
$f->counted('a connection is kept', canary => $one);

is($t->post('/stale', 'body', @user)->{status},
    502, 'a POST on a stale connection is not repeated');
is($t->seen($t->port(2), qr{^/stale}), 0, 'by the baseline neither');
$f->counted('an error, no fallback', canary => Canary::Figures::failure(1));

# a variant that nothing stands behind: no retry is counted either
my $alone = Canary::Figures->new($t, 'alone');
$t->get('/alone');
is($t->get('/alone/stale')->{header}{'x-upstream'},
    'new', 'without a fallback: tried again');
is($t->seen($t->port(1), qr{^/alone/stale}), 2, 'it saw it twice');
$alone->counted('two successes', only => Canary::Figures::success(2));

$t->no_alerts();
done_testing();
