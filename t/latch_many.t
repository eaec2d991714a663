use strict;
use warnings;

# A split that was rolled back more often than there is room for reasons shows
# that of the last time, each time.

use Test::More;
use Canary;
use Canary::State;

use constant ROOM => 64;

my $t = Canary->new();
my $s = Canary::State->new($t, file => '');
$s->load('canary canary 100%;');
$t->start();

my @wrong;
for my $n (1 .. 2 * ROOM + 2) {
    $s->rollback("reason=time+$n");
    my $reason = $s->of('reason');
    push @wrong, "$n: $reason" if $reason ne "time $n";
    $s->resume();
}
is("@wrong", '', 'each time its own reason');
is($s->of('reason'), '', 'and none once it is resumed');

$t->no_alerts(allow => qr/rolled back/);
done_testing();
