use strict;
use warnings;

# The quantiles of the window are those of its requests, within 0.5% of the
# order statistics of $canary_latency in an access log; another length by a
# reload is in force at once, over what was seen before.

use POSIX qw(ceil);
use Test::More;
use Time::HiRes qw(time);
use Canary;
use Canary::Load;

my $t = Canary->new();

sub configure {
    my ($window) = @_;

    $t->conf(<<"CONF");
    log_format latency '\$canary_latency';
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
        canary_window $window;
    }
    server {
        # limit_rate waits after the first byte: latencies that differ
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
        location /slow { limit_rate 8k; return 200 @{['x' x 1000]}; }
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
    return;
}

configure('10s');
$t->start();

sub window {
    return $t->status()->{splits}{baseline}{variants}{canary}{window};
}

my $answers = 0;

sub send_requests {
    my ($n, $uri) = @_;

    my $load = Canary::Load->new($t->port(0), clients => 4, request => $uri);
    $load->run(seconds => 5, until => sub { $load->{answers} >= $n });
    $answers += $load->{answers};
    return $load->{answers};
}

my @log;

sub logged {
    ok(
        $t->wait_for(
            sub {
                @log = split /\n/, $t->read('latency.log');
                return @log == $answers;
            }
        ),
        'all are logged'
    );
    return;
}

sub same {
    my ($latency, $name, @values) = @_;

    my %q = (p50 => 0.5, p90 => 0.9, p95 => 0.95, p99 => 0.99, p999 => 0.999);
    my @sorted = sort { $a <=> $b } @values;
    my @wrong;

    is($latency->{count}, scalar @sorted, "$name: count");
    for my $key (sort keys %q) {
        my $exact = $sorted[ceil($q{$key} * @sorted) - 1];
        push @wrong, "$key $latency->{$key} $exact"
            if abs($latency->{$key} - $exact) > 0.005 * $exact;
    }
    is("@wrong", '', "$name: quantiles");
    return;
}

# slow ones, a pause, then those that will be left in the window

my $slow = send_requests(40, sub { return '/slow' });
my $over = time;
logged();
same(window()->{latency}, 'the slow ones', @log);

ok($t->wait_for(sub { time > $over + 3 }, 5), 'a pause');
my $fast = send_requests(600, sub { return $_[0] % 50 ? '/' : '/slow' });
logged();
same(window()->{latency}, 'all', @log);

ok($t->wait_for(sub { window()->{requests} <= $fast }, 12),
    'the slow ones slide out');
my @left = @log[$slow .. $#log];
same(window()->{latency}, 'the rest', @left);
my $total = $t->status()->{splits}{baseline}{variants}{canary}{total};
same($total->{latency}, 'the total', @log);

configure('1m');
ok($t->reload(), 'a longer window');
same(window()->{latency}, 'longer: what it held before', @log);

configure('10s');
ok($t->reload(), 'the shorter one');
is(window()->{requests} <= $fast, 1, 'shorter: the slow ones are out again');

$t->no_alerts();
done_testing();
