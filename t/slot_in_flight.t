use strict;
use warnings;

# A request that is under way when its canary loses its slot counts nowhere: not
# for the one that has the slot now.  One that is under way over a load, and
# whose canary keeps its slot, counts as ever.

use Test::More;
use Canary;
use Canary::Slots;

my $t;
my @others = map { "$_ 0%" } 'b' .. 'g';

# latencies are counted with the header, or with all else at the end
for my $latency (qw(upstream header)) {
    $t = Canary->new();
    my $s = Canary::Slots->new(
        $t,
        more => "canary_latency $latency;",
        location => 'canary_event step unique=$arg_u value=$arg_v;'
    );
    $s->load($others[0], 'a 100%', @others[1 .. $#others]);
    $t->start();

    my @kept = begun('stays', 'a 100% stage=other');
    ended($_) for @kept;
    is_deeply(
        figures($s->counted('a', 1), $s, 'a'),
        [1, 1, 1, 1, 1],
        "$latency: a load changes nothing"
    );

    my @lost = begun('leaves', 'h 100%');
    is_deeply(
        figures($s->split_of()->{variants}{h}, $s, 'h'),
        [0, 0, 0, 0, 0],
        "$latency: the eighth name begins from zero"
    );
    ended($_) for @lost;

    # what comes behind them is counted after them
    $s->requests(2, '/?u=1&v=3');
    is_deeply(
        figures($s->counted('h', 2), $s, 'h'),
        [2, 0, 2, 2, 1],
        "$latency: and has its own alone"
    );

    $t->no_alerts();
}

done_testing();

###############################################################################

# a request of the hash and a forced one, under way while it is loaded
sub begun {
    my ($name, @load) = @_;

    my @clients = map { $t->client() } 1 .. 2;
    my @uris = ("/slow/1500/$name?u=$name&v=9", "/slow/1500/$name/forced?f=1");
    for my $i (0 .. 1) {
        $clients[$i]->send("GET $uris[$i] HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    $t->wait_for(sub { $t->seen($t->port(1), qr/\/$name\b/) == 2 })
        or die "they have not begun\n";

    $t->write(
        'split', join '',
        (map { "canary $_;\n" } @load, @others),
        "canary_force \$arg_f 1 " . substr($load[0], 0, 1) . ";\n"
    );
    ok($t->reload(), "loaded: $load[0]");

    return @clients;
}

sub ended {
    my ($client) = @_;

    is($client->response('GET')->{status}, 200, 'it was answered');
    return;
}

sub figures {
    my ($variant, $s, $name) = @_;

    my $total = $variant->{total};
    my $event;
    $t->wait_for(
        sub {
            $event = $s->split_of()->{events}{step}{$name}{total};
            return $event->{count} >= $total->{requests};
        },
        5
    );
    return [
        @$total{qw(requests forced)}, $total->{latency}{count},
        @$event{qw(count unique)}
    ];
}
