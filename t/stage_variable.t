use strict;
use warnings;

# $canary_stage is the stage that a request was decided in, as the generation
# is, whatever is loaded before it ends.

use Test::More;
use Canary;

my $t = Canary->new();

$t->write('split', 'canary canary 50% stage=first;');
$t->conf(<<'CONF', workers => 2);
    log_format decided '$uri $canary_generation $canary_stage';
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        include %%DIR%%/split;
        canary_key $arg_k;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        add_header X-Decided "$canary_generation $canary_stage";
        location / {
            access_log %%DIR%%/decided.log decided;
            proxy_pass http://baseline;
        }
    }
CONF
$t->http_upstream($t->port(1),
    body => sub { $_[0]{uri} =~ /wait/ && waits(); return 'done' });
$t->start();

my $client = $t->client();
$client->send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
ok($t->wait_for(sub { $t->seen($t->port(1), qr/wait/) }), 'under way');

$t->write('split', 'canary canary 50% stage=the_second;');
ok($t->reload(), 'another stage is loaded');
is($t->get('/new')->{header}{'x-decided'}, '2 the_second', 'and decides');

$t->write('go', '');
is($client->response('GET')->{header}{'x-decided'},
    '1 first', 'the first one was decided before');

ok($t->wait_for(sub { $t->read('decided.log') =~ m{^/wait (.*)$}m }), 'logged');
my ($logged) = $t->read('decided.log') =~ m{^/wait (.*)$}m;
is($logged, '1 first', 'as it was decided');

$t->no_alerts();
done_testing();

sub waits {
    $t->wait_for(sub { -e $t->dir() . '/go' });
    return;
}
