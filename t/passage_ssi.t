# Each part of a page that SSI puts together is a passage.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->write('page.html', <<'PAGE');
<!--# include virtual="/part/a" -->
<!--# include virtual="/part/b" -->
<!--# include virtual="/other/c" -->
PAGE
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_key $http_x_user;
    }
    upstream second_canary { server 127.0.0.1:%%PORT3%%; }
    upstream second {
        server 127.0.0.1:%%PORT2%%;
        canary second_canary 100%;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location = /page.html {
            root %%DIR%%;
            ssi on;
        }
        location /whole {
            proxy_pass http://documents;
            ssi on;
            ssi_types text/plain;
        }
        location /wait {
            proxy_pass http://documents;
            ssi on;
            ssi_types text/plain;
        }
        location /part/ { proxy_pass http://documents; }
        location /other/ { proxy_pass http://second; }
        location /canary/ { canary_status; }
    }
CONF

my $body = sub {
    my ($request) = @_;

    return '<!--# include virtual="/part/x" -->'
        . '<!--# include virtual="/part/500" -->'
        if $request->{uri} eq '/whole';
    return '<!--# include virtual="/part/s" set="v" -->'
        . '[<!--# echo var="v" encoding="none" -->]'
        if $request->{uri} eq '/wait';
    return;
};
for my $n (1 .. 3) {
    my $name = qw(- new old second) [$n];
    $t->http_upstream(
        $t->port($n),
        name => $name,
        body => sub { $body->($_[0]) || "<$name>" },
        headers => sub { {'Content-Type' => 'text/plain'} },
        status => sub { $_[0]{uri} =~ m{/500} ? 500 : 200 }
    );
}
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $second = Canary::Figures->new($t, 'second');

my %users;
for my $user (map { "user$_" } 1 .. 20) {
    my $r = $t->get('/page.html', 'X-User', $user);
    my ($name) = $r->{body} =~ /^<(\w+)>\s+<\1>\s+<second>\s*$/;
    push @{$users{$name || 'mixed'}}, $user;
}
ok(!$users{mixed}, 'all parts of a page come from one variant');
my ($new, $old) = map { scalar @{$users{$_} || []} } qw(new old);
ok($new && $old, 'both variants have users') or diag("$new $old");
$f->counted(
    'each part is counted',
    canary => Canary::Figures::success(2 * $new),
    documents => Canary::Figures::success(2 * $old)
);
$second->counted(
    'those of another split on its own account',
    second_canary => Canary::Figures::success(20)
);

my $r = $t->get('/whole', 'X-User', $users{new}[0]);
is($r->{status}, 200, 'a page and two parts, of which one fails');
$f->counted(
    'three passages',
    canary => {
        requests => 3,
        errors => 1,
        '2xx' => 2,
        '5xx' => 1,
        timed => 3
    }
);

$r = $t->get('/wait', 'X-User', $users{new}[0]);
is($r->{body}, '[<new>]', 'a part that is read into memory');
$f->counted('two passages', canary => Canary::Figures::success(2));

$t->no_alerts();
done_testing();
