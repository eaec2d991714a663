use strict;
use warnings;

# With canary_state a history goes on after a restart: the same points, a gap
# for the time without nginx, and then what came since.  Nothing is counted
# twice, and nothing is lost that was counted before the stop.

use List::Util qw(sum0);
use Test::More;
use Time::HiRes qw(sleep);
use Canary;
use Canary::State;

my $t = Canary->new();
my $s = Canary::State->new(
    $t,
    workers => 2,
    more => 'canary_rollback manual; canary_gate p50 <= 1us;'
);

sub history {
    return $t->status('/canary/history.json?upstream=baseline');
}

sub requests {
    my ($series, $variant) = @_;
    return sum0(@{$series->{variants}{$variant}{requests}});
}

$s->load('canary canary 50% stage=half;');
$t->start();

my $diverted = $s->canary(60);
$t->wait_for(sub { return requests(history()->{stage}, 'canary') == $diverted },
    5);
my $before = history();
is(requests($before->{$_}, 'canary'), $diverted, "$_: counted")
    for qw(hour stage);

# not seen by any tick yet, perhaps
$diverted += $s->canary(30);
$t->stop();
sleep 0.3;
$t->start();

my $after = history();
for my $name (qw(hour stage)) {
    my ($old, $new) = ($before->{$name}, $after->{$name});
    my $n = @{$old->{t}} - 1;

    is_deeply([@{$new->{t}}[0 .. $n]], $old->{t}, "$name: the same points");
    is(requests($new, 'canary'), $diverted, "$name: nothing is lost");

    my ($was, $is) = map { $_->{gates}[0]{evidence} } $old, $new;
    ok((grep { $_ && $_ > 0.1 } @$was), "$name: evidence against the canary");
    is_deeply(
        [map { $_ + 0 } @{$is}[0 .. $n - 1]],
        [map { $_ + 0 } @{$was}[0 .. $n - 1]],
        "$name: it is kept"
    ) if $n;
    cmp_ok($is->[$n], '>=', $was->[$n], "$name: nor is the last of it lost");
    ok(@{$new->{t}} < 9, "$name: nothing is added");
}

$diverted += $s->canary(20);
$t->wait_for(sub { return requests(history()->{stage}, 'canary') == $diverted },
    5);
$after = history();
is(requests($after->{$_}, 'canary'), $diverted, "$_: it goes on")
    for qw(hour stage);
is($after->{stage}{generation}[-1], 2, 'with the next generation');

my $stage = $after->{stage};
my @gaps = grep {
    $stage->{t}[$_] - $stage->{t}[$_ - 1] - $stage->{length}[$_ - 1] > 0.03
} 1 .. $#{$stage->{t}};
is(scalar @gaps, 1, 'one gap, without nginx');

$t->no_alerts();
done_testing();
