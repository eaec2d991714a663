package Canary::Monitoring;

# Prometheus, Alertmanager and node_exporter in the tests, each with the sample
# of conf.d/monitoring: only addresses, paths and times are others.
#
#     my $m = Canary::Monitoring->new($t);
#     $m->start();
#     my $value = $m->query('up{job="nginx_canary"}');
#     ok($t->wait_for(sub { $m->firing('CanaryRolledBack') }), 'it fires');
#
#     new($t, %opts)   hold: how long CanaryErrorsWorse must hold, '1s';
#                      machines: ports of the status of several machines
#     start()          all of them, and canary-webhook for canaryctl.conf of
#                      the folder; returns once Prometheus has scraped
#     prometheus()     Prometheus alone; returns once it has scraped nginx
#     settings()       prometheus and alertmanager, for canaryctl.conf
#     query($promql)   the value of the one sample, or undef
#     range($promql, $start, $end)
#                      its series in that time, one value a second
#     series($selector, $start, $end)
#                      the labels of each series that there was in that time
#     firing($name)    whether an alert of this name fires, as of Prometheus
#     told($name)      the messages that the receiver "on-call" got about it
#
# Ports: 10 Prometheus, 11 Alertmanager, 12 node_exporter, 13 canary-webhook,
# 14 the receiver "on-call".  The status is at port 0, /canary/.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP ();
use POSIX ();

my $ROOT = abs_path(dirname(__FILE__) . '/../../..');


sub new {
    my ($class, $t, %opts) = @_;

    return bless {t => $t, %opts}, $class;
}


sub settings {
    my ($self) = @_;

    my $t = $self->{t};
    return (
        prometheus => 'http://127.0.0.1:' . $t->port(10),
        alertmanager => 'http://127.0.0.1:' . $t->port(11)
    );
}


sub start {
    my ($self) = @_;

    my $t = $self->{t};
    my $dir = $t->dir();
    my $listen = '--web.listen-address=127.0.0.1:';

    $self->prometheus();
    mkdir "$dir/alertmanager";
    $t->write('webhook.token', "s3cret\n");
    $t->http_upstream($t->port(14), body => "{}\n");

    $self->_run('node_exporter', 'prometheus-node-exporter',
        $listen . $t->port(12));
    $self->_run(
        'alertmanager',
        'prometheus-alertmanager',
        "--config.file=$dir/monitoring/alertmanager.yml",
        "--storage.path=$dir/alertmanager",
        '--cluster.listen-address=',
        $listen . $t->port(11)
    );
    $self->_run(
        'webhook', "$ROOT/scripts/canary-webhook",
        '--listen', '127.0.0.1:' . $t->port(13),
        '--token-file', "$dir/webhook.token",
        '--alert', 'CanaryErrorsWorse',
        '--', "$ROOT/scripts/canaryctl",
        '--conf', "$dir/canaryctl.conf"
    );

    for my $port (11 .. 13) {
        $t->wait_for(sub { Canary::Process::_accepts($t->port($port)) }, 30)
            or die "nothing listens on port $port\n";
    }
    $t->wait_for(sub { $self->query('up{job="node"}') }, 30)
        or die 'the node is not scraped: ' . $t->read('prometheus.log');

    return;
}


sub prometheus {
    my ($self) = @_;

    my $t = $self->{t};
    my $dir = $t->dir();

    mkdir "$dir/$_" for qw(monitoring prometheus);
    $self->_samples();
    $self->_run(
        'prometheus',
        'prometheus',
        "--config.file=$dir/monitoring/prometheus.yml",
        "--storage.tsdb.path=$dir/prometheus",
        '--web.listen-address=127.0.0.1:' . $t->port(10)
    );
    my $n = @{$self->{machines} || [1]};
    my $up = 'count(up{job="nginx_canary"} == 1)';
    $t->wait_for(sub { ($self->query($up) || 0) == $n }, 30)
        or die 'Prometheus does not scrape: ' . $t->read('prometheus.log');

    return;
}


sub query {
    my ($self, $query) = @_;

    my $result = $self->_get('query?query=' . _escape($query))->{result};
    return @$result == 1 ? $result->[0]{value}[1] : undef;
}


sub range {
    my ($self, $query, $start, $end) = @_;

    my $path = sprintf 'query_range?query=%s&start=%.3f&end=%.3f&step=1',
        _escape($query), $start, $end;
    return $self->_get($path)->{result};
}


sub series {
    my ($self, $selector, $start, $end) = @_;

    my $path = sprintf 'series?match[]=%s&start=%.3f&end=%.3f',
        _escape($selector), $start, $end;
    return $self->_get($path);
}


sub firing {
    my ($self, $name) = @_;

    my $alerts = $self->_get('alerts')->{alerts};
    return
        scalar
        grep { $_->{labels}{alertname} eq $name && $_->{state} eq 'firing' }
        @$alerts;
}


sub told {
    my ($self, $name) = @_;

    my $t = $self->{t};
    my @messages = map { JSON::PP->new()->utf8()->decode($_->{body}) }
        $t->requests($t->port(14));

    return grep {
        grep { $_->{labels}{alertname} eq $name }
            @{$_->{alerts}}
    } @messages;
}


# the samples with ports, paths and times of this test
sub _samples {
    my ($self) = @_;

    my $t = $self->{t};
    my $dir = $t->dir();
    my %port = (
        8080 => 0,
        9093 => 11,
        9100 => 12,
        9096 => 13,
        9095 => 14
    );
    my $machines = join ', ', map { "127.0.0.1:$_" } @{$self->{machines} || []};

    for my $name (qw(prometheus.yml alertmanager.yml nginx_canary.rules.yml)) {
        my $text = $t->read("$ROOT/conf.d/monitoring/$name");
        $text =~ s/127\.0\.0\.1:(\d+)/
            '127.0.0.1:' . $t->port(exists $port{$1} ? $port{$1} : 19)/ge;
        $text =~ s/job_name: nginx_canary\b[^[]*targets: \K\[.*?\]/[$machines]/
            if $machines;
        $text =~ s{/etc/prometheus/canary-webhook\.token}
            {$dir/webhook.token}g;
        $text =~ s/\b(scrape_interval|evaluation_interval): \w+/$1: 1s/g;
        $text =~ s/(alert: CanaryErrorsWorse.*?for: )\w+/$1$self->{hold}/s
            if $self->{hold};
        $text =~ s/\bgroup_wait: \w+/group_wait: 1s/g;
        $text =~ s/\n  # database connections.*//s;
        $t->write("monitoring/$name", $text);
    }

    return;
}


sub _run {
    my ($self, $name, @command) = @_;

    my $dir = $self->{t}->dir();
    return $self->{t}->_spawn(
        sub {
            delete @ENV{grep { /^CANARYCTL_/ } keys %ENV};
            $self->{t}->_forget_leaks();
            open STDIN, '<', '/dev/null';
            open STDOUT, '>', "$dir/$name.log";
            open STDERR, '>&', \*STDOUT;
            exec @command or POSIX::_exit(127);
        }
    );
}


sub _get {
    my ($self, $path) = @_;

    my $t = $self->{t};
    my $r = $t->get("/api/v1/$path", ':port' => $t->port(10));
    my $answer = JSON::PP->new()->utf8()->decode($r->{body});
    die "Prometheus: $answer->{error}\n" if $answer->{status} ne 'success';

    return $answer->{data};
}


sub _escape {
    my ($text) = @_;

    $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;
    return $text;
}


1;
