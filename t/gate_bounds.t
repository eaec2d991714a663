use strict;
use warnings;

# The limit of each latency gate is a bound of the exported histogram, among
# those that are configured, once, and in its place; that of no other gate is.

use Test::More;
use Canary;

my $t = Canary->new();

# the bounds of the canary's histogram in metrics
sub bounds {
    my ($buckets, @gates) = @_;

    my $gates = join '', map { "canary_gate $_;\n" } @gates;
    $t->conf(<<"CONF");
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 5%;
        canary_buckets $buckets;
        $gates
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; canary_event e value=1; }
        location /canary/ { canary_status; }
    }
CONF
    $t->start();
    my $metrics = $t->get('/canary/metrics')->{body};
    $t->stop();

    return join ' ', $metrics =~ /_bucket\{.*variant="canary",le="(.*?)"/g;
}

is(bounds('10ms 100ms'), '0.01 0.1 +Inf', 'without a gate');
is(bounds('10ms 100ms', 'p95 <= 50ms'), '0.01 0.05 0.1 +Inf', 'between');
is(
    bounds('10ms 100ms', 'p50 <= 5ms', 'p999 <= 2s'),
    '0.005 0.01 0.1 2 +Inf',
    'before and behind all of them'
);
is(
    bounds('10ms 100ms', 'p50 <= 100ms', 'p95 <= 100ms', 'p90 <= 10ms'),
    '0.01 0.1 +Inf',
    'one that is there, and twice the same'
);
is(
    bounds(
        '10ms 100ms',
        'error_rate <= 2%',
        'abort_rate <= 2%',
        'retry_rate <= 2%',
        'throughput >= 3r/s',
        'p95 not_worse margin=50%',
        'event:e <= 7r/m',
        'event:e/e >= 99%',
        'event:e:p95 <= 30',
        'event:e:mean <= 20',
        'p99 <= 1s'
    ),
    '0.01 0.1 1 +Inf',
    'no other kind'
);

$t->no_alerts();
done_testing();
