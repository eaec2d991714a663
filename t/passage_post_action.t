# post_action: nginx logs one request with the other location's name; each
# passage is counted on its own split, once.

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
    upstream second_canary { server 127.0.0.1:%%PORT3%%; }
    upstream second {
        server 127.0.0.1:%%PORT2%%;
        canary second_canary 100%;
    }
    upstream plain { server 127.0.0.1:%%PORT2%%; }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://documents;
            post_action @second;
        }
        location /plain {
            proxy_pass http://documents;
            post_action @plain;
        }
        location @second { proxy_pass http://second; }
        location @plain { proxy_pass http://plain; }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream(
    $t->port(1),
    name => 'new',
    status => sub { $_[0]{uri} =~ /500/ ? 500 : 200 }
);
$t->http_upstream($t->port(2), name => 'old');
$t->http_upstream($t->port(3), name => 'second');
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $second = Canary::Figures->new($t, 'second');
my $one = Canary::Figures::success(1);

is($t->get('/plain')->{header}{'x-upstream'}, 'new', 'post_action');
$f->counted('the passage, once', canary => $one);
ok($t->wait_for(sub { $t->seen($t->port(2)) == 1 }),
    'the action was passed on');

is($t->get('/')->{header}{'x-upstream'}, 'new', 'post_action into a split');
$f->counted('the passage, once', canary => $one);
$second->counted('that of the action, on the other split',
    second_canary => $one);

is($t->get('/500')->{status}, 500, 'an error before a post_action');
$f->counted('an error, once',
    canary => {requests => 1, errors => 1, '5xx' => 1, timed => 1});
$second->counted('and a success of the action', second_canary => $one);

$f->nothing('no more in the first');
$second->nothing('no more in the second');
$t->no_alerts();
done_testing();
