use strict;
use warnings;

# A reload switches old and new workers at one instant: no request that starts
# after the first answer of generation N+1 is decided under generation N.

use Test::More;
use Canary;
use Canary::Load;

my $reloads = 20;

my $t = Canary->new();

Canary::Load::site(
    $t,
    split => 'canary canary 5% stage=s0;',
    workers => 2,
    location => 'add_header X-Generation $canary_generation;'
        . ' add_header X-Variant $canary_variant;'
);
$t->start();

my ($newest, $late, $wrong, $loads, %seen) = (0, 0, 0, 0);
my $next = 0;
my @shares = qw(50 0 25 5 99.9 1);

my $load = Canary::Load->new(
    $t->port(0),
    request => sub { return "/x?k=$_[0]" },
    started => sub { $_[0]{newest} = $newest },
    answered => sub {
        my ($request, $status, $head, $body) = @_;
        my ($generation) = $head =~ /^X-Generation: (\d+)/m;
        my ($variant) = $head =~ /^X-Variant: (\w+)/m;
        $late++ if $generation < $request->{newest};
        $wrong++ if $status != 200 || $variant ne $body;
        $newest = $generation if $generation > $newest;
        $seen{$generation}++;
    }
);

$load->run(
    seconds => 60 * $t->slow(),
    until => sub { $newest > $reloads },
    tick => sub {
        return if $newest < $loads + 1 || $seen{$newest} < 200;
        $loads++;
        $t->write('split', "canary canary $shares[$loads % @shares]%;");
        $t->reload(wait => 0);
    }
);

cmp_ok($load->{answers}, '>', 200 * $reloads, 'answers under load');
is($loads, $reloads, 'reloads');
is($newest, $reloads + 1, 'each raised the generation');
is($late, 0, 'none was decided under an older generation');
is($wrong, 0, 'each reached the variant that was decided');
is($load->{broken}, 0, 'none was lost');

$t->no_alerts();
done_testing();
