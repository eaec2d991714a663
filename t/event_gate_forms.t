use strict;
use warnings;

# Each form of a gate on events, in both directions: a canary that is just
# within the limit passes and stays, one that is beyond it is rolled back; of
# what is too rare nothing is.

use Test::More;
use Canary;

# requests in a row: of 50, how many are so, what the values are
my %splits = (
    most => ['event:a/all >= 95%', {a => 48}, {a => 30}],
    half => ['event:a/all >= 50%', {a => 26}, {a => 5}],
    few => ['event:a/all <= 5%', {a => 2}, {a => 20}],
    majority => ['event:a/all <= 50%', {a => 24}, {a => 50}],
    exact => ['event:a/all <= 10%', {a => 5}, {a => 45}],
    median => ['event:v:p50 <= 30', {v => [30, 31]}, {v => [30.5]}],
    tail => ['event:v:p90 <= 30', {v => [(30) x 9, 500]}, {v => [40]}],
    mean => ['event:v:mean <= 20', {v => [10, 30]}, {v => [150]}],
    never => ['event:a <= 0', {a => 0}, {a => 1}],
    seldom => ['event:a <= 30r/m', {a => 0}, {a => 50}],
    often => ['event:a >= 1r/m', {a => 50}, {a => 0}],
);

my $t = Canary->new();
my ($upstreams, $locations) = ('', '');
for my $name (sort keys %splits) {
    $upstreams .= <<"CONF";
    upstream $name {
        server 127.0.0.1:%%PORT1%%;
        keepalive 2;
        canary canary 100%;
        canary_window 10s;
        canary_rollback auto pause=0 false_alarm=1h;
        canary_gate $splits{$name}[0] min=50;
    }
CONF
    $locations .= "        location /$name { proxy_pass http://$name; }\n";
}
$t->conf(<<"CONF");
    upstream canary { server 127.0.0.1:%%PORT1%%; keepalive 4; }
$upstreams
    canary_event all;
    canary_event a if=\$arg_a;
    canary_event v value=\$arg_v;
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 204; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        keepalive_requests 1000000;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
$locations
        location /canary/ { canary_status; }
    }
CONF
$t->start();
my $client = $t->client();

# well: each passes, and does so for some ticks

ok(
    $t->wait_for(
        sub {
            my $now = round(1);
            return !grep { $now->{$_}{verdict} ne 'go' } keys %splits;
        }
    ),
    'within its limit each passes'
) or diag(map { "$_->[0]: $_->[1]\n" } reasons());
my $now;
for (1 .. 12) {
    select undef, undef, undef, 0.2;
    $now = round(1);
}
for my $name (sort keys %splits) {
    is($now->{$name}{state}, 'active', "$name: not rolled back");
    is($now->{$name}{verdict}, 'go', "$name: and still passes")
        or diag($now->{$name}{gates}[0]{reason});
    cmp_ok($now->{$name}{gates}[0]{evidence},
        '<', 1, "$name: hardly any evidence against it");
}

# badly: each is rolled back by its gate

ok(
    $t->wait_for(
        sub {
            $now = round(2);
            return 1 == grep { $_->{state} eq 'active' } values %$now;
        },
        20
    ),
    'beyond its limit each is rolled back'
) or diag(map { "$_->[0]: $_->[1]\n" } reasons());
for my $name (grep { $_ ne 'often' } sort keys %splits) {
    my $gate = $splits{$name}[0];
    is($now->{$name}{state}, 'rolled_back', "$name: rolled back");
    like(
        $now->{$name}{reason},
        qr{^canary: \Q$gate\E is broken: \d},
        "$name: by its gate"
    );
}
is($now->{often}{state}, 'active', 'often: what is too rare never fails');
is($now->{often}{gates}[0]{evidence}, 0, 'often: nor is it any evidence');

$t->no_alerts();
done_testing();

###############################################################################

# 50 requests to each split that is not rolled back, well (1) or badly (2)
sub round {
    my ($how) = @_;

    my $splits = $t->status()->{splits};
    for my $name (sort keys %splits) {
        next if $splits->{$name}{state} ne 'active';
        my $what = $splits{$name}[$how];
        my @values = @{$what->{v} || [1]};
        for my $i (0 .. 49) {
            my $a = $i < ($what->{a} || 0) ? '&a=1' : '';
            $client->get("/$name?v=$values[$i % @values]$a");
        }
    }
    return $t->status()->{splits};
}


sub reasons {
    my $splits = $t->status()->{splits};
    return map { [$_, $splits->{$_}{gates}[0]{reason}] } sort keys %$splits;
}
