package Canary::Upstream;

# The upstream servers of Canary: each is a process, and one more for each
# connection.  They end with the test.
#
#     upstream($port, $sub)            $sub->($socket, $request) answers; the
#                                      connection is kept while it returns true
#     http_upstream($port, %opts)      answers by itself:
#         name      sent as X-Upstream, and the default of body
#         status    200; any three characters
#         body      text
#         headers   { name => value or [values] }
#         delay     seconds before the answer
#         close     1: closes after each answer
#         broken    misbehaves, see %broken below
#       status, body, headers, delay and broken may be a sub of the request
#     stop_upstream($port)             nothing listens there any more
#     requests($port)                  the requests it saw, in order
#     seen($port, $regex)              how many; with a regex, of those URIs
#
# A request: method, uri, headers (lower case name => last value), body, and n,
# its number at this server from 1.  It is on record before it is answered.

use strict;
use warnings;

use Fcntl qw(:DEFAULT SEEK_CUR);
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep);

# a server that is forgotten ends by itself
use constant MAX_CONNECTION_SECONDS => 300;

# ($socket, the right answer's head without the empty line, body)
my %broken = (

    # takes the request, then nothing
    hang => sub { _idle() },
    close => sub { },
    reset => sub { _reset($_[0]) },

    # an answer that ends too early
    truncate => sub {
        my ($socket, $head, $body) = @_;
        _send($socket, _sized($head, length($body) + 1000) . $body);
    },
    truncate_chunked => sub {
        my ($socket, $head, $body) = @_;
        $head =~ s/^Content-Length:[^\r]*\r\n//m;
        _send($socket,
            "${head}Transfer-Encoding: chunked\r\n\r\n1000\r\n$body");
    },
    truncate_head => sub { _send($_[0], substr $_[1], 0, 30) },
    hang_head => sub {
        _send($_[0], substr $_[1], 0, 30);
        _idle();
    },
    reset_body => sub {
        my ($socket, $head, $body) = @_;
        _send($socket, _sized($head, length($body) + 1000) . $body);
        sleep 0.2;
        _reset($socket);
    },
    hang_body => sub {
        my ($socket, $head, $body) = @_;
        _send($socket, _sized($head, length($body) + 1000) . $body);
        _idle();
    },

    # an answer of an unusual form
    slow => sub {
        my ($socket, $head, $body) = @_;
        _send($socket, "$head\r\n");
        for my $byte (split //, $body) {
            sleep 1;
            _send($socket, $byte) or last;
        }
    },
    slow_head => sub {
        for my $byte (split //, "$_[1]\r\n$_[2]") {
            _send($_[0], $byte) or last;
            sleep 1;
        }
    },
    no_status_line => sub { _send($_[0], $_[2]) },
    bad_status_line => sub { _send($_[0], "HTTP/1.1 abc\r\n\r\n$_[2]") },
    hints => sub {
        my ($socket, $head, $body) = @_;
        _send($socket, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        sleep 0.1;
        _send($socket, "$head\r\n$body");
    },
    big_head => sub {
        my ($socket, $head, $body) = @_;
        _send($socket, "${head}X-Big: " . 'x' x 16384 . "\r\n\r\n$body");
    },
    bad_chunk => sub {
        my ($socket, $head, $body) = @_;
        $head =~ s/^Content-Length:[^\r]*\r\n//m;
        _send($socket, "${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n$body");
    },
);


sub upstream {
    my ($self, $port, $handler, %opts) = @_;

    my $listener = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1',
        LocalPort => $port,
        ReuseAddr => 1,
        Listen => 511
    ) or die "port $port: $!\n";

    $self->{upstreams}{$port} =
        $self->_spawn(sub { $self->_serve($listener, $port, $handler) },
        group => 1);
    close $listener;

    return;
}


sub http_upstream {
    my ($self, $port, %opts) = @_;

    for my $value ($opts{broken}) {
        next if !defined $value || ref $value || $broken{$value};
        die "unknown misbehaviour \"$value\"\n";
    }

    return $self->upstream($port, sub { _answer(@_, \%opts) });
}


sub stop_upstream {
    my ($self, $port) = @_;

    $self->_end(delete $self->{upstreams}{$port});
    return;
}


sub requests {
    my ($self, $port) = @_;

    return map { JSON::PP->new()->latin1()->decode($_) } split /\n/,
        $self->read("requests.$port");
}


sub seen {
    my ($self, $port, $regex) = @_;

    my @requests = $self->requests($port);
    @requests = grep { $_->{uri} =~ $regex } @requests if defined $regex;

    return scalar @requests;
}


