use strict;
use warnings;

# A relative gate judges what is bad on both sides by the requests that it is
# of, at any share: what one side has waits as long as the other has none, and
# nothing is lost.  A new stage or another share leaves what was judged as it
# is; another margin begins anew.

use Test::More;
use Time::HiRes qw(sleep time);
use Canary;
use Canary::Detector;

my $t = Canary->new();
my %margin = (small => 0.5, half => 0, large => 9);
my %share = (small => '1%', half => '50%', large => '99%');

sub configure {
    my ($stage) = @_;

    my ($upstreams, $locations) = ('', '');
    for my $name (sort keys %share) {
        my $margin = 100 * $margin{$name};
        $upstreams .= <<"CONF";
    upstream $name {
        server 127.0.0.1:%%PORT1%%;
        canary canary $share{$name} stage=$stage;
        canary_key \$arg_u;
        canary_fallback off;
        canary_rollback manual;
        canary_gate error_rate not_worse margin=$margin%;
        canary_gate error_rate <= 99%;
        canary_gate event:clock <= 1000r/s;
    }
CONF
        $locations .= "        location /$name { proxy_pass http://$name; }\n";
    }
    return $t->conf(<<"CONF");
    upstream canary { server 127.0.0.1:%%PORT1%%; }
$upstreams
    canary_event clock if=\$arg_none;
    keepalive_requests 100000;
    add_header X-Variant \$canary_variant always;
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / {
            if (\$arg_bad) { return 503; }
            return 204;
        }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
$locations
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
}

configure('one');
$t->start();
my $client = $t->client();

# a user of each side, by split
my %user;
for my $name (sort keys %share) {
    for my $u (1 .. 3000) {
        last if keys %{$user{$name}} == 2;
        my $variant = $client->get("/$name?u=$u")->{header}{'x-variant'};
        $user{$name}{$variant eq 'canary' ? 'canary' : 'baseline'} ||= $u;
    }
}
is_deeply(
    [map { sort keys %{$user{$_}} } sort keys %share],
    [('baseline', 'canary') x 3],
    'users of both sides'
);

# Requests of one side and what is bad of them, then what the gate has judged.
# One request is enough for all that waits on the other side, so that it does
# not matter in which tick the others were.
my @steps = (
    ['the canary alone', 'canary', 10, 4, 0, 0],
    ['still so', 'canary', 6, 1, 0, 0],
    ['with the baseline', 'baseline', 1, 1, 6, 5],
    ['the baseline alone', 'baseline', 150, 6, 6, 5],
    ['nothing bad on it', 'baseline', 50, 0, 6, 5],
    ['with the canary', 'canary', 1, 1, 13, 6],
    ['all of it is bad', 'canary', 9, 9, 13, 6],
    ['with the baseline', 'baseline', 1, 0, 22, 15],
);

my $watch = Canary::Detector->watch($t);
my @seen = steps();

for my $name (sort keys %share) {

    # of each step that was judged, by the requests that had come until then
    my @expected = (0, 0);
    push @expected, 6 * limit($margin{$name}, 16, 1);
    push @expected, ($expected[-1]) x 2;
    push @expected, $expected[-1] + 7 * limit($margin{$name}, 1, 200);
    push @expected, $expected[-1];
    push @expected, $expected[-1] + 9 * limit($margin{$name}, 9, 1);

    for my $i (0 .. $#steps) {
        my ($what, $trials, $bad) = @{$steps[$i]}[0, 4, 5];
        my $gate = $seen[$i]{$name}{gates}[0];
        is_deeply(
            [@{$gate}{qw(trials bad)}],
            [$trials, $bad],
            "$name: $what: $bad of $trials"
        );
        cmp_ok(abs($gate->{expected} - $expected[$i]),
            '<', 0.0006, "$name: $what: $expected[$i] are expected");
    }

    my $gate = $seen[-1]{$name}{gates}[0];
    my $o = $watch->replay($name, 0, stream => 'pair');
    cmp_ok(abs($gate->{evidence} - $o->{evidence}),
        '<', 0.01, "$name: the evidence of it");
}
cmp_ok($seen[-1]{small}{gates}[0]{evidence},
    '>', 0, 'it is some, at 1% of the requests');

# what is kept, and what is not

my %before = map { $_ => $seen[-1]{$_}{gates}[0] } keys %share;
$share{small} = '2%';
$margin{half} = 0.1;
configure('two');
ok($t->reload(), 'another stage, share and margin');
my $now;
ok(
    $t->wait_for(
        sub {
            $now = $t->status()->{splits};
            return $now->{half}{gates}[0]{stream} > $before{half}{stream};
        }
    ),
    'another margin: another stream'
);
is_deeply(
    [@{$now->{half}{gates}[0]}{qw(trials bad expected evidence)}],
    [0, 0, 0, 0],
    'of which nothing was judged'
);
for my $name (qw(small large)) {
    my $gate = $now->{$name}{gates}[0];
    is_deeply(
        [@{$gate}{qw(stream trials bad expected evidence)}],
        [@{$before{$name}}{qw(stream trials bad expected evidence)}],
        "$name: what was judged is kept"
    );
    is($gate->{samples}, 0, "$name: the stage has none yet");
}

$t->no_alerts();
done_testing();

###############################################################################

# the part of the bad ones that may be the canary's, of so many requests
sub limit {
    my ($margin, $canary, $baseline) = @_;

    my $weight = (1 + $margin) * $canary;
    return $weight / ($baseline + $weight);
}


# what the splits are after each step
sub steps {
    my $splits = $watch->look();
    my %stream = map { $_ => $splits->{$_}{gates}[0]{stream} } keys %share;
    for my $name (sort keys %share) {
        $t->post("/canary/control/$name/$_", '') for qw(rollback resume);
    }
    look_until(
        sub {
            my ($name, $gate) = @_;
            return $gate->{stream} > $stream{$name};
        }
    );

    my %total =
        map { $_ => $splits->{$_}{variants}{canary}{total}{requests} }
        keys %share;
    my $sent = 0;

    return map {
        my (undef, $side, $n, $bad, $trials) = @$_;
        for my $name (sort keys %share) {
            send_to($name, $side, $n, $bad);
        }
        $sent += $n if $side eq 'canary';

        # what waits is there, and a tick has seen it
        look_until(
            sub {
                my ($name, $gate, $split) = @_;
                return $split->{variants}{canary}{total}{requests} ==
                    $total{$name} + $sent;
            }
        );
        $splits = $watch->look();
        my %clock = map { $_ => $splits->{$_}{gates}[-1]{trials} } keys %share;
        look_until(
            sub {
                my ($name, $gate, $split) = @_;
                return $split->{gates}[-1]{trials} > $clock{$name}
                    && $gate->{trials} >= $trials;
            }
        );
    } @steps;
}


# until it is so in each split, which it returns
sub look_until {
    my ($so) = @_;

    my $splits;
    my $end = time + 10 * $t->slow();
    while (time < $end) {
        $splits = $watch->look();
        last
            if !grep { !$so->($_, $splits->{$_}{gates}[0], $splits->{$_}) }
            keys %share;
        sleep 0.03;
    }
    return $splits;
}


sub send_to {
    my ($name, $side, $n, $bad) = @_;

    for my $i (1 .. $n) {
        my $query = "u=$user{$name}{$side}" . ($i <= $bad ? '&bad=1' : '');
        $client->get("/$name?$query");
    }
    return;
}
