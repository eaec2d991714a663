use strict;
use warnings;

# Events do not disturb the gates on anything else: where a split counts some,
# errors, latencies and retries are judged as ever, and roll it back.

use Test::More;
use Canary;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary {
        server 127.0.0.1:%%PORT1%% max_fails=0;
        server 127.0.0.1:%%PORT1%% max_fails=0;
    }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_key $arg_k;
        canary_window 10s;
        canary_fallback off;
        canary_rollback auto pause=0 false_alarm=1m;
        canary_gate error_rate <= 20%;
        canary_gate error_rate not_worse margin=100%;
        canary_gate p50 <= 1us;
        canary_gate p50 not_worse margin=100%;
        canary_gate retry_rate <= 50%;
        canary_gate abort_rate <= 50%;
        canary_gate event:value/seen >= 50%;
        canary_gate event:value:mean <= 1000;
        canary_gate event:value:p95 <= 1000;
        canary_gate event:seen <= 100000r/s;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
        location /bad { return 503; }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://baseline;
            proxy_next_upstream http_503;
            canary_event seen;
            canary_event value value=$arg_v;
        }
        location /canary/ { canary_status; }
    }
CONF
$t->start();

sub split_of { return $t->status()->{splits}{baseline} }

# the gate of that text
sub gate {
    my ($split, $metric, $rule) = @_;

    my ($gate) =
        grep { $_->{metric} eq $metric && $_->{rule} eq $rule }
        @{$split->{gates}};
    return $gate;
}

# gates judge what comes after their first tick
ok(
    $t->wait_for(
        sub {
            !grep { !$_->{stream} } @{split_of()->{gates}};
        },
        5
    ),
    'the gates have begun'
);

my ($bad, $k) = (0, 0);
while ($bad < 5) {
    $bad++ if ($t->get('/bad?v=1&k=' . $k++)->{status} || 0) == 503;
}

my @bad = (
    [error_rate => '<='],
    [p50 => '<='],
    [retry_rate => '<='],
    [error_rate => 'not_worse']
);
my $split;
$t->wait_for(
    sub {
        $split = split_of();
        return !grep { gate($split, @$_)->{bad} != $bad } @bad;
    },
    10
);
my $canary = $split->{variants}{canary}{total};
is($canary->{errors}, $bad, 'errors');
is($canary->{requests}, $bad, 'of so many requests');

for my $gate (@bad) {
    is(gate($split, @$gate)->{bad}, $bad, "@$gate: they are bad");
}
is(gate($split, 'abort_rate', '<=')->{bad}, 0, 'abort_rate: they are not');
is(gate($split, 'event:value:p95', '<=')->{bad}, 0, 'nor is a small value');
is(gate($split, 'error_rate', '<=')->{actual}, 1, 'and so it is shown');

ok(
    $t->wait_for(
        sub {
            $t->get('/bad?v=1&k=' . $k++) for 1 .. 5;
            return split_of()->{state} eq 'rolled_back';
        },
        20
    ),
    'it is rolled back'
);
like(split_of()->{reason}, qr/canary: (error_rate|p50|retry_rate)/, 'for them');

$t->no_alerts();
done_testing();
