use strict;
use warnings;

# Counters live through any reload: changed shares, a canary added, removed,
# brought back or renamed, other worker_processes.

use Test::More;
use Canary;

my $t = Canary->new();

sub configure {
    my ($workers, $split) = @_;

    $t->conf(<<"CONF", workers => $workers);
    upstream one { server 127.0.0.1:%%PORT1%%; }
    upstream two { server 127.0.0.1:%%PORT1%%; }
    upstream three { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary_key \$arg_k;
        $split
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
    return;
}

sub requests {
    my $variants = $t->status()->{splits}{baseline}{variants};
    return {map { $_ => $variants->{$_}{total}{requests} } keys %$variants};
}

sub send_requests {
    my ($n) = @_;
    $t->get("/?k=$_") for 1 .. $n;
    return;
}

configure(1, 'canary one 100%;');
$t->start();
send_requests(10);
is_deeply(requests(), {baseline => 0, one => 10}, 'one canary');

configure(3, 'canary one 0%;');
ok($t->reload(), 'another share, more workers');
send_requests(7);
is_deeply(requests(), {baseline => 7, one => 10}, 'counters go on');

configure(2, 'canary one 0%; canary two 100%;');
ok($t->reload(), 'a canary added, fewer workers');
send_requests(5);
is_deeply(requests(), {baseline => 7, one => 10, two => 5}, 'it starts at 0');

configure(2, 'canary two 100%;');
ok($t->reload(), 'the first one removed');
send_requests(3);
is_deeply(requests(), {baseline => 7, two => 8}, 'the other keeps its own');

configure(2, 'canary three 100%; canary one 0%;');
ok($t->reload(), 'one is back, two is called three');
send_requests(2);
is_deeply(
    requests(),
    {baseline => 7, one => 10, three => 2},
    'one has its counters again, a new name starts at 0'
);

configure(1, '');
ok($t->reload(), 'no canary at all');
send_requests(4);
is_deeply(requests(), {baseline => 11}, 'the baseline goes on');
is($t->status()->{splits}{baseline}{state}, 'off', 'the state is off');

$t->no_alerts();
done_testing();
