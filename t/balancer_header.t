# What the balancer of a canary adds to the response is for what the canary
# answers: after a fallback the client gets none of it, but the cookie of
# canary_cookie, and what the balancer of the baseline adds.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Balancer;

my $t = Canary->new();
my $balancer = Canary::Balancer::build($t);

$t->conf(<<'CONF', main => "load_module $balancer;");
    upstream works { server 127.0.0.1:%%PORT1%%; borrow 5000 header; }
    upstream fails { server 127.0.0.1:%%PORT3%%; borrow 5000 header; }
    upstream answers {
        server 127.0.0.1:%%PORT2%%;
        canary works 100%;
        canary_cookie who;
    }
    upstream falls_back {
        server 127.0.0.1:%%PORT2%%;
        canary fails 100%;
        canary_cookie who;
    }
    upstream both {
        server 127.0.0.1:%%PORT2%%;
        borrow 5000 header;
        canary fails 100%;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_next_upstream error timeout http_500;
        location ~ ^/(answers|falls_back|both) { proxy_pass http://$1; }
    }
    server { listen 127.0.0.1:%%PORT1%%; return 200 new; }
    server { listen 127.0.0.1:%%PORT2%%; return 200 old; }
    server { listen 127.0.0.1:%%PORT3%%; return 500; }
CONF
$t->start();

my $answer = $t->get('/answers');
is($answer->{body}, 'new', 'the canary answers');
is($answer->{header}{'x-balancer'}, 'borrowed', 'with its header');
like($answer->{header}{'set-cookie'}, qr/^who=/, 'and the cookie');

$answer = $t->get('/falls_back');
is($answer->{body}, 'old', 'the baseline answers for it');
is($answer->{header}{'x-balancer'}, undef, 'without the header');
like($answer->{header}{'set-cookie'}, qr/^who=/, 'but with the cookie');

$answer = $t->get('/both');
is($answer->{body}, 'old', 'a baseline with a balancer of its own');
is($answer->{header}{'x-balancer'}, 'borrowed', 'has its header, once');

$t->no_alerts();
done_testing();
