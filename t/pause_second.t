use strict;
use warnings;

# One second in which all answers of the canary are slow, or fail, rolls
# nothing back, by default; with pause=0 the same second does.

use Test::More;
use Time::HiRes qw(time);
use Canary;
use Canary::Pace;

my $t = Canary->new();

# with a threshold that one such second can reach, the same for both
my $gates = 'canary_gate p95 <= 500ms; canary_gate p99 <= 500ms;'
    . ' canary_gate error_rate <= 1%; canary_rollback auto false_alarm=1h';
Canary::Pace::site($t, calm => "$gates;", hasty => "$gates pause=0;");
$t->start();

my $pace = Canary::Pace->new($t, rate => 150);
$pace->run(3);
second('slow', 0, 1);

is($t->post('/canary/control/hasty/resume', '')->{status}, 200, 're-armed');
$pace->run(2);
second('fail', 2);

$t->no_alerts();
done_testing();


# and which gates of "calm" see it
sub second {
    my ($bad, @gates) = @_;

    my $begun = int time;
    $pace->run(1, bad => $bad);

    my %seen;
    my $decided = sub {
        for my $gate (@{$pace->split('calm')->{gates}}[@gates]) {
            $seen{$gate->{metric}} = $gate if $gate->{reason} =~ /bad second/;
        }
        return keys %seen == @gates
            && $pace->split('hasty')->{state} eq 'rolled_back';
    };
    ok($pace->run(5, until => $decided), "$bad: with pause=0 rolled back")
        or diag(explain($pace->split('hasty')->{gates}));

    # it takes a tick more to be sure of all of it
    $pace->run(1.2);
    $decided->();
    is($pace->split('calm')->{state}, 'active', "$bad: else it is not");
    bad_second("$bad: $_", $seen{$_}, $begun) for sort keys %seen;

    return;
}


sub bad_second {
    my ($name, $gate, $begun) = @_;

    diag("$name: $gate->{reason}");
    isnt($gate->{status}, 'fail', "$name does not fail");
    cmp_ok($gate->{evidence}, '<', $gate->{threshold}, "$name: the evidence");

    my ($seconds, $h, $m, $s, $counted, $of) =
        $gate->{reason} =~ m{;\ (\d)\ bad\ seconds?(?:,\ the\ last)?\ at
            \ (\d\d):(\d\d):(\d\d)\ UTC,\ counted\ as\ (\S+)\ of\ ([\d.]+)}x;
    ok($seconds, "$name: the reason shows the bad second") or return;
    cmp_ok($seconds, '<=', 4, "$name: as few ticks as it was in");
    my $at = ($h * 3600 + $m * 60 + $s - $begun) % 86400;
    cmp_ok($at, '<=', 5 * $t->slow(), "$name: and when");
    is($of, sprintf('%.1f', $gate->{threshold}), "$name: the threshold");
    cmp_ok(abs($counted - $seconds * $gate->{threshold} / 6),
        '<', 0.06, "$name: each counted as a sixth of it, as pause=1s says");

    return;
}