sub _serve {
    my ($self, $listener, $port, $handler) = @_;

    my $parent = getppid;
    my $ready = IO::Select->new($listener);
    $SIG{CHLD} = 'IGNORE';

    while (getppid == $parent) {
        next if !$ready->can_read(0.5);
        my $socket = $listener->accept() or next;
        my $pid = fork;
        if (defined $pid && $pid == 0) {
            close $listener;
            alarm MAX_CONNECTION_SECONDS;
            $socket->autoflush(1);
            eval { $self->_converse($socket, $port, $handler); 1 }
                or print STDERR "upstream: $@";
            POSIX::_exit(0);
        }
        close $socket;
    }

    return;
}


sub _converse {
    my ($self, $socket, $port, $handler) = @_;

    my $buffer = '';
    while (my $request = _read_request($socket, \$buffer)) {
        $self->_record($port, $request);
        last if !$handler->($socket, $request);
    }

    return;
}


# One write to a file opened for appending is atomic, and leaves the position
# at its own end: a byte for each request gives each its number.
sub _record {
    my ($self, $port, $request) = @_;

    my $flags = O_WRONLY | O_APPEND | O_CREAT;
    sysopen my $number, "$self->{dir}/numbers.$port", $flags or die "$!\n";
    syswrite $number, '.';
    $request->{n} = sysseek($number, 0, SEEK_CUR) + 0;

    sysopen my $log, "$self->{dir}/requests.$port", $flags or die "$!\n";
    syswrite $log, JSON::PP->new()->latin1()->encode($request) . "\n";

    return;
}


sub _read_request {
    my ($socket, $buffer) = @_;

    while ($$buffer !~ /\r?\n\r?\n/g) {
        sysread $socket, $$buffer, 65536, length $$buffer or return;
    }
    my @lines = split /\r?\n/, substr $$buffer, 0, pos $$buffer, '';
    my ($method, $uri) = split / /, shift @lines;
    my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1, $2) : () } @lines;

    my $body = '';
    if (lc($headers{'transfer-encoding'} || '') eq 'chunked') {
        while ($$buffer !~ /(?:^|\n)0\r\n\r\n/g) {
            sysread $socket, $$buffer, 65536, length $$buffer or return;
        }
        my $chunks = substr $$buffer, 0, pos $$buffer, '';
        while ($chunks =~ s/^([0-9a-fA-F]+)\r\n// && hex $1) {
            $body .= substr $chunks, 0, hex $1, '';
            substr $chunks, 0, 2, '';
        }

    } else {
        my $length = $headers{'content-length'} || 0;
        while (length $$buffer < $length) {
            sysread $socket, $$buffer, 65536, length $$buffer or return;
        }
        $body = substr $$buffer, 0, $length, '';
    }

    return {
        method => $method,
        uri => $uri,
        headers => \%headers,
        body => $body
    };
}


sub _answer {
    my ($socket, $request, $opts) = @_;

    my %o = (status => 200, name => 'upstream', headers => {}, %$opts);
    $o{body} = "$o{name}\n" if !defined $o{body};
    for my $name (qw(status body headers delay broken)) {
        $o{$name} = $o{$name}->($request) if ref $o{$name} eq 'CODE';
    }
    sleep $o{delay} if $o{delay};

    my @lines = ("HTTP/1.1 $o{status} Status", "X-Upstream: $o{name}");
    push @lines, 'Content-Length: ' . length $o{body}
        if $o{status} !~ /^(?:1..|204|304)$/;
    push @lines, 'Connection: close' if $o{close};
    for my $name (sort keys %{$o{headers}}) {
        my $value = $o{headers}{$name};
        push @lines, map { "$name: $_" } ref $value ? @$value : $value;
    }
    my $head = join("\r\n", @lines) . "\r\n";
    my $body = $request->{method} eq 'HEAD' ? '' : $o{body};

    if ($o{broken}) {
        $broken{$o{broken}}->($socket, $head, $body);
        return 0;
    }

    return _send($socket, "$head\r\n$body") && !$o{close};
}


sub _send {
    my ($socket, $bytes) = @_;

    my $offset = 0;
    while ($offset < length $bytes) {
        my $n = syswrite $socket, $bytes, 65536, $offset;
        return 0 if !$n;
        $offset += $n;
    }

    return 1;
}


sub _sized {
    my ($head, $length) = @_;

    $head =~ s/^Content-Length: \d+/Content-Length: $length/m;
    return "$head\r\n";
}


sub _reset {
    my ($socket) = @_;

    setsockopt $socket, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    close $socket;

    return;
}


sub _idle {
    sleep 60 while 1;    # until the alarm, or the end of the test
}


1;
