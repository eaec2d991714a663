package Canary::Soak::Site;

# What is under load: an nginx with the module in front of another nginx that
# is the upstream servers and is left alone.
#
#     my $site = Canary::Soak::Site->new($seed);
#     $site->start();
#     $site->load(documents => {blue => '5%'}, rpc => {rpc_blue => 'off'});
#     $site->upgrade();
#     $site->stop();
#
# Two splits: "documents" with the canaries "blue" and "green", of which the
# latter comes and goes, by proxy_pass; "rpc" with "rpc_blue", by grpc_pass.
# Each load is a stage of its own, "load7", so an answer says which one it was
# decided by; loads() has the shares of each by its number.  load() returns the
# number, 0 if nginx refused it.  The paths
#
#     /a /error /large     answered by the origin at once: 200, 500, 1 MB
#     /slow?delay=0.5      after a while
#     /tunnel              101, an echo
#     /rpc/a               by gRPC's protocol
#
# take the arguments "id", which stands in all logs, and "k", the key.

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Canary;

use constant {
    LARGE => 1024 * 1024,    # bytes
    DISK => '16m',    # of the file system for the state files
};

# answers carry it; the worker, then all that the module decided
my $decided = '$pid $canary_generation $canary_variant $canary_assignment'
    . ' $canary_stage';


sub new {
    my ($class) = @_;

    my $origin = Canary->new();
    my $t = Canary->new();

    return bless {
        t => $t,
        origin => $origin,
        workers => 2,
        loads => [undef],
        masters => {},
        born => {},    # by pid, which several may have had: when, and the load
        disk => 0,
    }, $class;
}


sub t {
    my ($self) = @_;

    return $self->{t};
}


sub loads {
    my ($self) = @_;

    return $self->{loads};
}


sub can_fill {
    my ($self) = @_;

    return $self->{disk};
}


sub start {
    my ($self) = @_;

    my $t = $self->{t};

    $self->_start_origin();
    mkdir $t->dir() . '/state' or die "mkdir: $!\n";
    $self->{disk} = $ENV{SOAK_OWN_MOUNTS}
        && system('mount', '-t', 'tmpfs', '-o', 'size=' . DISK,
        'none', $t->dir() . '/state') == 0;

    $self->{load} = $self->_write_split(
        documents => {blue => '20%', green => '20%'},
        rpc => {rpc_blue => '50%'}
    );
    $self->{bypass} = 1;
    $self->configure();
    my ($status) = $t->test_config();
    if ($status) {
        $self->{bypass} = 0;
        $self->configure();
    }

    # one that is started by its parent is taken for an upgrade by nginx
    my @command = ($t->_nginx(), '-p', $t->dir(), '-e', 'error.log', '-c');
    system(@command, $t->dir() . '/nginx.conf')
        and die "nginx did not start\n" . $t->error_log();
    $self->_is_up(0) or die "nginx has no workers\n";

    return;
}


# nginx.conf; what changes most is in files of its own
sub configure {
    my ($self, $workers) = @_;

    my $t = $self->{t};
    my $origin = $self->{origin};
    my @to = map { '127.0.0.1:' . $origin->port($_) } 0 .. 5;
    my $bypass = $self->{bypass} ? 'canary_bypass $http_x_bypass;' : '';

    $self->{workers} = $workers if $workers;

    my $conf = <<"CONF";
    log_format soak '\$arg_id \$msec $decided \$status "\$upstream_addr" '
                    '"\$upstream_status" "\$upstream_header_time"';
    access_log %%DIR%%/soak.log soak;
    keepalive_requests 1000000;
    upstream blue { server $to[1]; keepalive 16; }
    upstream green { server $to[2]; keepalive 16; }
    upstream documents {
        server $to[3];
        keepalive 16;
        include %%DIR%%/split.documents;
        canary_key \$arg_k;
        canary_force \$http_x_force blue blue;
        canary_force \$http_x_force documents documents;
        $bypass
        canary_gate p95 <= 100s;
        canary_gate error_rate <= 90%;
        canary_rollback manual;
        canary_state %%DIR%%/state/documents;
    }
    upstream rpc_blue { server $to[4]; keepalive 16; }
    upstream rpc {
        server $to[5];
        keepalive 16;
        include %%DIR%%/split.rpc;
        canary_key \$arg_k;
        canary_state %%DIR%%/state/rpc;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        listen 127.0.0.1:%%PORT1%% http2;
        add_header X-Id \$arg_id always;
        add_header X-Decided "$decided" always;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location / {
            proxy_pass http://documents;
            canary_event hit unique=\$arg_k;
        }
        location /tunnel {
            proxy_pass http://documents;
            proxy_set_header Upgrade \$http_upgrade;
            proxy_set_header Connection upgrade;
        }
        location /rpc/ { grpc_pass rpc; }
        location /canary/ { canary_status; access_log off; }
        location /canary/control/ { canary_control; access_log off; }
    }
CONF

    $t->conf(
        $conf,
        workers => $self->{workers},
        connections => 1024,
        log => 'notice'
    );
    my $text = $t->read('nginx.conf') =~ s/^daemon off;/daemon on;/mr;
    $t->write('nginx.conf', $text);

    return;
}


# the number of the load, 0 if it was refused
sub load {
    my ($self, %shares) = @_;

    my %before = map { $_ => $self->{t}->read("split.$_") } keys %shares;
    my $number = $self->_write_split(%shares);

    if (!$self->{t}->reload()) {
        $self->{t}->write("split.$_", $before{$_}) for keys %before;
        $self->{loads}[$number] = undef;
        return 0;
    }

    $self->{load} = $number;
    $self->note_workers();

    return $number;
}


