# auth_request: a passage of its own, on the variant of the main request.

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
        canary canary 50%;
        canary_key $http_x_user;
    }
    upstream plain { server 127.0.0.1:%%PORT3%%; }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            auth_request /auth;
            proxy_pass http://documents;
        }
        location /plain/ {
            auth_request /auth;
            proxy_pass http://plain;
        }
        location = /auth {
            internal;
            proxy_pass http://documents;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header X-Uri $request_uri;
        }
        location /canary/ { canary_status; }
    }
CONF
my $status = sub {
    my ($request) = @_;

    return 200 if $request->{uri} ne '/auth';
    return $request->{headers}{'x-uri'} =~ m{/auth-(\d+)} ? $1 : 204;
};
$t->http_upstream($t->port(1), name => 'new', status => $status);
$t->http_upstream($t->port(2), name => 'old', status => $status);
$t->http_upstream($t->port(3), name => 'plain');
$t->start();

my $f = Canary::Figures->new($t, 'documents');

# who is where: by the answers of twenty users
my %users;
for my $user (map { "user$_" } 1 .. 20) {
    my $r = $t->get('/page', 'X-User', $user);
    push @{$users{$r->{header}{'x-upstream'}}}, $user;
}
my ($new, $old) = map { scalar @{$users{$_} || []} } qw(new old);
ok($new && $old, 'both variants have users') or diag("$new $old");

for my $port ($t->port(1), $t->port(2)) {
    my %pages = (auth => '', page => '');
    for my $request ($t->requests($port)) {
        my ($kind) = $request->{uri} =~ m{^/(\w+)};
        $pages{$kind} .= "$request->{headers}{'x-user'} ";
    }
    is($pages{auth}, $pages{page}, 'the same variant for both');
}
$f->counted(
    'each request and each of its checks is counted',
    canary => Canary::Figures::success(2 * $new),
    documents => Canary::Figures::success(2 * $old)
);

my @user = ('X-User', $users{new}[0]);
is($t->get('/auth-403', @user)->{status}, 403, 'denied');
$f->counted('one passage: the check',
    canary => {requests => 1, '4xx' => 1, timed => 1});

is($t->get('/auth-500', @user)->{status}, 500, 'the check fails');
$f->counted('one passage, an error',
    canary => {requests => 1, errors => 1, '5xx' => 1, timed => 1});

is($t->get('/plain/', @user)->{header}{'x-upstream'},
    'plain', 'a check in front of a plain upstream');
$f->counted('one passage', canary => Canary::Figures::success(1));

is($t->post('/page', 'x' x 1000, @user)->{status}, 200, 'with a body');
$f->counted('two passages', canary => Canary::Figures::success(2));

$t->no_alerts();
done_testing();
