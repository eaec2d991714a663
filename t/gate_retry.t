use strict;
use warnings;

# A canary half of whose servers are dead answers every request by the others:
# retry_rate sees it, by a limit and by comparison with the baseline.

use Test::More;
use Canary;

my $t = Canary->new();
my $split = <<'CONF';
        server 127.0.0.1:%%PORT3%%;
        canary canary 50%;
        canary_key $arg_user;
        canary_rollback auto false_alarm=1h pause=0;
        canary_gate error_rate <= 1%;
CONF
$t->conf(<<"CONF");
    upstream canary {
        server 127.0.0.1:%%PORT1%% max_fails=0;
        server 127.0.0.1:%%PORT2%% max_fails=0;
    }
    upstream limit {
$split
        canary_gate retry_rate <= 5%;
    }
    upstream worse {
$split
        canary_gate retry_rate not_worse;
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        listen 127.0.0.1:%%PORT3%%;
        location / { return 200; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        keepalive_requests 1000000;
        location /limit { proxy_pass http://limit; }
        location /worse { proxy_pass http://worse; }
        location /canary/ { canary_status; }
    }
CONF
$t->start();

my ($user, $failed, $splits) = (0, 0);
my $client = $t->client();
ok(
    $t->wait_for(
        sub {
            for my $n (1 .. 100) {
                my $name = $n % 2 ? 'limit' : 'worse';
                my $r = $client->get("/$name?user=" . $user++);
                $failed++ if $r->{status} != 200;
            }
            $splits = $t->status()->{splits};
            return !grep { $_->{state} ne 'rolled_back' } values %$splits;
        },
        30
    ),
    'rolled back'
);
is($failed, 0, 'no client saw an error');

for my $case ([limit => 'retry_rate <= 5%'], [worse => 'retry_rate not_worse'])
{
    my ($name, $gate) = @$case;
    my $found = $splits->{$name};
    my $canary = $found->{variants}{canary}{total};

    diag("$name: $found->{reason}");
    like($found->{reason}, qr/^canary: \Q$gate\E is broken: /, "$name: why");
    is($canary->{errors}, 0, "$name: the canary did not count an error");
    cmp_ok(abs($canary->{retries} / $canary->{requests} - 0.5),
        '<', 0.1, "$name: half of its requests were tried again");
    is($found->{variants}{$name}{total}{retries},
        0, "$name: none of the baseline's");
}

$t->no_alerts();
done_testing();
