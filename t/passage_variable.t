# proxy_pass with variables that name an upstream is as proxy_pass to it, and
# http://$canary_variant_NAME as http://NAME.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream my-docs.v1 {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_key $http_x_user;
        canary_force $http_x_canary never my-docs.v1;
        canary_force $http_x_canary always canary;
    }
    upstream canary_other { server 127.0.0.1:%%PORT1%%; }
    upstream other {
        server 127.0.0.1:%%PORT2%%;
        canary canary_other 50%;
        canary_key $http_x_user;
    }
    map $canary_variant_my_docs_v1 $mapped {
        default $canary_variant_my_docs_v1;
    }
    upstream plain { server 127.0.0.1:%%PORT2%%; }
    proxy_next_upstream error timeout http_500;
    add_header X-Variant "[$canary_variant]" always;
    add_header X-Fallback "[$canary_fallback]" always;
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /static { proxy_pass http://my-docs.v1; }
        location /named {
            set $name my-docs.v1;
            proxy_pass http://$name;
        }
        location /variant { proxy_pass http://$canary_variant_my_docs_v1; }
        location /header {
            proxy_set_header X-Variant $canary_variant_my_docs_v1;
            set $name my-docs.v1;
            proxy_pass http://$name$request_uri;
        }
        location /mapped {
            set $first $mapped;
            set $second $canary_variant_other;
            proxy_pass http://$mapped;
        }
        location /plain {
            set $name plain;
            proxy_pass http://$name;
        }
        location /canary/ { canary_status; }
    }
CONF
for my $n (1, 2) {
    $t->http_upstream(
        $t->port($n),
        name => (qw(- new old))[$n],
        status => sub { $_[0]{uri} =~ /500/ && $n == 1 ? 500 : 200 }
    );
}
$t->start();

my $f = Canary::Figures->new($t, 'my-docs.v1');

my %users;
for my $user (map { "user$_" } 1 .. 20) {
    my $r = $t->get('/static', 'X-User', $user);
    push @{$users{$r->{header}{'x-upstream'}}}, $user;
}
my ($new, $old) = map { scalar @{$users{$_} || []} } qw(new old);
ok($new && $old, 'both variants have users') or diag("$new $old");
my %twenty = (
    'canary' => Canary::Figures::success($new),
    'my-docs.v1' => Canary::Figures::success($old)
);
$f->counted('static', %twenty);

my %variant = (new => '[canary]', old => '[my-docs.v1]');
# "map" holds what it read before another split's variable was read
for my $path (qw(/named /variant /header /mapped)) {
    my $wrong = '';
    for my $name (qw(new old)) {
        for my $user (@{$users{$name}}) {
            my $r = $t->get($path, 'X-User', $user);
            $wrong .= "$user " if $r->{header}{'x-upstream'} ne $name;
            $wrong .= "$user " if $r->{header}{'x-variant'} ne $variant{$name};
        }
    }
    is($wrong, '', "$path sends each user where the static name does");
    $f->counted('and counts the same', %twenty);

    my @user = ('X-User', $users{new}[0]);
    my $r = $t->get("$path/500", @user);
    is($r->{header}{'x-upstream'}, 'old', "$path falls back");
    is($r->{header}{'x-fallback'}, '[1]', 'and says so');
    is($r->{header}{'x-variant'}, '[canary]', 'the variant stays');
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

    $t->get($path, @user, 'X-Canary', 'never');
    $f->counted("$path, forced to the baseline", 'my-docs.v1' => {forced => 1});
    $t->get($path, @user, 'X-Canary', 'always');
    $f->counted("$path, forced to the canary", canary => {forced => 1});

    is($t->get($path)->{header}{'x-upstream'}, 'old', 'without a key');
    $f->counted('unkeyed', unkeyed => 1);
}

my ($request) = grep { $_->{uri} eq '/header' } $t->requests($t->port(1));
is($request->{headers}{'x-variant'},
    'canary', 'the variant is known before the request is passed on');

is($t->get('/plain', 'X-User', $users{new}[0])->{header}{'x-upstream'},
    'old', 'a name of a plain upstream');
$f->nothing('is not counted');

$t->no_alerts();
done_testing();
