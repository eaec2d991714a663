# The window of events: counts, rate, users and values leave it when they are
# older, and stay in the total.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);
use Canary;

use constant WINDOW => 10;

my $t = Canary->new();

# one worker: it has counted a request before it answers the next
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
        canary_key $arg_u;
        canary_window 10s;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 204; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://baseline;
            canary_event step unique=$arg_u value=$arg_v;
        }
        location /canary/ { canary_status; }
    }
CONF
$t->start();

sub figures {
    my ($scope) = @_;
    return $t->status()->{splits}{baseline}{events}{step}{canary}{$scope};
}

$t->get("/?u=$_&v=" . 10 * $_) for 1 .. 20;
my $first = time();

my $window = figures('window');
is($window->{count}, 20, 'in the window');
is($window->{unique}, 20, 'users');
is($window->{value}{count}, 20, 'values');
is($window->{value}{sum}, 2100, 'their sum');
cmp_ok(abs($window->{value}{min} - 10), '<=', 0.05, 'min, to the bucket');
cmp_ok(abs($window->{value}{max} - 200), '<=', 1, 'max, to the bucket');

sleep WINDOW / 2;
$t->get("/?u=$_&v=1000") for 16 .. 25;
my $second = time();

$window = figures('window');
is($window->{count}, 30, 'more of them');
is($window->{unique}, 25, 'users, each once');

ok($t->wait_for(sub { figures('window')->{count} == 10 }, 2 * WINDOW),
    'the first ones leave');
my $left = time() - $first;
cmp_ok($left, '>', WINDOW - 0.5, 'not before their time');
cmp_ok($left, '<', WINDOW + 2 * $t->slow(), 'within a step');

$window = figures('window');
is($window->{value}{count}, 10, 'with their values');
is($window->{value}{sum}, 10000, 'the sum of the others');
ok($t->wait_for(sub { figures('window')->{unique} == 10 }, 3),
    'and their users');
ok($t->wait_for(sub { figures('window')->{value}{min} > 990 }, 3),
    'and out of the quantiles');
cmp_ok(abs(figures('window')->{rate} - 10 / WINDOW), '<', 0.3, 'the rate');

ok($t->wait_for(sub { figures('window')->{count} == 0 }, 2 * WINDOW),
    'all of them leave');
cmp_ok(time() - $second, '>', WINDOW - 0.5, 'not before their time');
ok($t->wait_for(sub { figures('window')->{unique} == 0 }, 3), 'no users');
ok($t->wait_for(sub { !defined figures('window')->{value}{p50} }, 3),
    'no quantile');
is(figures('window')->{value}{last}, undef, 'no last value');

for my $scope (qw(total stage)) {
    my $figures = figures($scope);
    is($figures->{count}, 30, "$scope: as it was");
    is($figures->{unique}, 25, "$scope: users");
    is($figures->{value}{sum}, 12100, "$scope: sum");
    is($figures->{value}{max}, 1000, "$scope: max");
    is($figures->{value}{last}, 1000, "$scope: last");
}

$t->no_alerts();
done_testing();
