# A fallback from a canary whose balancer adds a cookie: the client gets the
# baseline's alone, and no other header is lost.

use strict;
use warnings;

use Test::More;

use Canary;

my $t = Canary->new();
my ($status) = $t->test_config(<<'CONF');
    upstream u { server 127.0.0.1:1; sticky cookie a; }
CONF
plan skip_all => 'this nginx has no sticky' if $status;

my $id = '0123456789abcdef' x 2;
$t->conf(<<'CONF');
    # nobody listens on ports 8 and 9
    upstream dead { server 127.0.0.1:%%PORT8%% route=dead; sticky cookie a; }
    upstream two_dead {
        server 127.0.0.1:%%PORT8%% route=dead1;
        server 127.0.0.1:%%PORT9%% route=dead2;
        sticky cookie a;
    }
    upstream bad { server 127.0.0.1:%%PORT1%% route=bad; sticky cookie a; }
    upstream half {
        server 127.0.0.1:%%PORT8%% route=dead max_fails=0;
        server 127.0.0.1:%%PORT2%% route=half max_fails=0;
        sticky cookie a;
    }
    upstream by_other {
        hash $canary_variant_other;
        server 127.0.0.1:%%PORT8%% route=other;
        sticky cookie a;
    }

    upstream lost { %%OLD%% sticky cookie a; canary dead 100%; }
    upstream lost_plain { %%OLD%% canary dead 100%; }
    upstream lost_two { %%OLD%% sticky cookie a; canary two_dead 100%; }
    upstream lost_bad { %%OLD%% sticky cookie a; canary bad 100%; }
    upstream lost_cookie {
        %%OLD%% sticky cookie a; canary by_other 100%; canary_cookie own;
    }
    upstream other { %%OLD%% canary_cookie id; canary half 50%; }
    upstream tried { %%OLD%% sticky cookie a; canary half 100%; }
    upstream unlucky {
        server 127.0.0.1:%%PORT8%% route=dead max_fails=0;
        %%OLD%%
        sticky cookie a;
        canary dead 100%;
    }

    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_next_upstream error http_500;
        add_header X-Fallback "[$canary_fallback]";
        location /lost { proxy_pass http://lost; }
        location /lost_plain { proxy_pass http://lost_plain; }
        location /lost_two { proxy_pass http://lost_two; }
        location /lost_bad { proxy_pass http://lost_bad; }
        location /lost_cookie { proxy_pass http://lost_cookie; }
        location /direct { proxy_pass http://$canary_variant_lost; }
        location /tried { proxy_pass http://tried; }
        location /unlucky { proxy_pass http://unlucky; }
        location /canary/ { canary_status; }
    }
    server { listen 127.0.0.1:%%PORT1%%; return 500; }
    server {
        listen 127.0.0.1:%%PORT2%%;
        add_header Set-Cookie a=application;
        return 200 "half";
    }
    server {
        listen 127.0.0.1:%%PORT3%%;
        add_header Set-Cookie a=application;
        return 200 "old";
    }
CONF
my $text = $t->read('nginx.conf');
my $old = 'server 127.0.0.1:' . $t->port(3) . ' route=old;';
$text =~ s/%%OLD%%/$old/g;
$t->write('nginx.conf', $text);
$t->start();


# what is set, in any order
sub cookies {
    my ($answer) = @_;

    return [sort map { s/;.*//r } @{$answer->{headers}{'set-cookie'} || []}];
}

for my $place (qw(lost lost_two lost_bad direct unlucky)) {
    my $answer = $t->get("/$place");
    is(
        "$answer->{body} $answer->{header}{'x-fallback'}",
        'old [1]',
        "$place: the baseline answers"
    );
    is_deeply(cookies($answer), [qw(a=application a=old)],
        "$place: the baseline's cookie alone");
}

my $answer = $t->get('/lost_plain');
is($answer->{body}, 'old', 'a baseline that adds nothing answers');
is_deeply(cookies($answer), ['a=application'], 'the failed one sets nothing');

# a cookie that this module issued meanwhile, by way of a variable
$answer = $t->get('/lost_cookie', Cookie => "own=$id");
is($answer->{header}{'x-fallback'}, '[1]', 'falls back');
my ($issued, @rest) = reverse @{cookies($answer)};
like($issued, qr/^id=[0-9a-f]{32}$/, 'the cookie of another split stays');
is_deeply([reverse @rest], [qw(a=application a=old)], 'next to one affinity');

# tries inside a variant are nginx's own affair
for (1, 2) {
    $answer = $t->get('/tried');
    is("$answer->{body} $answer->{header}{'x-fallback'}",
        'half []', 'the canary answers');
    is_deeply(cookies($answer), [qw(a=application a=half)], 'its own cookie');
}

$t->no_alerts();
done_testing();
