#!/usr/bin/perl

# Each expression of the Grafana dashboard has data, for all machines and for
# one, in a Prometheus that has seen a rehearsal, a stage, and a rollback by a
# gate; and what it shows of them is what happened.

use strict;
use warnings;

use List::Util qw(max min uniqnum);
use Test::More;
use Time::HiRes qw(sleep time);

use Canary;
use Canary::Dashboard;
use Canary::Load;
use Canary::Monitoring;

my $t = Canary->new();
my $other = Canary->new();
my $monitoring =
    Canary::Monitoring->new($t, machines => [map { $_->port(0) } $t, $other]);
my $dashboard = Canary::Dashboard->new();
my $dir = $t->dir();
mkdir "$dir/state";

# The first server of a canary is dead, and its other one fails once "broken"
# is there.  The canary of "images" is the same.
sub configure {
    my ($machine, $split) = @_;

    $machine->conf(<<"CONF");
    proxy_next_upstream error timeout http_500;
    upstream sliceB {
        server 127.0.0.1:%%PORT1%% max_fails=0;
        server 127.0.0.1:%%PORT2%% max_fails=0;
    }
    upstream sliceC { server 127.0.0.1:%%PORT3%%; }
    upstream documents {
        server 127.0.0.1:%%PORT3%%;
        keepalive 8;
        $split
        canary sliceC 5%;
        canary_key \$arg_k;
        canary_force \$arg_force 1 sliceB;
        canary_bypass \$arg_bypass;
        canary_window 10s;
        canary_state state/documents;
        canary_rollback auto false_alarm=1h pause=0;
        canary_gate p95 <= 2s min=10;
        canary_gate error_rate <= 5% min=10;
        canary_gate error_rate not_worse min=10;
    }
    upstream images {
        server 127.0.0.1:%%PORT3%%;
        canary sliceB off stage=none;
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / {
            if (-f %%DIR%%/broken) { return 500; }
            return 200;
        }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        keepalive_requests 1000000;
        canary_event seen unique=\$arg_k value=\$arg_v;
        location / {
            proxy_pass http://documents;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
        location /images { proxy_pass http://images; }
        location /canary/ { canary_status; }
        location /control/ { canary_control; }
    }
CONF
    return;
}

configure($t, 'canary sliceB 20% stage=s1;');
mkdir $other->dir() . '/state';
configure($other, 'canary sliceB 30% stage=s1;');
$_->http_upstream(
    $_->port(3),
    name => 'old',
    status => sub { $_[0]{uri} =~ /fail/ ? 500 : 200 },
    delay => sub { $_[0]{uri} =~ /slow/ ? 5 : 0.002 }
) for $t, $other;
$_->start() for $other, $t;
$monitoring->prometheus();
my $begin = time;

sub split_of { return $t->status()->{splits}{documents} }

# waits until Prometheus has seen that much on the first machine
sub seen {
    my ($promql, $value) = @_;

    my $of = sprintf 'instance="127.0.0.1:%d",upstream="documents"',
        $t->port(0);
    return ok(
        $t->wait_for(
            sub { ($monitoring->query(sprintf $promql, $of) || 0) >= $value }
        ),
        "$promql is $value"
    );
}

# clients that leave before the answer, and requests of all kinds, some of
# them to the other machine
my ($n, @leaving) = (0);
my $load = Canary::Load->new(
    $t->port(0),
    clients => 2,
    request => sub {
        sleep 0.004;
        my $uri = sprintf '/?k=%d&v=%d', ++$n, $n % 100;
        return '/?v=1' if $n % 20 == 1;
        return '/images' if $n % 20 == 2;
        return "/fail?k=$n" if $n % 20 == 3;
        return $uri . ('&force=1', '&bypass=1')[$n % 2] if $n % 20 < 6;
        return $uri;
    }
);

sub load {
    my ($seconds, $until) = @_;

    my ($asked, $done) = (0, 0);
    $load->run(
        seconds => $seconds * $t->slow(),
        tick => sub {
            return if time < $asked + 0.2;
            $asked = time;
            $other->get('/?k=' . ++$n);
            $done = $until && $until->();
            shift(@leaving)->close() if @leaving > 5;
            push @leaving, my $client = $t->client();
            $client->send(
                'GET /slow?k=' . ++$n . " HTTP/1.1\r\nHost: a\r\n\r\n");
        },
        until => sub { $done }
    );
    $_->close() for splice @leaving;
    return $done;
}

my @stages =
    map { $_->status()->{splits}{documents}{stage}{started_at} } $other, $t;
is($t->post('/control/documents/rollback', 'cause=rehearsal')->{status},
    200, 'a rehearsal');
seen('sum_over_time(nginx_canary_rolled_back{%s}[1m])', 2);
is($t->post('/control/documents/resume', '')->{status}, 200, 'taken back');
seen('1 - nginx_canary_rolled_back{%s}', 1);
push @stages, split_of()->{stage}{started_at};

# the state file cannot be written
rename "$dir/state", "$dir/gone" or die "rename: $!\n";
load(6, sub { $monitoring->query('sum(nginx_canary_state_errors_total) > 0') });
rename "$dir/gone", "$dir/state" or die "rename: $!\n";

configure($t, 'canary sliceB 50% stage=s2;');
ok($t->reload(), 'the second stage');
push @stages, split_of()->{stage}{started_at};
load(4);
my $broken = time;
$t->write('broken', '');
ok(load(20, sub { split_of()->{state} eq 'rolled_back' }), 'rolled back');
my $after = split_of();
push @stages, $after->{stage}{started_at};
my ($rollback) = grep { $_->{event} eq 'rollback' && $_->{time} > $broken }
    @{$after->{journal}};
load(2);
seen('nginx_canary_rollbacks_total{cause="gate",%s}', 1);

# the last step, of a second each, is after that
sleep 1;

my $end = time;
my %time = (__rate_interval => '10s', __range => int($end - $begin + 1) . 's');
my %one = (
    job => 'nginx_canary',
    instance => '127\\\\.0\\\\.0\\\\.1:' . $t->port(0),
    upstream => 'documents'
);

# the values that are numbers: ([time, value], ..)
sub points {
    my ($series) = @_;

    return grep { $_->[1] ne 'NaN' } @{$series->{values}};
}

my %data;
for my $query ($dashboard->queries()) {
    my $name = $query->{name};

    if ($query->{kind} eq 'variable') {
        my ($label) = @{$query->{labels}};
        my $found = $monitoring->series(Canary::Dashboard::fill($query->{expr}),
            $begin, $end);
        my %values = map { ($_->{$label} // '') => 1 } @$found;
        $data{$name} = [sort keys %values];
        next;
    }

    my %wrong;
    for my $of ([], [%one]) {
        my $series = $monitoring->range(
            Canary::Dashboard::fill($query->{expr}, %time, @$of),
            $begin, $end);
        my @points = map { points($_) } @$series;
        $wrong{nothing} = 1 if !grep { $_->[1] != 0 } @points;
        for my $label (@{$query->{labels}}) {
            $wrong{"no label $label"} = 1
                if grep { !length($_->{metric}{$label} // '') } @$series;
        }
        for my $label (@$of ? qw(instance upstream) : ()) {
            (my $value = $one{$label}) =~ s/\\//g;
            $wrong{"another $label"} = 1
                if grep { ($_->{metric}{$label} // $value) ne $value } @$series;
        }
        $data{$name} = $series if !@$of;
    }
    is_deeply([sort keys %wrong], [], "$name: has data")
        or diag($query->{expr});
}

# columns of tables are labels
for my $panel (grep { $_->{type} eq 'table' } $dashboard->panels()) {
    my %there = map { $_ => 1 } map { keys %{$_->{metric}} }
        map { @{$data{"$panel->{title}, $_->{refId}"}} } @{$panel->{targets}};
    my ($organize) =
        grep { $_->{id} eq 'organize' } @{$panel->{transformations}};
    is_deeply(
        [
            grep { !/^Value/ && !$there{$_} }
            sort keys %{$organize->{options}{renameByName}}
        ],
        [],
        "$panel->{title}: the columns are there"
    );
}

# what it shows is what happened

is_deeply($data{'variable job'}, ['nginx_canary'], 'variable job');
is_deeply(
    $data{'variable instance'},
    [sort map { '127.0.0.1:' . $_->port(0) } $t, $other],
    'variable instance: both machines'
);
is_deeply(
    $data{'variable upstream'},
    ['documents', 'images'],
    'variable upstream: both splits'
);

# the points of a query's series with these labels
sub shown {
    my ($name, %labels) = @_;

    my @series = grep {
        my $metric = $_->{metric};
        !grep { ($metric->{$_} // '') ne $labels{$_} } keys %labels
    } @{$data{$name}};
    return map { points($_) } @series;
}

sub values_of {
    return [uniqnum sort { $a <=> $b } map { $_->[1] } @_];
}

my @state = shown('State over time, A', upstream => 'documents');
my @before = grep { $_->[0] < $broken } @state;
is($state[-1][1], 5, 'at the end the split is rolled back');
ok((grep { $_->[1] == 3 } @before), 'the rehearsal is shown as one');
is_deeply([grep { $_->[1] >= 4 } @before], [], 'and not as a rollback');
is_deeply(values_of(shown('State over time, A', upstream => 'images')),
    [-1], 'a split that is off has no share');

my $instance = '127.0.0.1:' . $other->port(0);
my @there = shown(
    'State by machine, A',
    upstream => 'documents',
    instance => $instance
);
is_deeply([grep { $_->[1] > 1 || $_->[1] < 0 } @there],
    [], 'nothing happened on the other machine');

# means of both: 25% or 55%, or nothing in a rollback, and 35%
is_deeply(
    [
        map { sprintf '%.3f', $_ } @{
            values_of(
                shown('Share of the canaries, A', upstream => 'documents')
            )
        }
    ],
    ['0.175', '0.300', '0.450'],
    'the share of the canaries'
);
is_deeply(values_of(shown('Share of the canaries, A', upstream => 'images')),
    [0], 'that of a split that is off');

is_deeply(
    [map { $_->{metric} } @{$data{'annotation Rollbacks'}}],
    [{upstream => 'documents', cause => 'gate'}],
    'one rollback is marked'
);
my $mark = min(map { $_->[0] } shown('annotation Rollbacks'));
cmp_ok($mark, '>=', int $rollback->{time}, 'at its time');
my @rehearsals = map { $_->[0] } shown('annotation Rehearsals');
cmp_ok(min(@rehearsals), '<', $broken, 'the rehearsal has a mark of its own');
is_deeply(
    [
        map { $_ / 1000 }
            @{values_of(shown('annotation Stages', upstream => 'documents'))}
    ],
    [uniqnum sort { $a <=> $b } @stages],
    'stages are marked to the millisecond'
);

my %rollbacks = map {
    my @points = points($_);
    ($_->{metric}{cause} => $points[-1][1])
} @{$data{'Rollbacks in this time, A'}};
is_deeply(\%rollbacks, {gate => 1, rehearsal => 1}, 'rollbacks are counted');

cmp_ok(max(map { $_->[1] } shown('Error rate, A', variant => 'documents')),
    '<', 0.3, 'the baseline seldom fails');
cmp_ok(max(map { $_->[1] } shown('Error rate, A', variant => 'sliceB')),
    '>', 0.1, 'the canary often');
is_deeply([grep { $_->[1] > 1 } shown('Error rate, A')],
    [], 'no more than all');
is(scalar @{$data{'Machines that answer Prometheus, A'}},
    2, 'and no target of another job counts as one');

$other->no_alerts(allow => qr/connect\(\) failed/);
$t->no_alerts(allow => qr/connect\(\) failed|state file/);

done_testing();
