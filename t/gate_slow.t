use strict;
use warnings;

# A canary that takes twice as long from some moment on is rolled back by
# itself, though each of its answers is right.

use Test::More;
use Canary;
use Canary::Fault;

my $t = Canary->new();
my $fault = Canary::Fault->new(
    $t,
    gates => ['p95 <= 300ms', 'error_rate <= 1%'],
    canary => undef
);
my $broken = $t->dir() . '/broken';
$t->http_upstream(
    $t->port(1),
    name => 'canary',
    delay => sub { return -e $broken ? 0.4 : 0.2 }
);
$t->start();

$fault->run(
    clients => 24,
    break => sub { $t->write('broken', '') },
    reason => qr/^canary: p95 <= 300ms is broken: \S+ms in the stage/,
    is_bad => sub { $_[0]{latency} > 0.38 }
);
is($fault->failed(), 0, 'no client saw an error');

$t->no_alerts();
done_testing();
