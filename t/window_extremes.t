use strict;
use warnings;

# A window may begin behind latencies and values of any size: those that are in
# it are counted whether they are less than all before, more, or among them.
# After a restart a window begins at once, with what was counted before.

use Test::More;
use Canary;

my $t = Canary->new();
mkdir $t->dir() . '/state';
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
        canary_state %%DIR%%/state/file;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://baseline;
            canary_event step value=$arg_v;
        }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream($t->port(1),
    delay => sub { $_[0]{uri} =~ m{^/slow/(\d+)} ? $1 / 1000 : 0 });
$t->start();

sub now { return $t->status()->{splits}{baseline} }

# requests of so many milliseconds and so much
sub requests {
    my ($total, @pairs) = @_;

    $t->get("/slow/$_->[0]?v=$_->[1]") for @pairs;
    $t->wait_for(sub { now()->{events}{step}{canary}{total}{count} == $total },
        5);
    return;
}

# less than 100 ms, less than 400 ms, or more
sub class { return ($_[0] >= 0.1) + ($_[0] >= 0.4) }

# of the window: how many latencies, and the classes of the least, the median
# and the greatest; how many values, and the same in hundreds
sub window {
    my $split = now();
    my $latency = $split->{variants}{canary}{window}{latency};
    my $value = $split->{events}{step}{canary}{window}{value};

    return [
        $latency->{count},
        (map { class($latency->{$_}) } qw(min p50 max)),
        $value->{count},
        (map { int($value->{$_} / 100 + 0.5) } qw(min p50 max))
    ];
}

requests(5, ([110, 200]) x 5);
is_deeply(window(), [5, 1, 1, 1, 5, 2, 2, 2], 'the first ones');

$t->stop();
$t->start();
is(now()->{variants}{canary}{window}{latency}{count}, 0, 'a window begins');

requests(8, ([0, 30]) x 3);
is_deeply(window(), [3, 0, 0, 0, 3, 0, 0, 0], 'less than all before');

requests(12, ([410, 900]) x 4);
is_deeply(window(), [7, 0, 2, 2, 7, 0, 9, 9], 'and more than all before');

requests(17, ([110, 200]) x 5);
is_deeply(window(), [12, 0, 1, 2, 12, 0, 2, 9], 'and among those before');
is(now()->{variants}{canary}{total}{latency}{count}, 17, 'the total has all');

$t->no_alerts();
done_testing();
