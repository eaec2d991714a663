use strict;
use warnings;

# The stage's series is that of the last stage with a share in force: a rollback
# and "off" leave it, another share begins it anew, resuming as well.  The last
# hour has all of it.  Splits without gates have a history, too.

use List::Util qw(sum0);
use Test::More;
use Canary;

my $t = Canary->new();

sub configure {
    my ($canaries) = @_;

    return $t->conf(<<"CONF", workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream other { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        $canaries
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
}

sub history {
    return $t->status('/canary/history.json?upstream=baseline');
}

sub requests {
    my ($series, $variant) = @_;
    return sum0(@{$series->{variants}{$variant}{requests}});
}

# sends $n requests; returns the history once the last hour has $hour of
# $variant
sub counted {
    my ($n, $variant, $hour) = @_;

    my $history;
    $t->get('/') for 1 .. $n;
    $t->wait_for(
        sub {
            return requests(($history = history())->{hour}, $variant) == $hour;
        },
        5
    );
    is(requests($history->{hour}, $variant), $hour, "hour: $hour of $variant");

    return $history->{stage};
}

sub load {
    my ($canaries) = @_;

    configure($canaries);
    ok($t->reload(), "loaded: $canaries");
    return;
}

configure('canary canary 0%;');
$t->start();
my $stage = counted(3, 'baseline', 3);
is(scalar @{$stage->{t}}, 0, 'no share, no stage');

load('canary canary 100%;');
$stage = counted(5, 'canary', 5);
is(requests($stage, 'canary'), 5, 'a stage with a share');
is(requests($stage, 'baseline'), 0, 'begins with it');
my $began = $stage->{t}[0];

$t->post('/canary/control/baseline/rollback', 'reason=bad');
$stage = counted(4, 'baseline', 7);
is(requests($stage, 'canary'), 5, 'a rollback leaves the stage');
is(requests($stage, 'baseline'), 4, 'and adds what came after it');
is($stage->{share}[-1], 0, 'without a share');
is($stage->{t}[0], $began, 'from where it was');

load('canary canary off;');
$stage = counted(2, 'baseline', 9);
is(requests($stage, 'canary'), 5, '"off" leaves it');
is($stage->{t}[0], $began, 'from where it was');

load('canary canary 50%;');
$stage = counted(1, 'baseline', 10);
is(requests($stage, 'canary'), 5, 'and a share that is not in force');

$t->post('/canary/control/baseline/resume', '');
$t->wait_for(sub { return history()->{stage}{t}[0] > $began }, 5);
$stage = history()->{stage};
cmp_ok($stage->{t}[0], '>', $began, 'resuming begins it anew');
is(requests($stage, 'canary'), 0, 'without the past');
is_deeply(
    [map { $_->{event} } @{history()->{hour}{marks}}],
    [qw(published published rollback published published resume)],
    'the hour has all marks'
);

# names, not places: the other canary has nothing of this one
load('canary other 100%;');
$stage = counted(6, 'other', 6);
is(requests($stage, 'other'), 6, 'another canary in its place');
is_deeply([sort keys %{$stage->{variants}}],
    [qw(baseline other)], 'is there by its name');

$t->no_alerts(allow => qr/stays so|rolled back/);
done_testing();
