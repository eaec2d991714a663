use strict;
use warnings;

# What a scrape of a real nginx gives: promtool has nothing to say, and Accept
# chooses OpenMetrics.

use Test::More;
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF', workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream refusing { server 127.0.0.1:%%PORT2%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 20% stage=s1;
        canary refusing 10%;
        canary_key $arg_k;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
        location /missing { return 404; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
$t->start();

$t->get("/?k=$_") for 1 .. 100;
$t->get("/missing?k=$_") for 1 .. 20;

my $text = $t->get('/canary/metrics');
like(
    $text->{header}{'content-type'},
    qr{^text/plain; version=0\.0\.4},
    'the text format by default'
);

my $file = $t->write('metrics', $text->{body});
my $said = qx{promtool check metrics < $file 2>&1};
is($?, 0, 'promtool accepts it');
is($said, '', 'and has nothing to say');

my %value = $text->{body} =~ /^(nginx_canary_\w+\{.*\}) (\S+)$/mg;
my $variants = $t->status()->{splits}{baseline}{variants};

for my $name (sort keys %$variants) {
    my $total = $variants->{$name}{total};
    my $labels = qq[upstream="baseline",variant="$name"];

    is($value{"nginx_canary_requests_total{$labels}"},
        $total->{requests}, "$name: requests");
    is($value{"nginx_canary_errors_total{$labels}"},
        $total->{errors}, "$name: errors");
    for my $counter (qw(fallbacks aborted retries)) {
        is($value{"nginx_canary_${counter}_total{$labels}"},
            $total->{$counter}, "$name: $counter");
    }
    is(
        $value{qq[nginx_canary_latency_seconds_bucket{$labels,le="+Inf"}]},
        $total->{latency}{count},
        "$name: latencies"
    );
}

is(
    $variants->{refusing}{total}{errors},
    $variants->{refusing}{total}{requests},
    'who refuses has only errors'
);
cmp_ok($variants->{refusing}{total}{requests}, '>', 0, 'and some of them');

my %accepts = (
    'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' => 1,
    'application/openmetrics-text; version=1.0.0; q=0.8, text/plain;q=0.1' => 1,
    'text/plain' => 0,
    '*/*' => 0,
    'application/openmetrics-text;q=0,text/plain' => 0,
);

for my $accept (sort keys %accepts) {
    my $r = $t->get('/canary/metrics', Accept => $accept);
    my $is =
        $r->{header}{'content-type'} =~ m{^application/openmetrics-text}
        ? 1
        : 0;
    is($is, $accepts{$accept}, "Accept: $accept");
    is($r->{body} =~ /^# EOF\n\z/m ? 1 : 0, $is, 'ends as its format does');
}

$t->no_alerts(allow => qr/connect\(\) failed/);
done_testing();
