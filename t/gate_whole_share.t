use strict;
use warnings;

# At 100% a gate that compares with the baseline has nothing to compare with:
# it passes and says so, and the other gates decide.

use Test::More;
use Canary;
use Canary::Fault;

my $t = Canary->new();
my $fault = Canary::Fault->new(
    $t,
    gates => [
        'error_rate <= 1% min=50',
        'error_rate not_worse margin=50%',
        'p95 not_worse'
    ]
);
my $conf = $t->read('nginx.conf');
$t->start();

my $user = 0;

sub reasons {
    my $split = $fault->documents();
    my %reasons =
        map { ("$_->{metric} $_->{rule}" => $_->{reason}) } @{$split->{gates}};
    return ($split->{verdict}, \%reasons);
}

$t->get('/?user=' . $user++) for 1 .. 20;
my ($verdict, $reasons) = reasons();
is($verdict, 'pending', 'at 50%: pending');
like(
    $reasons->{'error_rate not_worse'},
    qr/^\d+ of 100 samples$/,
    'it waits for samples'
);

$t->write('nginx.conf', $conf =~ s/canary canary 50%/canary canary 100%/r);
ok($t->reload(), 'reload with 100%');

($verdict, $reasons) = reasons();
is($verdict, 'pending', 'the limit is still to be met');
like($reasons->{'error_rate <='}, qr/^\d+ of 50 samples$/, 'as it says');

for my $gate ('error_rate not_worse', 'p95 not_worse') {
    is(
        $reasons->{$gate},
        'nothing to compare with: the baseline has no share of the requests',
        "$gate: says why it passes"
    );
}

$t->get('/?user=' . $user++) for 1 .. 60;
ok($t->wait_for(sub { (reasons())[0] eq 'go' }), 'go');

$t->write('broken', '');
ok(
    $t->wait_for(
        sub {
            $t->get('/?user=' . $user++) for 1 .. 10;
            return $fault->documents()->{state} eq 'rolled_back';
        }
    ),
    'and a canary that fails is rolled back'
);

$t->no_alerts();
done_testing();
