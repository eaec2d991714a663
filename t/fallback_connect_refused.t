# A canary that nobody listens for: the baseline answers, and the failure
# stays on the canary's account.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary {
        server 127.0.0.1:%%PORT1%% max_fails=0;
        server 127.0.0.1:%%PORT5%% max_fails=0;
    }
    upstream documents {
        server 127.0.0.1:%%PORT3%% max_fails=0;
        server 127.0.0.1:%%PORT2%% backup;
        canary canary 100%;
    }

    upstream canary_dead { server 127.0.0.1:%%PORT1%%; }
    upstream dead {
        server 127.0.0.1:%%PORT3%%;
        canary canary_dead 100%;
    }

    log_format seen "$uri $canary_variant $canary_fallback $upstream_status";
    access_log %%DIR%%/access.log seen;
    add_header X-Variant "[$canary_variant]" always;
    add_header X-Fallback "[$canary_fallback]" always;

    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://documents; }
        location /dead { proxy_pass http://dead; }
        location /canary/ {
            access_log off;
            canary_status;
        }
    }
CONF
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $dead = Canary::Figures->new($t, 'dead');
my $fell_back = {%{Canary::Figures::failure(1)}, fallbacks => 1};
my $tried_both = {%$fell_back, retries => 1};

for my $method (qw(get head)) {
    my $r = $t->$method("/$method");
    is($r->{header}{'x-upstream'}, 'old', "$method: the baseline answers");
    is($r->{header}{'x-fallback'}, '[1]', 'a fallback');
    is($r->{header}{'x-variant'}, '[canary]', 'the variant stays the canary');
    $f->counted('once, on the canary alone', canary => $tried_both);
}

# not sent yet, so a POST may be tried elsewhere
my $r = $t->post('/post', 'a body');
is($r->{header}{'x-upstream'}, 'old', 'the baseline answers a POST');
$f->counted('once, on the canary alone', canary => $tried_both);
my ($request) = grep { $_->{method} eq 'POST' } $t->requests($t->port(2));
is($request->{body}, 'a body', 'with its body');

is($t->get('/dead')->{status}, 502, 'the baseline fails as well');
$dead->counted('an error of the canary, none of the baseline',
    canary_dead => $fell_back);

ok($t->wait_for(sub { $t->read('access.log') =~ /dead/ }), 'logged');
like(
    $t->read('access.log'),
    qr{^/get canary 1 502, 502, 502, 200$}m,
    'both servers of the canary, then both of the baseline'
);

# the canary comes up
$t->http_upstream($t->port(1), name => 'new');
is($t->get('/up')->{header}{'x-fallback'}, '[]', 'no fallback any more');
ok($t->wait_for(sub { $t->read('access.log') =~ m{^/up }m }), 'logged');
my $refused = $t->read('access.log') =~ m{^/up canary - 502, 200$}m ? 1 : 0;
$f->counted('a success, of its turn or the next',
    canary => {%{Canary::Figures::success(1)}, retries => $refused});

$t->no_alerts();
done_testing();
