use strict;
use warnings;

# A canary that fails from some moment on, or is slow, and stays so, is out
# within 8 seconds, under the default that no pause of a second rolls back.

use Test::More;
use Canary;
use Canary::Pace;

my $t = Canary->new();
Canary::Pace::site(
    $t,
    fail => 'canary_gate error_rate <= 1%;',
    slow => 'canary_gate p95 <= 500ms;'
);
$t->start();

my $pace = Canary::Pace->new($t, rate => 150);
$pace->run(4);
is_deeply($pace->{bad}, {}, 'a good time');

my %out;
my $stays = sub {
    for my $name (grep { !$out{$_} } qw(fail slow)) {
        my $split = $pace->split($name);
        $out{$name} = $split if $split->{state} eq 'rolled_back';
    }
    return keys %out == 2;
};
ok($pace->run(20, bad => sub { $_[0] }, until => $stays), 'both are out');

for my $name (qw(fail slow)) {
    my $split = $out{$name};
    my ($gate) = @{$split->{gates}};
    my ($note) = grep { $_->{event} eq 'rollback' } @{$split->{journal}};
    my $took = $note->{time} - $pace->{first}{$name};

    diag(sprintf '%s: %.2f s, %s', $name, $took, $split->{reason});
    like(
        $split->{reason},
        qr/^canary: \Q$gate->{metric}\E <= .* is broken/,
        "$name: by its gate"
    );
    cmp_ok(
        $took, '<',
        8 * $t->slow(),
        "$name: after the first answer that was bad"
    );

    # of which each counts a sixth of the threshold, and all of it grows a bit
    my ($seconds) = $split->{reason} =~ /; (\d+) bad seconds, the last at /;
    cmp_ok($seconds || 0, '>=', 4, "$name: no moment decided");
    cmp_ok($seconds || 0, '<=', 7, "$name: nor did it take more than it must");
    cmp_ok($gate->{evidence}, '>=', $gate->{threshold}, "$name: the evidence");
    is($gate->{status}, 'fail', "$name: the gate");
}

$t->no_alerts();
done_testing();
