# canary_cookie: the id is in the final response, whatever comes before it.

use strict;
use warnings;

use Test::More;

use Canary;

my $t = Canary->new();
my ($status) = $t->test_config('early_hints 1;');
my $hints = !$status;

$t->conf(<<"CONF");
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        canary_cookie id;
    }
    upstream images {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        canary_cookie second;
        canary_key \$arg_a;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        add_header X-Other \$canary_variant_images;
        location / { proxy_pass http://documents; }
        location /on/ {
            @{[ $hints ? 'early_hints 1;' : '' ]}
            proxy_pass http://documents;
        }
    }
CONF
$t->http_upstream(
    $t->port(1),
    headers => {'Set-Cookie' => 'application=1'},
    broken => sub { $hints && $_[0]{uri} =~ /hints/ ? 'hints' : undef }
);
$t->start();

for my $uri ('/', '/on/', $hints ? ('/hints', '/on/hints') : ()) {
    my $answer = $t->get($uri);
    my @names =
        sort map { /^(\w+)=/ } @{$answer->{headers}{'set-cookie'} || []};
    is($answer->{status}, 200, "$uri: answered");
    is($answer->{interim}, $uri eq '/on/hints' ? 1 : 0, "$uri: hints");
    is_deeply(\@names, [qw(application id second)], "$uri: each cookie once");
}

$t->no_alerts();
done_testing();
