use strict;
use warnings;

# A split remembers 32 names of events.  Another one takes the place of the one
# that has been out of the configuration for longest, and begins from zero:
# never of one that left later, nor of one that is in use.

use Test::More;
use Canary;

my $t = Canary->new();
my @names = map { "e$_" } 1 .. 32;

sub configure {
    my (@events) = @_;

    my $events = join ' ', map { "canary_event $_ value=\$arg_v;" } @events;
    return $t->conf(<<"CONF");
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 204; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; $events }
        location /canary/ { canary_status; }
    }
CONF
}

sub loaded {
    my ($name, @events) = @_;

    configure(@events);
    return ok($t->reload(drain => 1), $name);
}

sub without {
    my (@gone) = @_;

    return grep {
        my $name = $_;
        !grep { $_ eq $name } @gone
    } @names;
}

# count and sum of values of each
sub counts {
    my $events = $t->status()->{splits}{baseline}{events};
    return {
        map {
            my $total = $events->{$_}{canary}{total};
            $_ => "$total->{count} of $total->{value}{sum}"
        } keys %$events
    };
}

sub same {
    my ($what, $name, @events) = @_;

    return (map { $_ => $what } grep { $_ ne $name } @events);
}

configure(@names);
$t->start();
$t->get("/?v=$_") for 1 .. 3;
$t->wait_for(sub { counts()->{e32} eq '3 of 6' }, 5);
is_deeply(counts(), {same('3 of 6', '', @names)}, 'each was counted');

loaded('one leaves', without(qw(e5)));
loaded('another one', without(qw(e5 e2)));
loaded('and one more', without(qw(e5 e2 e20)));

my @now = ('new', without(qw(e5 e2 e20)));
loaded('a new one', @now);
is_deeply(
    counts(),
    {same('3 of 6', 'new', @now), new => '0 of 0'},
    'begins from zero, and takes from none that is in use'
);

@now = ('new', without(qw(e5)));
loaded('those that left later come back', @now);
is_deeply(
    counts(),
    {same('3 of 6', 'new', @now), new => '0 of 0'},
    'with what they had'
);

loaded('the first that left comes back for the new one', 'e5', without('e5'));
is_deeply(
    counts(),
    {same('3 of 6', 'e5', @names), e5 => '0 of 0'},
    'what it had is gone, and nothing else'
);

$t->no_alerts();
done_testing();
