# Gates on events: one that must not happen, a ratio, a quantile and a mean.
# Each of them takes a bad canary out, names its numbers, and lets a good one
# pass; the gates on the baseline's events do not exist.

use strict;
use warnings;

use Test::More;
use Canary;

my $t = Canary->new();

my @gates = (
    {gate => 'event:pii <= 0', bad => 'pii=1', metric => 'event:pii'},
    {
        gate => 'event:valid/request >= 99.5%',
        bad => 'valid=0',
        metric => 'event:valid/request'
    },
    {
        gate => 'event:queue:p95 <= 30',
        bad => 'q=31',
        metric => 'event:queue:p95'
    },
    {
        gate => 'event:queue:mean <= 20',
        bad => 'q=60',
        metric => 'event:queue:mean'
    },
    {
        gate => 'event:pii <= 60r/m',
        bad => 'pii=1',
        metric => 'event:pii',
        rate => 1
    },
);

sub configure {
    my ($gates) = @_;

    $t->conf(<<"CONF", workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; keepalive 4; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        canary_key \$arg_u;
        canary_window 10s;
        canary_rollback auto pause=0 false_alarm=1h;
        $gates
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        add_header X-Pii \$arg_pii;
        add_header X-Valid \$arg_valid;
        add_header X-Queue \$arg_q;
        location / { return 204; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://baseline;
            canary_event request;
            canary_event pii if=\$upstream_http_x_pii;
            canary_event valid if=\$upstream_http_x_valid;
            canary_event queue value=\$upstream_http_x_queue;
        }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
    return;
}

sub split_now { return $t->status()->{splits}{baseline} }
sub gate_now { return split_now()->{gates}[0] }

# requests of the canary's users, or the baseline's, as the answers are to be
my %variant;
my $user = 0;

sub counted {
    my ($variant) = @_;
    return split_now()->{variants}{$variant}{total}{requests};
}

sub send_to {
    my ($variant, $n, $args) = @_;
    while ($n > 0) {
        if (!defined $variant{$user}) {
            my $before = counted('canary');
            $t->get("/?u=$user&valid=1&q=10");
            $variant{$user} =
                counted('canary') > $before ? 'canary' : 'baseline';
        }
        if ($variant{$user} eq $variant) {
            $t->get("/?u=$user&$args");
            $n--;
        }
        $user = ($user + 1) % 40;
    }
    return;
}

my $good = 'valid=1&q=10';

configure(join ' ', map { "canary_gate $_->{gate} min=20;" } @gates[0 .. 3]);
$t->start();

send_to('canary', 1, $good);
ok(
    $t->wait_for(
        sub {
            send_to('canary', 20, $good);
            send_to('baseline', 20, 'pii=1&q=100');
            return !grep { $_->{status} ne 'pass' } @{split_now()->{gates}};
        },
        20
    ),
    'a good canary passes, whatever the baseline does'
    )
    or diag(map { "$_->{metric}: $_->{status}, $_->{reason}\n" }
        @{split_now()->{gates}});
is(split_now()->{verdict}, 'go', 'the verdict');
my %gate = map { $_->{metric} => $_ } @{split_now()->{gates}};
is($gate{'event:pii'}{actual}, 0, 'nothing that must not happen');
is($gate{'event:valid/request'}{actual}, 1, 'all are valid');
is($gate{'event:queue:mean'}{actual}, 10, 'the mean of the canary');
is(
    $gate{'event:queue:mean'}{samples},
    $gate{'event:queue:p95'}{samples},
    'samples are values'
);

for my $case (@gates) {
    my ($gate, $metric) = @$case{qw(gate metric)};

    configure("canary_gate $gate min=20;");
    ok($t->reload(drain => 1), "$gate: loaded");
    my $bad = $case->{bad};
    $bad .= '&valid=1' if $bad !~ /valid/;
    $bad .= '&q=10' if $bad !~ /q=/;

    send_to('canary', 1, $good);
    ok($t->wait_for(sub { gate_now()->{metric} eq $metric }), 'judged');
    sleep 2;
    is(split_now()->{state}, 'active', 'not rolled back by what was before');

    ok(
        $t->wait_for(
            sub {
                send_to('canary', 20, $bad);
                return split_now()->{state} eq 'rolled_back';
            },
            30
        ),
        'rolled back'
    ) or diag(gate_now()->{reason});
    like(
        split_now()->{reason},
        qr/^canary: \Q$gate\E is broken: \S+ in the/,
        'the reason'
    );
    diag(split_now()->{reason});

    is($t->post('/canary/control/baseline/resume', '')->{status},
        200, 'resumed');
}

$t->no_alerts();
done_testing();
