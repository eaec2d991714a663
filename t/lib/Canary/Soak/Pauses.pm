package Canary::Soak::Pauses;

# SOAK_SCENARIO=pauses: a canary that stands still for 0.3 s every 10 s, as for
# a garbage collection, with a p95 that is within its limit all the same.  It
# must not be rolled back, at 200 requests a second; and then, when it takes
# three times as long as usual, it must be.  The baseline stands still as
# often, at other times.

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Canary;
use Canary::Pace;

use constant {
    RATE => 200,    # requests a second, half of them to the canary
    EVERY => 10,    # seconds between pauses
    PAUSE => 0.3,
    SLOWER => 60,    # seconds in which a slow canary must be out
};


my $main = $$;
my ($t, @backends, @pausers, @workers);

END { _go_on() if $$ == $main }


sub main {
    my $seconds = $ENV{SOAK_SECONDS} || 600;

    local $| = 1;
    print "soak: pauses, $seconds s\n";

    $t = Canary->new();
    @backends = map { _backend($_) } 1, 2;
    _site();
    $_->start() for @backends, $t;
    _stand_still();

    my $pace = Canary::Pace->new($t, rate => RATE);
    my %most;
    my $out = $pace->run(
        $seconds,
        until => sub {
            my $split = $pace->split('documents');
            _keep_most(\%most, $split);
            return $split->{state} ne 'active';
        }
    );
    my $good = $pace->split('documents');
    my @findings = _good($good, $out, $seconds);
    my $took = '-';

    # the same pauses, three times the latency
    if (!$out) {
        my $since = time;
        $t->write('slow1', '');
        $out = $pace->run(SLOWER,
            until => sub { $pace->split('documents')->{state} ne 'active' });
        $took = sprintf '%.1f', time - $since;
        push @findings, 'three times slower, and not rolled back' if !$out;
    }

    my $reason = $pace->split('documents')->{reason};
    _go_on();
    $pace->finish();
    $_->stop() for $t, @backends;
    push @findings, grep { /\[(?:alert|crit|emerg)\]/ } split /\n/,
        $t->error_log();

    _summary($good, \%most, $took, $reason, \@findings);

    return @findings ? 1 : 0;
}


sub _keep_most {
    my ($most, $split) = @_;

    for my $gate (@{$split->{gates}}) {
        my $name = "$gate->{metric} $gate->{rule}";
        my $part = $gate->{evidence} / $gate->{threshold};
        $most->{$name} = $part if $part > ($most->{$name} || 0);
    }

    return;
}


sub _summary {
    my ($good, $most, $took, $reason, $findings) = @_;

    my $canary = $good->{variants}{canary}{total};
    my @numbers = (
        ['requests to the canary', $canary->{requests}],
        map({ ["its $_, s", $canary->{latency}{$_}] } qw(p50 p95 p99 max)),
    );
    for my $gate (@{$good->{gates}}) {
        my $name = "$gate->{metric} $gate->{rule}";
        push @numbers,
            [
            "$name: bad requests",
            defined $gate->{expected} ? $gate->{trials} : $gate->{bad}
            ];
        push @numbers, ["$name: dispersion", $gate->{dispersion}];
        push @numbers,
            [
            "$name: most evidence, of the threshold",
            sprintf '%.2f',
            $most->{$name} || 0
            ];
    }
    push @numbers, ['three times slower: out after, s', $took];
    push @numbers, ['findings', scalar @$findings];

    printf "%-60s %s\n", @$_ for @numbers;
    print "rolled back: $reason\n";
    print "FINDING: $_\n" for @$findings;

    return;
}


# whether it was as it is meant to be: pauses that are seen, and a good p95
sub _good {
    my ($split, $out, $seconds) = @_;

    return "rolled back after pauses: $split->{reason}" if $out;

    my $latency = $split->{variants}{canary}{total}{latency};
    my @findings;
    push @findings, "p95 of $latency->{p95} s is beyond the limit"
        if $latency->{p95} > 0.25;
    push @findings, "no pause: at most $latency->{max} s"
        if $seconds > 2 * EVERY && $latency->{max} < PAUSE;

    return @findings;
}


# an nginx of its own, which answers after 0.1 s, or 0.3 s
sub _backend {
    my ($n) = @_;

    my $backend = Canary->new();
    my $port = $t->port($n);
    my $slow = $t->dir() . "/slow$n";
    my $late = 'auth_basic late; auth_basic_user_file none;'
        . ' error_page 401 = @late;';

    $backend->conf(<<"CONF", module => 0, connections => 1024);
    server {
        listen 127.0.0.1:$port;
        keepalive_requests 1000000;
        location / {
            if (-f $slow) { rewrite ^ /slow last; }
            auth_delay 100ms;
            $late
        }
        location /slow { auth_delay 300ms; $late }
        location \@late { return 200 $n; }
    }
CONF

    return $backend;
}


sub _site {
    $t->conf(<<'CONF', connections => 1024);
    upstream canary { server 127.0.0.1:%%PORT1%%; keepalive 64; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        keepalive 64;
        canary canary 50%;
        canary_key $arg_user;
        canary_gate p95 <= 250ms;
        canary_gate p95 not_worse margin=50%;
        canary_gate error_rate <= 1%;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location /documents { proxy_pass http://documents; }
        location /canary/ { canary_status; }
    }
CONF

    return;
}


# each backend as often, and never both at once
sub _stand_still {
    for my $n (0, 1) {
        my ($worker) = $backends[$n]->workers();
        push @workers, $worker;
        push @pausers, $t->_spawn(sub { _pauses($worker, $n) });
    }

    return;
}


# nothing that is stopped stays so
sub _go_on {
    $t->_end($_) for splice @pausers;
    kill 'CONT', splice @workers;

    return;
}


sub _pauses {
    my ($worker, $n) = @_;

    sleep EVERY / 2 * $n;
    while (1) {
        sleep EVERY - PAUSE;
        kill 'STOP', $worker or last;
        sleep PAUSE;
        kill 'CONT', $worker;
    }

    return;
}


1;
