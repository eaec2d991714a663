use strict;
use warnings;

# The history has room for the evidence of 32 gates.  Others take the places of
# those that have been out of the configuration for longest, and show nothing of
# theirs; a gate that left later comes back with what it had.

use List::Util qw(max);
use Test::More;
use Canary;

my $t = Canary->new();

# eight gates, with other limits in each set
sub gates {
    my ($set) = @_;

    return (
        (map { "error_rate $_" } "<= $set%", "not_worse margin=$set%"),
        (map { "${_}_rate <= $set%" } qw(abort retry)),
        (map { "$_ <= ${set}s" } qw(p50 p90 p95 p99))
    );
}

sub configure {
    my ($set) = @_;

    my $gates = join "\n        ", map { "canary_gate $_;" } gates($set);
    return $t->conf(<<"CONF");
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
        canary_rollback manual pause=0 false_alarm=1m;
        $gates
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        return 500;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
}

sub loaded {
    my ($set) = @_;

    configure($set);
    ok($t->reload(drain => 1), "gates with a limit of $set");
    return begun();
}

# a tick has given them their places
sub begun {
    return $t->wait_for(
        sub {
            return !grep { !$_->{stream} }
                @{$t->status()->{splits}{baseline}{gates}};
        },
        5
    ) || die "no tick\n";
}

# the most that the gate on errors with that limit ever had
sub evidence {
    my ($set) = @_;

    my ($gate) =
        grep { $_->{text} eq "error_rate <= $set%" }
        @{$t->status('/canary/history.json?upstream=baseline')->{stage}{gates}};
    return max(0, grep { defined } @{$gate->{evidence}});
}

# errors, until that is seen in its history
sub errors {
    my ($set) = @_;

    return ok(
        $t->wait_for(
            sub {
                $t->get('/') for 1 .. 5;
                return evidence($set) > 0.2;
            },
            20
        ),
        "evidence under a limit of $set"
    );
}

configure(1);
$t->start();
begun();
errors(1);
loaded(2);
loaded(3);
loaded(4);
errors(4);
my $before = evidence(4);

# there is no room for these and for the first ones
loaded(5);
is(evidence(5), 0, 'others have none of what was there before');

loaded(4);
cmp_ok(evidence(4), '>=', $before, 'a gate that left later has what it had');

loaded(1);
is(evidence(1), 0, 'what was gone for longest is gone');

$t->no_alerts();
done_testing();
