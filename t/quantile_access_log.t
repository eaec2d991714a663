use strict;
use warnings;

# Quantiles in the status are within 0.5% of the exact order statistics of
# $canary_latency in an access log; count, sum, min and max are exact.

use List::Util qw(sum);
use POSIX qw(ceil);
use Test::More;
use Canary;
use Canary::Load;

my $t = Canary->new();

$t->conf(<<'CONF', workers => 2);
    log_format latency '$canary_variant $canary_latency';
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 30%;
        canary_key $arg_k;
    }
    server {
        # limit_rate waits after the first byte: latencies that differ
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
        location /slow { limit_rate 8k; return 200 %%BODY%%; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://baseline;
            access_log %%DIR%%/latency.log latency;
        }
        location /canary/ { canary_status; }
    }
CONF
$t->write('nginx.conf', $t->read('nginx.conf') =~ s/%%BODY%%/'x' x 1000/er);
$t->start();

my $load = Canary::Load->new(
    $t->port(0),
    clients => 8,
    request => sub { return ($_[0] % 7 ? '/' : '/slow') . "?k=$_[0]" }
);
$load->run(seconds => 30, until => sub { $load->{answers} >= 3000 });

my %log;
ok(
    $t->wait_for(
        sub {
            %log = ();
            for (split /\n/, $t->read('latency.log')) {
                my ($variant, $latency) = split / /;
                push @{$log{$variant}}, $latency;
            }
            return @{$log{canary}} + @{$log{baseline}} == $load->{answers};
        }
    ),
    'all are logged'
);

my %q = (p50 => 0.5, p90 => 0.9, p95 => 0.95, p99 => 0.99, p999 => 0.999);

for my $name (qw(canary baseline)) {
    my @sorted = sort { $a <=> $b } @{$log{$name}};
    my $variant = $t->status()->{splits}{baseline}{variants}{$name};

    for my $scope (qw(total stage)) {
        my $latency = $variant->{$scope}{latency};

        is($latency->{count}, scalar @sorted, "$name, $scope: count");
        cmp_ok(abs($latency->{sum} - sum(@sorted)),
            '<', 1e-6, "$name, $scope: sum to the microsecond");
        cmp_ok(abs($latency->{min} - $sorted[0]),
            '<', 1e-7, "$name, $scope: min");
        cmp_ok(abs($latency->{max} - $sorted[-1]),
            '<', 1e-7, "$name, $scope: max");

        for my $key (sort keys %q) {
            my $exact = $sorted[ceil($q{$key} * @sorted) - 1];
            cmp_ok(
                abs($latency->{$key} - $exact),
                '<=',
                0.005 * $exact,
                "$name, $scope: $key"
            );
        }
    }
}

$t->no_alerts();
done_testing();
