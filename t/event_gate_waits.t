use strict;
use warnings;

# A gate on a ratio, where the events of its two names come apart: what is bad
# waits for those that it is of, is never more than these, and is judged
# once, whatever comes later.

use Test::More;
use Canary;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
        canary_rollback manual;
        canary_gate event:a/b <= 50% min=1;
        canary_gate event:a/b >= 50% min=1;
        canary_gate event:b <= 1000r/s;
    }
    canary_event a if=$arg_a;
    canary_event b if=$arg_b;
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 204; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
$t->start();

sub split_now { return $t->status()->{splits}{baseline} }

# how many of each come; trials, and what is bad of them for each of the gates
my @steps = (
    ['a alone', 10, 0, 0, 0, 0],
    ['fewer b than there were a', 0, 6, 6, 6, 0],
    ['more b', 0, 10, 16, 10, 6],
    ['as many a', 6, 0, 16, 10, 6],
    ['one more b', 0, 1, 17, 11, 6],
    ['b for all that waited', 0, 8, 25, 16, 9],
);

ok($t->wait_for(sub { split_now()->{gates}[2]{trials} > 0 }), 'ticks');

my ($a, $b) = (0, 0);
for my $step (@steps) {
    my ($what, $more_a, $more_b, $trials, $at_most, $at_least) = @$step;

    $t->get('/?a=1') for 1 .. $more_a;
    $t->get('/?b=1') for 1 .. $more_b;
    $a += $more_a;
    $b += $more_b;

    # counted, and then a tick
    my $split;
    $t->wait_for(
        sub {
            $split = split_now();
            my %n = map { $_ => $split->{events}{$_}{canary}{total}{count} }
                qw(a b);
            return $n{a} == $a && $n{b} == $b;
        }
    );
    my $clock = $split->{gates}[2]{trials};
    $t->wait_for(
        sub {
            $split = split_now();
            return $split->{gates}[2]{trials} > $clock;
        }
    );

    my @gates = @{$split->{gates}}[0, 1];
    is_deeply([map { [@{$_}{qw(trials bad)}] } @gates],
        [[$trials, $at_most], [$trials, $at_least]], $what);

    # the figure is that of the totals, and never beyond all
    my $part = $b ? ($a < $b ? $a : $b) / $b : undef;
    for my $gate (@gates) {
        next if !$b;
        cmp_ok(abs($gate->{actual} - $part),
            '<', 1e-6, "$what: $gate->{rule}: the figure");
        is($gate->{samples}, $b, "$what: $gate->{rule}: of so many");
    }
}

$t->no_alerts();
done_testing();
