use strict;
use warnings;

# A canary that does not answer in time is rolled back by itself; the baseline
# answers for it, so that no client sees an error.

use Test::More;
use Canary;
use Canary::Fault;

my $t = Canary->new();
my $fault = Canary::Fault->new(
    $t,
    gates => 'error_rate <= 1%',
    canary => undef,
    pass => 'proxy_read_timeout 700ms; proxy_pass http://documents;'
);
my $broken = $t->dir() . '/broken';
$t->http_upstream(
    $t->port(1),
    name => 'canary',
    broken => sub { return -e $broken ? 'hang' : undef }
);
$t->start();

$fault->run(
    clients => 16,
    within => 8,
    break => sub { $t->write('broken', '') },
    reason => qr/^canary: error_rate <= 1% is broken: \S+% in the stage/,
    is_bad => sub { $_[0]{upstream} =~ /^504/ }
);
is($fault->failed(), 0, 'no client saw an error');

my $total = $fault->documents()->{variants}{canary}{total};
cmp_ok($total->{fallbacks}, '>', 0, 'the baseline answered');
is($total->{responses}{none}, $total->{fallbacks}, 'for each without answer');

$t->no_alerts();
done_testing();