# after whatever may have started some
sub note_workers {
    my ($self) = @_;

    for my $pid ($self->{t}->workers()) {
        my ($start) =
            $self->{t}->read("/proc/$pid/stat") =~ /\) (?:\S+ ){19}(\d+)/;
        my $births = $self->{born}{$pid} ||= [];
        push @$births, {start => $start, load => $self->{load}}
            if defined $start && (!@$births || $births->[-1]{start} != $start);
    }

    return;
}


# the shares that the worker's own configuration has, which was in force when
# $number was loaded, or before
sub born_under {
    my ($self, $pid, $number) = @_;

    my ($birth) = reverse grep { $_->{load} <= $number } @{$self->{born}{$pid}};

    return $self->{loads}[$birth ? $birth->{load} : 0];
}


# shares of one split that are not the same, "off" if it is not there
sub _write_split {
    my ($self, %shares) = @_;

    push @{$self->{loads}}, \%shares;
    my $number = $#{$self->{loads}};

    for my $split (keys %shares) {
        my $text = join '',
            map { "canary $_ $shares{$split}{$_} stage=load$number;\n" }
            sort keys %{$shares{$split}};
        $self->{t}->write("split.$split", $text);
    }

    return $number;
}


# a new master takes over, and the old one leaves; the new one's pid
sub upgrade {
    my ($self) = @_;

    my $t = $self->{t};
    my $old = $t->master();
    my @workers = $t->workers();

    kill 'USR2', $old;
    if (!$self->_is_up($old)) {
        die "no new master\n";
    }

    kill 'WINCH', $old;
    $t->wait_for(
        sub {
            !grep { -d "/proc/$_" } @workers;
        }
    ) or die "old workers do not leave\n";

    kill 'QUIT', $old;
    $t->wait_for(sub { !-d "/proc/$old" }) or die "the old master stays\n";
    delete $self->{masters}{$old};

    return $t->master();
}


# a master other than that one has its workers; it is the test's from then on
sub _is_up {
    my ($self, $other) = @_;

    my $t = $self->{t};

    my $up = $t->wait_for(
        sub {
            my ($pid) = $t->read('nginx.pid') =~ /(\d+)/;
            return 0 if !$pid || $pid == $other;
            local $t->{master} = $pid;
            $self->{masters}{$pid} = 1;
            return 0 if $t->workers() != $self->{workers};
            return 0 if !Canary::Process::_accepts($t->port(0));
            $self->{found} = $pid;
            return 1;
        },
        20
    );
    return 0 if !$up;

    $t->{master} = $self->{found};
    $self->note_workers();

    return 1;
}


# no byte is left for the state files until empty()
sub fill {
    my ($self) = @_;

    open my $fill, '>', $self->{t}->dir() . '/state/fill' or die "fill: $!\n";
    1 while syswrite $fill, 'x' x 4096;
    close $fill;

    return;
}


sub empty {
    my ($self) = @_;

    unlink $self->{t}->dir() . '/state/fill' or die "fill: $!\n";

    return;
}


sub stop {
    my ($self) = @_;

    my $t = $self->{t};
    my $master = delete $t->{master};

    if ($master) {
        kill 'QUIT', $master;
        $t->wait_for(sub { !-d "/proc/$master" })
            or kill 'KILL', $master;
        delete $self->{masters}{$master};
    }

    $self->kill_all();
    $self->{origin}->stop();

    return;
}


# whatever may be left of it
sub kill_all {
    my ($self) = @_;

    kill 'TERM', keys %{$self->{masters}};
    $self->{masters} = {};
    if (delete $self->{disk}) {
        system 'umount', '-l', $self->{t}->dir() . '/state';
    }

    return;
}


sub _start_origin {
    my ($self) = @_;

    my $origin = $self->{origin};
    my $servers = '';
    my @names = ('', qw(blue green documents rpc_blue rpc));

    for my $n (1 .. 5) {
        my $http2 = $n > 3 ? ' http2' : '';
        $servers .= <<"CONF";
    server {
        listen 127.0.0.1:%%PORT$n%%$http2;
        access_log %%DIR%%/origin.log origin;
        set \$me $names[$n];
        location / { return 200 "$names[$n]\\n"; }
        location /error { return 500; }
        location /large { alias %%DIR%%/large; }
        location ~ ^/(?:slow|tunnel) {
            proxy_pass http://127.0.0.1:%%PORT9%%;
            proxy_http_version 1.1;
            proxy_set_header Upgrade \$http_upgrade;
            proxy_set_header Connection \$http_connection;
        }
    }
CONF
    }

    $origin->write('large', 'x' x LARGE);
    $origin->upstream($origin->port(9), \&_answer);
    $origin->conf(<<"CONF", module => 0, connections => 2048);
    log_format origin '\$arg_id \$me \$status -';
    keepalive_timeout 1h;
    keepalive_requests 100000000;
$servers
CONF
    $origin->start();

    return;
}


# the slow and the tunnels
sub _answer {
    my ($socket, $request) = @_;

    if ($request->{uri} =~ m{^/slow\?delay=([\d.]+)}) {
        sleep $1;
        syswrite $socket, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nslow\n";
        return 0;
    }

    syswrite $socket, "HTTP/1.1 101 Switching Protocols\r\n"
        . "Upgrade: echo\r\nConnection: upgrade\r\n\r\n";
    while (sysread $socket, my $bytes, 4096) {
        syswrite $socket, $bytes;
        last if $bytes =~ /bye/;
    }

    return 0;
}


1;
