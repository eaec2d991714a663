# The sum and the mean of large values, such as bytes, are exact: neither wraps,
# and a gate on the mean judges what was sent.

use strict;
use warnings;

use Test::More;
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
        canary_rollback manual;
        canary_gate event:bytes:mean <= 1000000 min=100;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 204; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        canary_event bytes value=$arg_v;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
$t->start();

# in all a little more than 2 ** 64 millionths
my ($n, $value) = (100, '184467440738');
$t->get("/?v=$value") for 1 .. $n;

my $event;
ok(
    $t->wait_for(
        sub {
            $event = $t->status()->{splits}{baseline}{events}{bytes}{canary};
            return $event->{total}{count} == $n;
        }
    ),
    'all are counted'
);
is($event->{total}{value}{sum}, $value * $n, 'the sum is exact');
is($event->{total}{value}{max}, $value, 'and the greatest');

my ($gate) = @{$t->status()->{splits}{baseline}{gates}};
is($gate->{actual}, $value, 'the mean is that of the values');
isnt($gate->{status}, 'pass', 'and does not pass');

$t->no_alerts();
done_testing();
