use strict;
use warnings;

# A canary half of whose servers are dead answers every request by the others:
# retry_rate sees it.

use Test::More;
use Canary;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary {
        server 127.0.0.1:%%PORT1%% max_fails=0;
        server 127.0.0.1:%%PORT2%% max_fails=0;
    }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_key $arg_user;
        canary_rollback auto false_alarm=1d pause=0;
        canary_gate error_rate <= 1%;
        canary_gate retry_rate <= 1%;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream($t->port(2));
$t->start();

my ($user, $failed, $split) = (0, 0);
ok(
    $t->wait_for(
        sub {
            for (1 .. 20) {
                my $r = $t->get('/?user=' . $user++);
                $failed++ if $r->{status} != 200;
            }
            $split = $t->status()->{splits}{baseline};
            return $split->{state} eq 'rolled_back';
        },
        30
    ),
    'rolled back'
);
is($failed, 0, 'no client saw an error');
like($split->{reason}, qr/^canary: retry_rate <= 1% is broken: /, 'why');
is($split->{variants}{canary}{total}{errors}, 0,
    'nor did the canary count one');

$t->no_alerts();
done_testing();
