use strict;
use warnings;

# A relative quantile follows the baseline's own latency when that moves far;
# what was seen before that is not forgotten.

use Test::More;
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF');
    upstream canary {
        server 127.0.0.1:%%PORT1%%;
        keepalive 2;
    }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        keepalive 2;
        canary canary 50%;
        canary_key $arg_user;
        canary_window 10s;
        canary_rollback manual false_alarm=100y;
        canary_gate p90 not_worse min=10;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-Variant $canary_variant;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream($t->port(1),
    delay => sub { return $_[0]{uri} =~ m{^/(\d+)} ? $1 / 1000 : 0 });
$t->start();

# many users: the bad luck of a few would count for less
my %users;
for my $user (1 .. 30) {
    my $r = $t->get("/20?user=$user");
    push @{$users{$r->{header}{'x-variant'}}}, $user;
}
is(join(' ', sort keys %users), 'baseline canary', 'users of each');

my $client = $t->client();

sub pairs {
    my ($n, $baseline, $canary) = @_;

    for (1 .. $n) {
        for my $pair ([baseline => $baseline], [canary => $canary]) {
            my ($variant, $ms) = @$pair;
            my $user = shift @{$users{$variant}};
            push @{$users{$variant}}, $user;
            $client->get("/$ms?user=$user");
        }
    }
    return;
}

sub gate { return $t->status()->{splits}{baseline}{gates}[0] }

sub evidence {
    return gate()->{evidence};
}

sub baseline_p90 {
    my $variants = $t->status()->{splits}{baseline}{variants};
    return $variants->{baseline}{window}{latency}{p90};
}

pairs(10, 20, 20);
ok(
    $t->wait_for(
        sub {
            pairs(4, 20, 60);
            return evidence() >= 3;
        }
    ),
    'three times slower than the baseline: evidence'
);

# both become three times slower

my ($before, $least, $seen) = (evidence(), 99, gate());
my $moved = 2 * baseline_p90();

sub goes_on {
    pairs(2, 60, 180);
    my $evidence = evidence();
    $least = $evidence if $evidence < $least;
    return $evidence;
}

ok(
    $t->wait_for(
        sub {
            goes_on();
            return baseline_p90() > $moved;
        },
        90
    ),
    'the baseline has moved'
);

# and some ticks more, in which the gate follows; until it does, both are beyond
# what it compares, and the evidence shrinks, but it does not go

goes_on() for 1 .. 6;
diag("evidence 10^$before, then at least 10^$least");
is(gate()->{stream}, $seen->{stream}, 'it is the same stream');
cmp_ok(gate()->{trials}, '>=', $seen->{trials}, 'nothing is forgotten');

$t->no_alerts();
done_testing();
