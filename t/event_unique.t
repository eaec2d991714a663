# How many different users, from end to end: close to the truth for ten and for
# thousands, by any number of workers, over reloads, and anew in each stage.

use strict;
use warnings;

use Test::More;
use Canary;

# three standard errors of 1.625%
use constant BOUND => 0.05;

my $t = Canary->new();

sub configure {
    my ($workers, $stage, $more) = @_;

    $t->conf(<<"CONF", workers => $workers);
    upstream canary { server 127.0.0.1:%%PORT1%%; keepalive 8; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        keepalive 8;
        canary canary 50% stage=$stage;
        canary_key \$arg_u;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        keepalive_requests 100000;
        location / { return 204; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        keepalive_requests 100000;
        location / {
            proxy_pass http://baseline;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            canary_event visitor unique=\$arg_u;
            $more
        }
        location /canary/ { canary_status; }
    }
CONF
    return;
}

sub users {
    my ($scope) = @_;
    my $visitor = $t->status()->{splits}{baseline}{events}{visitor};
    return {
        map { $_ => $visitor->{$_}{$scope}{unique} }
            keys %$visitor
    };
}

sub both {
    my ($scope) = @_;
    my $users = users($scope);
    return $users->{canary} + $users->{baseline};
}

# each of the users twice
sub visit {
    my ($from, $to) = @_;
    my $client = $t->client();
    for (1 .. 2) {
        for my $user ($from .. $to) {
            my $r = $client->get("/?u=user$user");
            return 0 if $r->{status} != 204;
        }
    }
    return 1;
}

sub close_to {
    my ($got, $expected, $name) = @_;
    ok(abs($got - $expected) <= BOUND * $expected, "$name: $got of $expected");
    return;
}

configure(2, 'one', '');
$t->start();
is_deeply(users('total'), {canary => 0, baseline => 0}, 'nobody yet');

ok(visit(1, 10), 'ten users');
is(both('total'), 10, 'exact');

ok(visit(1, 3000), 'three thousand');
close_to(both('total'), 3000, 'total');
close_to(both('stage'), 3000, 'stage');
close_to(both('window'), 3000, 'window');

my $before = users('total');
configure(1, 'one', '');
ok($t->reload(drain => 1), 'reloaded, with fewer workers');
is_deeply(users('total'), $before, 'the same users');
ok(visit(2001, 3000), 'known ones');
is_deeply(users('total'), $before, 'change nothing');
is_deeply(users('stage'), $before, 'nor in the stage');
is_deeply(users('window'), $before, 'nor in the window');

ok(visit(3001, 4000), 'a thousand new ones');
close_to(both('total'), 4000, 'total');

configure(3, 'two', 'canary_event other;');
ok($t->reload(drain => 1), 'another stage, another event, more workers');
is_deeply(users('stage'), {canary => 0, baseline => 0}, 'the stage is new');
close_to(both('total'), 4000, 'the total is not');
ok(visit(3901, 4100), 'two hundred users, half of them known');
close_to(both('stage'), 200, 'all of them in the stage');
close_to(both('total'), 4100, 'the new ones in the total');
close_to(both('window'), 4100, 'and in the window');

$t->no_alerts();
done_testing();
