use strict;
use warnings;

# A course of errors and latencies that the test drives is found in
# history.json, point by point; a reload with other gates in the middle of it
# loses nothing, and no more does the death of a worker.

use List::Util qw(max min sum0);
use Test::More;
use Canary;

my $t = Canary->new();

$t->http_upstream(
    $t->port(1),
    name => 'canary',
    status => sub { return $_[0]{uri} =~ /bad/ ? 500 : 200 },
    delay => sub { return $_[0]{uri} =~ /slow/ ? 0.2 : 0 }
);

sub configure {
    my ($gates) = @_;

    return $t->conf(<<"CONF", workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
        canary_rollback manual;
        $gates
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
}

sub history {
    return $t->status('/canary/history.json?upstream=baseline');
}

# a column of the canary, from point number $from on
sub column {
    my ($series, $name, $from) = @_;

    my @values = @{$series->{variants}{canary}{$name}};
    return @values[$from .. $#values];
}

my %sent = (requests => 0, errors => 0);

# Sends to each of the paths and waits until all of it is counted; returns the
# stage's series, and the first of its points that is new.
sub phase {
    my (@paths) = @_;

    my $before = history()->{stage};
    $t->get($_) for @paths;
    $sent{requests} += @paths;
    $sent{errors} += grep { /bad/ } @paths;

    my $stage;
    $t->wait_for(
        sub {
            $stage = history()->{stage};
            return sum0(column($stage, 'requests', 0)) == $sent{requests};
        },
        5
    );

    is(sum0(column($stage, $_, 0)), $sent{$_}, "$_ up to here")
        for qw(requests errors);
    return ($stage, scalar @{$before->{t}});
}

configure('canary_gate p95 <= 150ms; canary_gate error_rate <= 50%;');
$t->start();

my ($stage, $from) = phase(('/') x 20);
is_deeply([grep { defined && $_ > 0.15 } column($stage, 'p99', $from)],
    [], 'a good phase is fast');

($stage, $from) = phase('/bad', ('/') x 3, '/bad', '/bad');

ok(
    configure('canary_gate p95 <= 100ms; canary_gate error_rate <= 40%;')
        && $t->reload(),
    'a reload with other gates'
);

($stage, $from) = phase(('/slow') x 5);

# 200 ms lies between bounds of 149 and 246
my @p50 = grep { defined } column($stage, 'p50', $from);
ok(min(@p50) > 0.149 && max(@p50) <= 0.246, "a median of about 0.2: @p50");

is(scalar @{$stage->{gates}}, 2, 'evidence of both gates');
is($stage->{gates}[0]{text}, 'p95 <= 100ms', 'as they are now');
is(
    scalar @{$stage->{gates}[0]{evidence}},
    scalar @{$stage->{t}},
    'a value for each point'
);
is($stage->{gates}[0]{evidence}[0], undef, 'none before there was the gate');
ok(defined $stage->{gates}[0]{evidence}[-1], 'one since');

my $generations = $stage->{generation};
is_deeply([min(@$generations), max(@$generations)],
    [1, 2], 'points know their generation');
is(min(@{$stage->{share}}), 1, 'and the share');

$t->kill_worker();
($stage, $from) = phase('/bad', '/', '/');

my $total = $t->status()->{splits}{baseline}{variants}{canary}{stage};
is($total->{requests}, 34, 'as in status.json');
is($total->{errors}, 4, 'errors, too');

my $hour = history()->{hour};
is(sum0(column($hour, 'requests', 0)), 34, 'the same in the last hour');
is(sum0(column($hour, 'errors', 0)), 4, 'with its errors');

is_deeply([map { $_->{event} } @{$stage->{marks}}],
    ['published'], 'the journal is there as marks');

is($t->get('/canary/history.json')->{status}, 400, 'no upstream: 400');
like(
    $t->get('/canary/history.json')->{body},
    qr/"argument \\"upstream\\" is missing/,
    'it says so'
);
is($t->get('/canary/history.json?upstream=x')->{status},
    404, 'an unknown one: 404');
is($t->post('/canary/history.json?upstream=baseline', '')->{status},
    405, 'nothing but GET and HEAD');

$t->no_alerts(allow => qr/exited on signal 9|has a gate that fails/);
done_testing();
