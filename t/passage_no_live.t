# No server to try: nginx asks for a peer, gets none and frees none.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%% down; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
    }

    upstream canary_alone { server 127.0.0.1:%%PORT1%% down; }
    upstream alone {
        server 127.0.0.1:%%PORT2%%;
        canary canary_alone 100%;
        canary_fallback off;
    }

    upstream canary_full { server 127.0.0.1:%%PORT1%% max_conns=1; }
    upstream full {
        server 127.0.0.1:%%PORT2%%;
        canary canary_full 100%;
    }

    upstream canary_dead { server 127.0.0.1:%%PORT1%% down; }
    upstream dead {
        server 127.0.0.1:%%PORT2%% down;
        canary canary_dead 100%;
        canary_key $http_x_user;
    }

    upstream zero { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%% down;
        canary zero 0%;
    }

    add_header X-Fallback "[$canary_fallback]" always;

    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://documents; }
        location /off {
            proxy_pass http://documents;
            proxy_next_upstream off;
        }
        location /alone { proxy_pass http://alone; }
        location /full { proxy_pass http://full; }
        location /dead { proxy_pass http://dead; }
        location /baseline { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream(
    $t->port(1),
    name => 'new',
    broken => sub { $_[0]{uri} =~ /hang/ ? 'hang' : undef }
);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my $fell_back = {requests => 1, errors => 1, fallbacks => 1, none => 1};
my $failed = {requests => 1, errors => 1, none => 1};

my $f = Canary::Figures->new($t, 'documents');
my $r = $t->get('/');
is($r->{header}{'x-upstream'}, 'old', 'no live server: the baseline answers');
is($r->{header}{'x-fallback'}, '[1]', 'a fallback');
$f->counted('an error and a fallback, not timed', canary => $fell_back);

$r = $t->post('/', 'body');
is($r->{header}{'x-upstream'}, 'old', 'a POST that no one saw falls back too');
$f->counted('an error and a fallback, not timed', canary => $fell_back);

is($t->get('/off')->{status}, 502, 'not with proxy_next_upstream off');
$f->counted('an error, not timed', canary => $failed);

$f = Canary::Figures->new($t, 'alone');
is($t->get('/alone')->{status}, 502, 'no live server, no fallback');
$f->counted('an error, not timed', canary_alone => $failed);

$f = Canary::Figures->new($t, 'dead');
is($t->get('/dead', 'X-User', 'a')->{status}, 502, 'nor in the baseline');
$f->counted('the canary fell back', canary_dead => $fell_back);
is($t->get('/dead')->{status}, 502, 'the baseline alone, without a key');
$f->counted('only unkeyed', unkeyed => 1);

$f = Canary::Figures->new($t, 'baseline');
is($t->get('/baseline')->{status}, 502, 'no live server of the baseline');
$f->counted('an error of the baseline, not timed', baseline => $failed);

$f = Canary::Figures->new($t, 'full');
my $busy = $t->client();
$busy->send("GET /full/hang HTTP/1.1\r\nHost: a\r\n\r\n");
$t->wait_for(sub { $t->seen($t->port(1), qr/hang/) });
$r = $t->get('/full');
is($r->{header}{'x-upstream'}, 'old', 'max_conns reached: the baseline');
$f->counted('an error and a fallback, not timed', canary_full => $fell_back);
$busy->close();
$f->counted('the client of the first left',
    canary_full => {requests => 1, none => 1, aborted => 1});
is($t->get('/full')->{header}{'x-upstream'}, 'new', 'room again');
$f->counted('a success', canary_full => Canary::Figures::success(1));

$t->no_alerts();
done_testing();
