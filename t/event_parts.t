use strict;
use warnings;

# An event gets values and users, or loses them, by a reload: how often it was
# counted goes on, and they are counted from when they are asked for.

use Test::More;
use Canary;

my $t = Canary->new();

sub loaded {
    my ($name, $event) = @_;

    $t->conf(<<"CONF");
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
        canary_window 10s;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 204; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; canary_event $event; }
        location /canary/ { canary_status; }
    }
CONF
    return ok($t->reload(drain => 1), $name) if $t->master();
    return $t->start();
}

sub event {
    return $t->status()->{splits}{baseline}{events}{seen}{canary};
}

sub requests {
    my @values = @_;

    my $before = event()->{total}{count};
    $t->get("/?u=$_&v=$_") for @values;
    $t->wait_for(sub { event()->{total}{count} == $before + @values }, 5);
    return;
}

# count, values, their sum and the greatest, users
sub seen {
    my ($scope) = @_;

    my $s = event()->{$scope};
    my $v = $s->{value} || {};
    return join ' ', map { defined $_ ? $_ : '-' } $s->{count},
        @$v{qw(count sum max)}, $s->{unique};
}

my $both = 'seen value=$arg_v unique=$arg_u';

loaded('bare', 'seen');
requests(1 .. 5);
is(seen($_), '5 - - - -', "$_: it is counted") for qw(total stage window);

loaded('values and users are asked for', $both);
is(seen('total'), '5 0 0 - 0', 'there are none yet');
requests(10, 20);
is(seen($_), '7 2 30 20 2', "$_: from here on") for qw(total stage);
like(seen('window'), qr/^7 2 30 19\.95 2$/, 'window: the middle of its bucket');

# the place of the window's ring that is in use by now
sleep 3;
requests(30);
is(seen($_), '8 3 60 30 3', "$_: over a step") for qw(total stage);
like(seen('window'), qr/^8 3 60 29\.95 3$/, 'window: likewise');

loaded('another order of the same', 'seen unique=$arg_u value=$arg_v');
is(seen('total'), '8 3 60 30 3', 'is the same');

loaded('they are no longer', 'seen');
is(seen('total'), '8 - - - -', 'and no longer shown');
requests(1);

loaded('and they are again', $both);
is(seen('total'), '9 0 0 - 0', 'they begin anew');
requests(7);
is(seen('total'), '10 1 7 7 1', 'with what comes');

$t->no_alerts();
done_testing();
