use strict;
use warnings;

# A canary that starts to fail is rolled back by itself, and stays so.

use Test::More;
use Time::HiRes qw(time);
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF', workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50% stage=stage1;
        canary_key $arg_user;
        canary_rollback auto pause=0 false_alarm=1h;
        canary_gate error_rate <= 1%;
        canary_gate p95 <= 500ms;
        canary_gate throughput >= 1r/s;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / {
            if (-f %%DIR%%/broken) { return 503; }
            return 200 canary;
        }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200 baseline; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
$t->start();

my $user = 0;

sub split_of { return $t->status()->{splits}{baseline} }

sub gate_of {
    my ($metric) = @_;
    return (grep { $_->{metric} eq $metric } @{split_of()->{gates}})[0];
}

sub requests {
    my ($n) = @_;
    my %by;
    for (1 .. $n) {
        my $r = $t->get('/?user=' . $user++);
        $by{$r->{status} == 503 ? 'failed' : $r->{body}}++;
    }
    return \%by;
}

is(gate_of('error_rate')->{status}, 'pending', 'nothing yet');
is(gate_of('error_rate')->{reason}, '0 of 100 samples', 'and why');

requests(300);
ok($t->wait_for(sub { gate_of('error_rate')->{status} eq 'pass' }), 'passes');
is(gate_of('error_rate')->{actual}, 0, 'without an error');
is(split_of()->{state}, 'active', 'active');

$t->write('broken', '');
my $start = time();
my $seen = 0;

ok(
    $t->wait_for(
        sub {
            $seen += requests(10)->{failed} || 0;
            return split_of()->{state} eq 'rolled_back';
        },
        20
    ),
    'rolled back'
);
diag(sprintf 'after %.1f s and %d failed requests', time() - $start, $seen);

is(requests(50)->{failed}, undef, 'no request reaches the canary any more');

my $split = split_of();
is($split->{verdict}, 'rollback', 'the verdict');
like(
    $split->{reason},
    qr/^canary: error_rate <= 1% is broken: \d.*% in the stage/,
    'the reason names the gate and the numbers'
);
is($split->{journal}[-1]{event}, 'rollback', 'in the journal');
like(
    $t->error_log(),
    qr/\[error\].*was rolled back by a gate: canary: error/,
    'in the error log'
);
like($t->get('/canary/metrics')->{body},
    qr/^nginx_canary_rollbacks_total\{.*cause="gate"\} 1$/m, 'counted');

unlink $t->dir() . '/broken';
is($t->post('/canary/control/baseline/resume', '')->{status}, 200, 'resumed');
requests(100);
is(split_of()->{state}, 'active', 'what was seen before counts no more');
ok(requests(20)->{canary}, 'and the canary answers again');

$t->no_alerts();
done_testing();
