use strict;
use warnings;

# A canary that takes twice as long from some moment on is rolled back by
# itself, though each of its answers is right: by a limit, and by comparison
# with a baseline that takes as long as it did.

use Test::More;
use Canary;
use Canary::Fault;

my @cases = (
    [['p95 <= 300ms', 'error_rate <= 1%'], qr/^canary: p95 <= 300ms is broken/],
    [['p90 not_worse margin=50% min=50'], qr/^canary: p90 not_worse .* is /],
);

for my $case (@cases) {
    my ($gates, $reason) = @$case;

    my $t = Canary->new();
    my $fault = Canary::Fault->new(
        $t,
        gates => $gates,
        canary => undef,
        baseline => undef
    );
    my $broken = $t->dir() . '/broken';
    $t->http_upstream(
        $t->port(1),
        name => 'canary',
        delay => sub { return -e $broken ? 0.4 : 0.2 }
    );
    $t->http_upstream($t->port(2), name => 'baseline', delay => 0.2);
    $t->start();

    $fault->run(
        clients => 32,
        within => 12,
        break => sub { $t->write('broken', '') },
        reason => $reason,
        is_bad => sub { $_[0]{latency} > 0.38 }
    );
    is($fault->failed(), 0, 'no client saw an error');

    $t->no_alerts();
}

done_testing();
