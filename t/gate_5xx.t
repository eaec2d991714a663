use strict;
use warnings;

# A canary that answers 503 from some moment on is rolled back by itself.

use Test::More;
use Canary;
use Canary::Fault;

my $t = Canary->new();
my $fault = Canary::Fault->new($t, gates => 'error_rate <= 1%');
$t->start();

$fault->run(
    break => sub { $t->write('broken', '') },
    reason => qr/^canary: error_rate <= 1% is broken: \S+% in the stage/
);
cmp_ok($fault->failed(), '>', 0, 'its answers reached the clients');

$t->no_alerts();
done_testing();
