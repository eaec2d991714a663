use strict;
use warnings;

# Re-arming begins the stage anew, by POST resume and by a load of 0%: its
# figures, its time and its events; totals go on.

use Test::More;
use Canary;

my $t = Canary->new();

$t->write('split', 'canary canary 50% stage=half;');
$t->conf(<<'CONF', workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        include %%DIR%%/split;
        canary_key $arg_k;
        canary_gate error_rate <= 10% min=20;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200 canary; }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200 baseline; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://baseline;
            canary_event seen unique=$arg_k value=$arg_v;
        }
        location /canary/ { canary_status; }
        location /control/ { canary_control; }
    }
CONF
$t->start();

sub split_of { return $t->status()->{splits}{baseline} }

sub stage_of { return split_of()->{variants}{$_[0]}{stage} }

sub event_of { return split_of()->{events}{seen}{baseline}{$_[0]} }

sub total { return split_of()->{variants}{baseline}{total}{requests} }

sub requests {
    my ($n) = @_;
    $t->get("/?k=$_&v=$_") for 1 .. $n;
    return;
}

sub rollback { return $t->post('/control/baseline/rollback', 'reason=slow') }

sub resume { return $t->post('/control/baseline/resume', 'reason=again') }

sub load {
    my ($text) = @_;
    $t->write('split', $text);
    return $t->reload();
}

# which of the two ways, and the stage that is in force then
for my $way (
    ['resume', sub { resume() }],
    ['resume after a resume', sub { resume() }],
    ['resume after a reload', sub { $t->reload(); resume() }],
    ['0%', sub { load('canary canary 0%;') }],
    ['resume once more', sub { load('canary canary 50%;'); resume() }]
    )
{
    my ($name, $rearm) = @$way;

    requests(60);
    rollback();
    requests(10);
    my $before = split_of();
    my $base = $before->{variants}{baseline};
    cmp_ok($base->{stage}{requests}, '>=', 10, "$name: a stage");
    cmp_ok($base->{stage}{latency}{count}, '>=', 10, "$name: timed");
    cmp_ok(event_of('stage')->{count}, '>=', 10, "$name: events");

    $rearm->();

    my $after = split_of();
    isnt($after->{state}, 'rolled_back', "$name: re-armed");
    cmp_ok(
        $after->{stage}{started_at},
        '>',
        $before->{stage}{started_at},
        "$name: the stage began now"
    );
    cmp_ok($after->{stage}{elapsed},
        '<', 1 * $t->slow(), "$name: and is young");

    for my $variant (qw(baseline canary)) {
        my $figures = $after->{variants}{$variant};
        is($figures->{stage}{requests}, 0, "$name: $variant, no request in it");
        is($figures->{stage}{latency}{count}, 0, "$name: $variant, none timed");
        is($figures->{stage}{latency}{max}, undef, "$name: $variant, no max");
        is_deeply(
            $figures->{total}{requests},
            $before->{variants}{$variant}{total}{requests},
            "$name: $variant, totals go on"
        );
    }
    is(event_of('stage')->{count}, 0, "$name: no event");
    is(event_of('stage')->{unique}, 0, "$name: no user");
    is(event_of('total')->{count}, total(), "$name: events in total");
    is($after->{gates}[0]{status}, 'pending', "$name: gates begin anew");

    requests(30);
    my $sum = stage_of('baseline')->{requests} + stage_of('canary')->{requests};
    is($sum, 30, "$name: 30 requests are counted in the new stage");
    is(
        event_of('stage')->{count},
        stage_of('baseline')->{requests},
        "$name: and their events"
    );
    cmp_ok(stage_of('baseline')->{latency}{min},
        '>', 0, "$name: with their latencies");
}

# what changes nothing leaves the stage

my $before = split_of();
resume();
rollback();
rollback();
$t->reload();
my $after = split_of();
is(
    $after->{stage}{started_at},
    $before->{stage}{started_at},
    'a resume of an active split, a rollback, a reload: the same stage'
);
is_deeply(
    $after->{variants}{$_}{stage}{requests},
    $before->{variants}{$_}{stage}{requests},
    "$_: its figures"
) for qw(baseline canary);

$t->no_alerts();
done_testing();
