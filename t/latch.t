use strict;
use warnings;

# A rollback is latched: it holds over reloads and killed workers until the
# split is loaded with 0%, or resumed.

use Test::More;
use Canary;

my $t = Canary->new();

$t->write('split', 'canary canary 100%;');
$t->conf(<<'CONF', workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        include %%DIR%%/split;
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
            add_header X-Why $canary_assignment;
        }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
$t->start();

sub split_of { return $t->status()->{splits}{baseline} }

sub answered_by {
    my ($why, $name) = @_;
    my %by;
    for (1 .. 8) {
        my $r = $t->get('/');
        $by{"$r->{body} $r->{header}{'x-why'}"}++;
    }
    is_deeply([keys %by], [$why], $name);
}

sub load {
    my ($text) = @_;
    $t->write('split', $text);
    return $t->reload();
}

sub rollback {
    return $t->post(
        '/canary/control/baseline/rollback',
        'by=anna&reason=slow',
        'Content-Type' => 'application/x-www-form-urlencoded'
    );
}

answered_by('canary split', 'active');

is(rollback()->{status}, 200, 'rolled back');
answered_by('baseline rolled_back', 'in force');
is(split_of()->{state}, 'rolled_back', 'the state says so');
is(split_of()->{reason}, 'by anna: slow', 'and why');
is(split_of()->{verdict}, 'rollback', 'the verdict as well');
is(split_of()->{variants}{canary}{share}, 0, 'no share is in force');
is(split_of()->{variants}{canary}{configured_share}, 1, 'one is configured');

ok($t->reload(), 'reload with the same share');
answered_by('baseline rolled_back', 'still rolled back');
ok(load('canary canary 50%;'), 'reload with another share');
answered_by('baseline rolled_back', 'still rolled back');
like(
    $t->error_log(),
    qr/\[error\].*is rolled back and stays so.*"0%"/,
    'an error says how to re-arm it'
);

$t->kill_worker();
answered_by('baseline rolled_back', 'still, after a worker was killed');

ok(load('canary canary 0%;'), 'loaded with 0%');
is(split_of()->{state}, 'active', 're-armed');
ok(load('canary canary 100%;'), 'and with a share again');
answered_by('canary split', 'active again');

rollback();
ok(load('canary canary off;'), 'loaded as off');
is(split_of()->{state}, 'rolled_back', 'still rolled back');
ok(load('canary canary 100%;'), 'and with a share again');
answered_by('baseline rolled_back', 'still');

is($t->post('/canary/control/baseline/resume', '')->{status}, 200, 'resumed');
answered_by('canary split', 'active again');

my $split = split_of();
my @events = map { $_->{event} } @{$split->{journal}};
is_deeply(
    \@events,
    [
        qw(published rollback published published rearmed
            published rollback published published resume)
    ],
    'the journal has it all in order'
);
like(
    $t->get('/canary/metrics')->{body},
    qr/^nginx_canary_rollbacks_total\{.*cause="operator"\} 2$/m,
    'two rollbacks by an operator'
);

$t->no_alerts(allow => qr/exited on signal 9/);
done_testing();
