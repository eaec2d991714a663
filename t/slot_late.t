use strict;
use warnings;

# Requests that clients give up beyond a gate's limit are counted for the name
# that has the slot now, whatever was counted for the one before it, and for
# which limit.

use Test::More;
use Time::HiRes qw(sleep);
use Canary;
use Canary::Slots;

my $t = Canary->new();
my $s = Canary::Slots->new(
    $t,
    more => <<'CONF'
        canary_rollback manual;
        include %%DIR%%/gates;
CONF
);
my @others = map { "$_ 0%" } 'b' .. 'g';

sub gate {
    my ($name) = @_;

    my ($gate) = grep { $_->{variant} eq $name } @{$s->split_of()->{gates}};
    return $gate;
}

# clients that leave 0.3 s after the upstream has their requests
sub leave {
    my ($name, $n) = @_;

    my $seen = $t->seen($t->port(1), qr/hang/);
    my @clients = map { $t->client() } 1 .. $n;
    $_->send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n") for @clients;
    $t->wait_for(sub { $t->seen($t->port(1), qr/hang/) == $seen + $n });
    sleep 0.3;
    $_->close() for @clients;
    $s->counted($name, $n);

    return is($s->split_of()->{variants}{$name}{total}{aborted},
        $n, "$n are given up");
}

# a limit holds from the first tick behind its load on, at the latest the second
sub begun {
    my ($name) = @_;

    $t->wait_for(sub { gate($name)->{stream} }, 5) or die "no tick\n";
    my $time = $t->status()->{time};
    $t->wait_for(sub { $t->status()->{time} > $time + 1.1 });
    return;
}

$t->write('gates', 'canary_gate p95 <= 100ms;');
$s->load('a 100%', @others);
$t->start();
begun('a');
leave('a', 4);
is(gate('a')->{samples}, 4, 'beyond the limit of the first one');

$t->write('gates', 'canary_gate p95 <= 150ms;');
$s->load('a 100%', @others);
begun('a');
is(gate('a')->{samples}, 0, 'another limit begins with none');

ok($s->load('h 100%', @others), 'the eighth name');
begun('h');
is(gate('h')->{samples}, 0, 'has none');
leave('h', 2);
is(gate('h')->{samples}, 2, 'and then its own');

$t->no_alerts();
done_testing();
