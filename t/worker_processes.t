use strict;
use warnings;

# Counts are exact with any number of workers, more than there are processors
# too, and in a single process; "daemon off" is how all of these run.

use Test::More;
use Canary;
use Canary::Load;

my $requests = 1000;

sub instance {
    my (%opts) = @_;

    my $t = Canary->new();
    $t->write('split', 'canary canary 50%;');
    $t->conf(<<'CONF', %opts, connections => 256);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        include %%DIR%%/split;
        canary_key $arg_k;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200 canary; }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 503 baseline; }
    }
    server {
        listen 127.0.0.1:%%PORT0%% reuseport;
        location / {
            proxy_pass http://baseline;
            add_header X-Pid $pid always;
        }
        location /canary/ { canary_status; }
    }
CONF
    $t->start();
    return $t;
}

sub run_load {
    my ($t, $clients) = @_;

    my (%answered, %pids);
    my $load = Canary::Load->new(
        $t->port(0),
        clients => $clients,
        request => sub { return "/?k=$_[0]" },
        answered => sub {
            my ($request, $status, $head, $body) = @_;
            my ($pid) = $head =~ /^X-Pid: (\d+)/m;
            $answered{$body}++;
            $pids{$pid}++;
        }
    );
    $load->run(
        seconds => 30 * $t->slow(),
        until => sub { $load->{answers} >= $requests }
    );

    return (\%answered, scalar keys %pids);
}

sub exact {
    my ($t, $answered, $name) = @_;

    my $total = sub {
        $t->status()->{splits}{baseline}{variants}{$_[0]}{total};
    };

    # the answer may reach the client before its passage is counted
    $t->wait_for(
        sub {
            $total->('baseline')->{requests} >= $answered->{baseline}
                && $total->('canary')->{requests} >= $answered->{canary};
        },
        5
    );

    for my $variant (qw(canary baseline)) {
        my $n = $answered->{$variant};
        my $errors = $variant eq 'baseline' ? $n : 0;
        my $figures = $total->($variant);
        is_deeply(
            [
                @$figures{qw(requests errors)}, $figures->{responses}{'5xx'},
                $figures->{latency}{count}
            ],
            [$n, $errors, $errors, $n],
            "$name: $variant"
        );
    }
    return;
}

for my $workers (1, 3, 64) {
    my $t = instance(workers => $workers);
    my ($answered, $pids) = run_load($t, $workers == 64 ? 128 : 16);
    my $name = "workers: $workers";

    # 128 connections over 64 sockets by a hash: 55 in the mean
    cmp_ok($pids, '>', $workers == 64 ? 32 : 0, "$name: many took part");
    exact($t, $answered, $name);
    $t->no_alerts();
}

# without a master nginx serves no more after a reload, with any module or none

my $t = instance(master => 'off');
my ($answered, $pids) = run_load($t, 16);
is($pids, 1, 'one process');
exact($t, $answered, 'no master');

$t->no_alerts();
done_testing();
