# nginx that keeps connections by itself, since 1.29.7: a kept one that went
# stale costs no try, of the canary nor of the baseline that takes over.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
plan(skip_all => 'this nginx keeps no connections by itself')
    if (
    $t->test_config(
        'upstream u { server 127.0.0.1:1; keepalive 4 local; }',
        module => 0
    )
    )[0];

$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%% max_fails=0; }
    upstream documents {
        server 127.0.0.1:%%PORT2%% max_fails=0;
        canary canary 100%;
        canary_key $http_x_user;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_next_upstream_tries 2;
        location / { proxy_pass http://documents; }
        location /canary/ { canary_status; }
    }
CONF

# a process for each connection; the one that answered before closes on "stale",
# and any on "lost"
my %opts = (headers => sub { {'X-Connection' => $$} });
for my $server ([1, 'new'], [2, 'old']) {
    my ($port, $name) = @$server;
    my $served = 0;
    $t->http_upstream(
        $t->port($port),
        name => $name,
        broken => sub {
            my $uri = $_[0]{uri};
            return 'close' if $uri =~ /$name-lost/;
            return $served++ && $uri =~ /$name-stale/ ? 'close' : undef;
        },
        %opts
    );
}
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $one = Canary::Figures::success(1);
my $failed = {%{Canary::Figures::failure(1)}, fallbacks => 1};
my @user = ('X-User', 'a');

for my $variant (['new', @user], ['old']) {
    my ($name, @headers) = @$variant;
    my %connections =
        map { ($t->get('/', @headers)->{header}{'x-connection'} => 1) } 1 .. 5;
    is(keys %connections, 1, "$name: five requests on one connection");
}
$f->counted('counted', canary => Canary::Figures::success(5), unkeyed => 5);

tried('/new-stale', 2, 0, 'new', 'the canary is tried again');
$f->counted('a success of the canary', canary => $one);

keep();
tried('/new-stale/new-lost', 2, 1, 'old',
    'a stale one, a new one, the baseline');
$f->counted('a failure of the canary', canary => $failed);

keep();
tried('/new-lost/old-stale', 2, 2, 'old', 'both had stale ones');
$f->counted('a failure of the canary', canary => $failed);

keep();
tried('/new-lost/old-lost', 2, 2, undef, 'neither answers');
$f->counted('a failure of the canary', canary => $failed);

keep();
is($t->get('/old-stale')->{header}{'x-upstream'},
    'old', 'the baseline is tried again');
is($t->seen($t->port(2), qr{^/old-stale$}), 2, 'it saw it twice');
$f->counted('no request of a variant', unkeyed => 1);

$t->no_alerts();
done_testing();


# a connection to either server is kept
sub keep {
    $t->get('/', @user);
    $t->get('/');
    $f->counted('connections are kept', canary => $one, unkeyed => 1);
    return;
}


# who answers, and how often either server saw it
sub tried {
    my ($uri, $new, $old, $by, $label) = @_;

    my $r = $t->get($uri, @user);
    is($r->{status}, $by ? 200 : 502, $label);
    is($r->{header}{'x-upstream'}, $by, "$uri: who answers");
    is($t->seen($t->port(1), qr/^$uri$/), $new, "$uri: tries of the canary");
    is($t->seen($t->port(2), qr/^$uri$/), $old, "$uri: tries of the baseline");

    return;
}
