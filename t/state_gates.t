# What the gates have seen is kept over a restart and a crash: their evidence
# and what it is of go on, under the same number.  Re-armed, they begin anew,
# and their numbers are not given out again.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::State;

my $t = Canary->new();
my $s = Canary::State->new($t, more => <<'CONF');
        canary_rollback manual;
        canary_gate error_rate <= 1%;
        canary_gate error_rate not_worse;
        canary_errors 5xx if=$arg_e;
CONF

$s->load('canary canary 50%;');
$t->start();

my $sent = send_bad(40);
ok($sent > 5, 'some of the canary failed');
ok(judged($sent), 'and were judged');

my @before = gates();
cmp_ok($before[0]{evidence}, '>', 0, 'against it');
is($before[0]{stream}, 1, 'the first stream');
is($before[1]{stream}, 2, 'and the second one');

$s->restart();
same('a restart', @before);

my $more = send_bad(40);
ok(judged($sent + $more), 'what comes then is added');
@before = gates();

ok($s->written(), 'written');
$s->crash();
$t->start();
same('a crash', @before);

$s->rollback('reason=slow');
$s->resume();
ok($t->wait_for(sub { (gates())[0]{stream} > 2 }), 're-armed, they begin anew');
is((gates())[0]{bad}, 0, 'with nothing');

my ($stream) = map { $_->{stream} } gates();
$s->restart();
is((gates())[0]{stream}, $stream, 'and go on over a restart');

$t->no_alerts();
done_testing();

###############################################################################

# each of so many users once; how many reached the canary
sub send_bad {
    my ($n) = @_;

    return scalar grep { $t->get("/?e=1&k=$_")->{body} eq 'canary' } 1 .. $n;
}

sub gates {
    return @{$s->of('gates')};
}

sub judged {
    my ($n) = @_;

    return $t->wait_for(sub { (gates())[0]{trials} == $n });
}

sub same {
    my ($what, @expected) = @_;

    my @got = gates();

    for my $i (0, 1) {
        for my $field (qw(stream trials bad evidence)) {
            is($got[$i]{$field}, $expected[$i]{$field}, "$what: $field");
        }
    }

    return;
}
