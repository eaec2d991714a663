package Canary::Monitoring;

# Prometheus, Alertmanager and node_exporter in the tests, each with the sample
# of conf.d/monitoring: only addresses, paths and times are others.
#
#     my $m = Canary::Monitoring->new($t);
#     $m->start();
#     my $value = $m->query('up{job="nginx_canary"}');
#     ok($t->wait_for(sub { $m->firing('CanaryRolledBack') }), 'it fires');
#
#     new($t, %opts)   hold: how long CanaryErrorsWorse must hold, '1s'
#     start()          all of them, and canary-webhook for canaryctl.conf of
#                      the folder; returns once Prometheus has scraped
#     settings()       prometheus and alertmanager, for canaryctl.conf
#     query($promql)   the value of the one sample, or undef
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

    mkdir "$dir/$_" for qw(monitoring prometheus alertmanager);
    $self->_samples();
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
    $self->_run(
        'prometheus', 'prometheus',
        "--config.file=$dir/monitoring/prometheus.yml",
        "--storage.tsdb.path=$dir/prometheus",
        $listen . $t->port(10)
    );

    for my $port (11 .. 13) {
        $t->wait_for(sub { Canary::Process::_accepts($t->port($port)) }, 30)
            or die "nothing listens on port $port\n";
    }
    $t->wait_for(sub { ($self->query('sum(up)') || 0) == 2 }, 30)
        or die 'Prometheus does not scrape: ' . $t->read('prometheus.log');

    return;
}


sub query {
    my ($self, $query) = @_;

    my $result = $self->_get('query?query=' . _escape($query))->{result};
    return @$result == 1 ? $result->[0]{value}[1] : undef;
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

    for my $name (qw(prometheus.yml alertmanager.yml nginx_canary.rules.yml)) {
        my $text = $t->read("$ROOT/conf.d/monitoring/$name");
        $text =~ s/127\.0\.0\.1:(\d+)/
            '127.0.0.1:' . $t->port(exists $port{$1} ? $port{$1} : 19)/ge;
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
