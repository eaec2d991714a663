package Canary::Load;

# Keep-alive clients in one event loop, for what must hold under load.
#
#     my $load = Canary::Load->new($port, clients => 32,
#         request => sub { my ($n) = @_; ... return "/uri?k=$n" },
#         started => sub { my ($request) = @_; ... },
#         answered => sub { my ($request, $status, $head, $body) = @_; ... });
#     $load->run(seconds => 5, until => sub { ... }, tick => sub { ... });
#
# run() goes on until the time is over or until() is true; then waits for the
# answers that are under way.  tick() is called about every 10 ms.  A request
# on a connection that the server closes without a word is tried once more on a
# new one, as a browser does: $load->{retried}.  {answers} counts the answers,
# {broken} those that were cut short.
#
#     Canary::Load::site($t, split => 'canary canary 5%;', workers => 2,
#         canary => 200, location => 'add_header X-Variant $canary_variant;');
#
# writes a configuration for it: "baseline" is split by the argument "k", and
# "split" stands in a file of that name, to be changed by reloads.  nginx is
# both variants too, and answers with the variant's name, that of the canary
# under the status of "canary".  "location" stands next to proxy_pass.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);


sub new {
    my ($class, $port, %opts) = @_;

    return bless {
        port => $port,
        clients => 32,
        n => 0,
        answers => 0,
        retried => 0,
        broken => 0,
        %opts
    }, $class;
}


sub site {
    my ($t, %opts) = @_;

    my $canary = $opts{canary} || 200;
    my $location = $opts{location} || '';

    $t->write('split', $opts{split});

    return $t->conf(<<"CONF", workers => $opts{workers}, connections => 1024);
    upstream canary { server 127.0.0.1:%%PORT1%%; keepalive 32; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        keepalive 32;
        include %%DIR%%/split;
        canary_key \$arg_k;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return $canary canary; }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200 baseline; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        keepalive_requests 1000000;
        location / {
            proxy_pass http://baseline;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            $location
        }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
}


sub run {
    my ($self, %opts) = @_;

    my $end = time() + ($opts{seconds} || 10);
    my $select = IO::Select->new();
    my %conn;
    my $stop = 0;

    $self->_begin($select, \%conn) for 1 .. $self->{clients};

    while (%conn) {
        my $was = $stop;
        $stop ||= time() > $end || ($opts{until} && $opts{until}->());
        $end = time() + 15 if $stop && !$was;
        last if $stop && time() > $end;

        $opts{tick}->() if $opts{tick} && !$stop;

        for my $socket ($select->can_read(0.01)) {
            my $c = $conn{$socket};
            my $got = sysread $socket, $c->{buffer}, 65_536,
                length $c->{buffer};

            if ($got && !$self->_answer($c)) {
                next;
            }

            if (!$got) {
                $self->_closed($c);
            }

            if (!$got || $c->{close} || $stop) {
                $select->remove($socket);
                delete $conn{$socket};
                close $socket;
                $self->_begin($select, \%conn, $got ? undef : $c->{request})
                    if !$stop || (!$got && $c->{request});
                next;
            }

            $self->_send($c);
        }
    }

    $self->{broken} += keys %conn;

    return $self;
}


sub _begin {
    my ($self, $select, $conn, $request) = @_;

    my $socket;

    for (1 .. 100) {
        $socket = IO::Socket::INET->new(
            PeerAddr => "127.0.0.1:$self->{port}",
            Timeout => 5
        );
        last if $socket;
        select undef, undef, undef, 0.01;
    }

    die "cannot connect: $!\n" if !$socket;

    my $c = {socket => $socket, buffer => ''};
    $conn->{$socket} = $c;
    $select->add($socket);
    $self->_send($c, $request);

    return;
}


sub _send {
    my ($self, $c, $request) = @_;

    if (!$request) {
        my $n = $self->{n}++;
        $request = {n => $n, uri => $self->{request}->($n)};
        $self->{started}->($request) if $self->{started};
    }

    $c->{request} = $request;
    $c->{buffer} = '';
    $c->{socket}->syswrite(
        "GET $request->{uri} HTTP/1.1\r\n" . "Host: localhost\r\n\r\n");

    return;
}


# true once the answer is whole
sub _answer {
    my ($self, $c) = @_;

    my ($head, $body) = $c->{buffer} =~ /\A(.*?\r\n)\r\n(.*)\z/s
        or return 0;
    my ($length) = $head =~ /^Content-Length: (\d+)\r$/mi
        or die "no Content-Length: $head\n";

    return 0 if length $body < $length;

    my ($status) = $head =~ m{\AHTTP/1\.\d (\d+)};

    $c->{close} = $head =~ /^Connection: close/mi;
    $self->{answers}++;
    $self->{answered}->($c->{request}, $status, $head, $body)
        if $self->{answered};
    $c->{request} = undef;

    return 1;
}


sub _closed {
    my ($self, $c) = @_;

    return if !$c->{request};

    if (length $c->{buffer} || $c->{request}{retried}++) {
        $self->{broken}++;
        $c->{request} = undef;
        return;
    }

    $self->{retried}++;

    return;
}

1;
