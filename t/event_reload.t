# What was counted lives through any reload: another order of names, other
# workers, more events, none at all for a while; a new stage begins from zero,
# and a name that returns goes on where it was.

use strict;
use warnings;

use Test::More;
use Canary;

my $t = Canary->new();

# the event that is counted last
my $last;

sub configure {
    my ($workers, $canary, @events) = @_;

    ($last) = @events ? $events[-1] =~ /^(\w+)/ : undef;

    my $events = join ' ', map { "canary_event $_;" } @events;
    $t->conf(<<"CONF", workers => $workers);
    upstream one { server 127.0.0.1:%%PORT1%%; }
    upstream two { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary $canary;
        canary_key \$arg_u;
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
    return;
}

sub loaded {
    my ($name, @conf) = @_;
    configure(@conf);
    ok($t->reload(drain => 1), $name);
    return;
}

sub requests {
    my ($n) = @_;
    my $before = counted();
    $t->get("/?u=$_&v=$_") for 1 .. $n;
    ok($t->wait_for(sub { counted() == $before + $n }), "$n requests")
        if defined $last;
    return;
}

# by all variants; a request is counted when its answer was sent
sub counted {
    return 0 if !defined $last;
    my $event = $t->status()->{splits}{baseline}{events}{$last};
    my $sum = 0;
    $sum += $_->{total}{count} for values %$event;
    return $sum;
}

sub counts {
    my ($variant, $scope) = @_;
    my $events = $t->status()->{splits}{baseline}{events};
    return {
        map { $_ => $events->{$_}{$variant}{$scope || 'total'}{count} }
            keys %$events
    };
}

sub value {
    my ($scope) = @_;
    return $t->status()->{splits}{baseline}{events}{b}{one}{$scope}{value};
}

my @names = ('a', 'b value=$arg_v');

configure(2, 'one 100%', @names);
$t->start();
requests(10);
is_deeply(counts('one'), {a => 10, b => 10}, 'two events');
is(value('stage')->{sum}, 55, 'a sum');

loaded('another order, fewer workers', 1, 'one 100%', reverse @names);
is_deeply(counts('one'), {a => 10, b => 10}, 'as they were');
is(value('total')->{sum}, 55, 'the sum, too');
requests(5);
is_deeply(counts('one'), {a => 15, b => 15}, 'and go on');

loaded('a new stage', 3, 'one 100% stage=two', @names, 'c');
is_deeply(counts('one', 'stage'), {a => 0, b => 0, c => 0}, 'from zero');
is(value('stage')->{max}, undef, 'no maximum yet');
requests(3);
is_deeply(counts('one', 'stage'), {a => 3, b => 3, c => 3}, 'and on');
is_deeply(counts('one'), {a => 18, b => 18, c => 3}, 'the total goes on');
is(value('stage')->{max}, 3, 'the maximum of the stage');
is(value('total')->{max}, 10, 'and of all time');
cmp_ok(abs(value('stage')->{p50} - 2), '<=', 0.01, 'the median of the stage');

loaded('another canary', 2, 'two 100% stage=two', @names, 'c');
is_deeply(counts('two'), {a => 0, b => 0, c => 0}, 'has its own');
requests(2);
is_deeply(counts('two'), {a => 2, b => 2, c => 2}, 'counters');
loaded('and back', 2, 'one 100%', @names, 'c');
is_deeply(counts('one'), {a => 18, b => 18, c => 3}, 'those of the first');

loaded('a name less', 2, 'one 100%', 'a');
is_deeply(counts('one'), {a => 18}, 'is no longer shown');
loaded('and again', 2, 'one 100%', @names);
is_deeply(counts('one'), {a => 18, b => 18}, 'goes on where it was');

loaded('32 others', 2, 'one 100%', map { "x$_" } 1 .. 32);
requests(4);
is_deeply(counts('one'), {map { ("x$_" => 4) } 1 .. 32}, 'begin from zero');
loaded('the old ones', 2, 'one 100%', @names);
is_deeply(counts('one'), {a => 0, b => 0}, 'had to go');
is(value('total')->{max}, undef, 'with their values');
requests(4);
is_deeply(counts('one'), {a => 4, b => 4}, 'and count anew');
is(value('window')->{sum}, 10, 'in the window, too');

loaded('no event at all', 2, 'one 100%');
is_deeply($t->status()->{splits}{baseline}{events}, {}, 'none is shown');
requests(1);

$t->no_alerts();
done_testing();
