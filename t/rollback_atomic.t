use strict;
use warnings;

# POST rollback is in force in every worker on the next request, draining ones
# included: no request that starts after its answer reaches a canary.

use Test::More;
use Canary;
use Canary::Load;

my $t = Canary->new();

Canary::Load::site(
    $t,
    split => 'canary canary 50%; canary_force $arg_f 1 canary;',
    workers => 4
);
$t->start();

my ($rolled, $after, $before, $changes, $since) = (0, 0, 0, 0, 0);
my $resumes = 0;

my $load = Canary::Load->new(
    $t->port(0),
    request => sub { return "/x?k=$_[0]&f=" . ($_[0] % 10 == 0 ? 1 : 0) },
    started => sub { @{$_[0]}{qw(rolled resumes)} = ($rolled, $resumes) },
    answered => sub {
        my ($request, $status, $head, $body) = @_;
        $since++;
        return if $body ne 'canary';

        # under way when a resume came: it may have been decided after it
        return if $request->{resumes} != $resumes;
        $request->{rolled} ? $after++ : $before++;
    }
);

# the blocking POST stands between two turns of the loop, so what is sent later
# has started after its answer

$load->run(
    seconds => 60 * $t->slow(),
    until => sub { $changes >= 20 && $since > 1000 },
    tick => sub {
        return if $since < 1000 || $changes >= 20;

        if ($changes == 10) {
            $t->reload(wait => 0);
        }

        my $verb = $rolled ? 'resume' : 'rollback';
        $rolled = 0;
        $resumes++ if $verb eq 'resume';
        my $answer = $t->post("/canary/control/baseline/$verb", '');
        is($answer->{status}, 200, "$verb is answered");
        $rolled = $verb eq 'rollback';
        $since = 0;
        $changes++;
    }
);

cmp_ok($before, '>', 1000, 'the canary had requests while it was active');
is($after, 0, 'none after the answer to a rollback');
is($load->{broken}, 0, 'none was lost');

$t->no_alerts();
done_testing();
