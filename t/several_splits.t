# Several splits in one request, by error_page and subrequests: each passage
# goes to its own account, also where two splits share a canary.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream shared { server 127.0.0.1:%%PORT1%%; }
    upstream own { server 127.0.0.1:%%PORT3%%; }
    upstream one {
        server 127.0.0.1:%%PORT2%%;
        canary shared 100%;
        canary_key $http_x_one;
    }
    upstream two {
        server 127.0.0.1:%%PORT2%%;
        canary shared 100%;
        canary_key $http_x_two;
    }
    upstream three {
        server 127.0.0.1:%%PORT2%%;
        canary own 100%;
        canary_key $http_x_two;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_intercept_errors on;
        recursive_error_pages on;
        add_header X-Variant "$canary_variant" always;
        location /one { proxy_pass http://one; }
        location /two { proxy_pass http://two; }
        location /chain { proxy_pass http://one; error_page 500 = @two; }
        location @two {
            proxy_pass http://two;
            error_page 500 = @three;
        }
        location @three { proxy_pass http://three; }
        location /checked {
            auth_request /auth;
            proxy_pass http://one;
        }
        location /mirrored {
            mirror /copy;
            proxy_pass http://one;
        }
        location = /auth { internal; proxy_pass http://two; }
        location = /copy { internal; proxy_pass http://three; }
        location /var/one { proxy_pass http://$canary_variant_one; }
        location /var/two { proxy_pass http://$canary_variant_two; }
        location /var/three { proxy_pass http://$canary_variant_three; }
        location /var/chain {
            proxy_pass http://$canary_variant_one;
            error_page 500 = @var_two;
        }
        location @var_two { proxy_pass http://$canary_variant_two; }
        location /both/one {
            set $other $canary_variant_two;
            proxy_set_header X-Other $canary_variant_two;
            proxy_pass http://$canary_variant_one;
        }
        location /both/two {
            set $other $canary_variant_one;
            proxy_set_header X-Other $canary_variant_one;
            proxy_pass http://$canary_variant_two;
        }
        location /both/set/one {
            set $other $canary_variant_two;
            set $name $canary_variant_one;
            proxy_set_header X-Other $canary_variant_two;
            proxy_pass http://$name;
        }
        location /both/set/two {
            set $other $canary_variant_one;
            set $name $canary_variant_two;
            proxy_set_header X-Other $canary_variant_one;
            proxy_pass http://$name;
        }
        location /both/chain {
            set $other $canary_variant_two;
            proxy_pass http://$canary_variant_one;
            error_page 500 = @both_two;
        }
        location @both_two {
            proxy_set_header X-Other $canary_variant_one;
            proxy_pass http://$canary_variant_two;
        }
        location /shared { proxy_pass http://shared; }
        location /canary/ { canary_status; }
    }
CONF

# the canaries of "one" and "two" fail on /fail, that of "three" never does
$t->http_upstream(
    $t->port(1),
    name => 'shared',
    status => sub { $_[0]{uri} =~ /fail/ ? 500 : 200 }
);
$t->http_upstream(
    $t->port(2),
    name => 'old',
    status => sub { $_[0]{uri} =~ /fail_old/ ? 500 : 200 }
);
$t->http_upstream($t->port(3), name => 'own');
$t->start();

my %figures = map { $_ => Canary::Figures->new($t, $_) } qw(one two three);
my $good = Canary::Figures::success(1);
my $bad = {requests => 1, errors => 1, '5xx' => 1, timed => 1};
my @in = ('X-One' => 1, 'X-Two' => 1);


# the accounts of all three splits after a request; a split that is not named
# must not have counted anything
sub accounts {
    my ($label, %expected) = @_;

    for my $split (qw(one two three)) {
        $figures{$split}->counted("$label: $split", @{$expected{$split} || []});
    }
    return;
}


sub where {
    my ($path, @headers) = @_;

    my $header = $t->get($path, @headers)->{header};
    return join ' ',
        map { defined $_ ? $_ : '' } @$header{qw(x-upstream x-variant)};
}

is(where('/one', @in), 'shared shared', 'the first split');
accounts('a shared canary', one => [shared => $good]);
is(where('/two', @in), 'shared shared', 'the second split');
accounts('a shared canary', two => [shared => $good]);
is(where('/shared', @in), 'shared ', 'the canary by its own name');
accounts('no split is met');

is(where('/chain', @in), 'shared shared', 'no error');
accounts('no error', one => [shared => $good]);
is(where('/chain/fail', @in), 'own own', 'two error pages');
accounts(
    'two error pages',
    one => [shared => $bad],
    two => [shared => $bad],
    three => [own => $good]
);
is(where('/chain/fail', 'X-One' => 1), 'old two', 'then a baseline');
accounts('then a baseline', one => [shared => $bad], two => [unkeyed => 1]);

is(where('/checked', @in), 'shared shared', 'auth_request');
accounts('auth_request', one => [shared => $good], two => [shared => $good]);
is(where('/checked', 'X-One' => 1), 'shared shared', 'unkeyed check');
accounts('unkeyed check', one => [shared => $good], two => [unkeyed => 1]);
is(where('/mirrored', @in), 'shared shared', 'mirror');
accounts('mirror', one => [shared => $good], three => [own => $good]);

is(where('/var/one', @in), 'shared shared', 'a variable');
accounts('a variable', one => [shared => $good]);
is(where('/var/two', @in), 'shared shared', 'the variable of another');
accounts('the variable of another', two => [shared => $good]);
is(where('/var/three', @in), 'own own', 'and of another');
accounts('and of another', three => [own => $good]);
is(where('/var/three'), 'old three', 'a variable, the baseline');
accounts('a variable, the baseline', three => [unkeyed => 1]);
is(where('/var/chain', @in), 'shared shared', 'variables, no error');
accounts('variables, no error', one => [shared => $good]);
$t->get('/var/chain/fail', @in);
accounts(
    'variables, an error page',
    one => [shared => $bad],
    two => [shared => $bad]
);

# an upstream's name does not tell whose canary it is: its variable does
for my $split (qw(one two)) {
    for my $path ("/both/$split", "/both/set/$split") {
        is(where($path, @in), 'shared shared', "both variables, $path");
        accounts("both variables, $path", $split => [shared => $good]);
    }
}
$t->get('/both/chain/fail', @in);
accounts(
    'both variables, an error page',
    one => [shared => $bad],
    two => [shared => $bad]
);

$t->no_alerts();
done_testing();
