package Canary::Http;

# The clients of Canary.
#
#     get($path, %headers)             one request, one connection
#     head($path, %headers)
#     post($path, $body, %headers)
#     http($bytes, %opts)              sends these bytes, reads one response;
#                                      port (port 0), timeout (10 s)
#     client($port)                    keep-alive: ->get, ->head, ->post, ->send
#                                      ($bytes), ->response($method), ->close
#     raw($bytes, %opts)               sends, reads until the end, as it came
#     connect($port)                   a socket
#     status($path)                    decoded; '/canary/status.json'
#
# The port of get, head and post: header name ":port".  A header whose value
# is an array is sent once for each.
#
# A response is a hash: status (number, or undef where there was none), line,
# headers (lower case name => [values]), header (name => first value), body
# (dechunked), raw, complete (0 where the body was cut short or time ran out),
# closed (1 if the connection was closed), interim (number of 1xx before it).

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Time::HiRes qw(time);


sub get {
    my ($self, $path, %headers) = @_;

    return $self->_once('GET', $path, undef, %headers);
}


sub head {
    my ($self, $path, %headers) = @_;

    return $self->_once('HEAD', $path, undef, %headers);
}


sub post {
    my ($self, $path, $body, %headers) = @_;

    return $self->_once('POST', $path, $body, %headers);
}


sub http {
    my ($self, $bytes, %opts) = @_;

    my $client = $self->client($opts{port});
    my ($method) = $bytes =~ /^(\S+)/;
    $client->send($bytes);

    return $client->response($method, $opts{timeout});
}


sub raw {
    my ($self, $bytes, %opts) = @_;

    my $client = $self->client($opts{port});
    $client->send($bytes);
    my $end = time + ($opts{timeout} || 10) * $self->slow();
    1 while $client->_fill($end);

    return $client->{buffer};
}


sub client {
    my ($self, $port) = @_;

    return bless {
        socket => $self->connect($port),
        slow => $self->slow(),
        buffer => '',
        closed => 0
        },
        'Canary::Http::Client';
}


sub connect {
    my ($self, $port) = @_;

    $port = $self->port(0) if !defined $port;
    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => $port,
        Timeout => 5 * $self->slow()
    ) or die "port $port: $!\n";
    binmode $socket;
    $socket->autoflush(1);

    return $socket;
}


sub status {
    my ($self, $path) = @_;

    my $response = $self->get(defined $path ? $path : '/canary/status.json');
    die "status: $response->{raw}\n" if ($response->{status} || 0) != 200;

    return JSON::PP->new()->utf8()->decode($response->{body});
}


sub _once {
    my ($self, $method, $path, $body, %headers) = @_;

    my $client = $self->client(delete $headers{':port'});
    return $client->_request(
        $method, $path, $body,
        Connection => 'close',
        %headers
    );
}


package Canary::Http::Client;

use strict;
use warnings;

use IO::Select;
use Time::HiRes qw(time);


sub get {
    my ($self, $path, %headers) = @_;

    return $self->_request('GET', $path, undef, %headers);
}


sub head {
    my ($self, $path, %headers) = @_;

    return $self->_request('HEAD', $path, undef, %headers);
}


sub post {
    my ($self, $path, $body, %headers) = @_;

    return $self->_request('POST', $path, $body, %headers);
}


sub send {
    my ($self, $bytes) = @_;

    my $offset = 0;
    while ($offset < length $bytes) {
        my $n = syswrite $self->{socket}, $bytes, 65536, $offset;
        last if !$n;    # closed early: the response tells why
        $offset += $n;
    }

    return $offset;
}


sub close {
    my ($self) = @_;

    close $self->{socket};
    return;
}


sub response {
    my ($self, $method, $seconds) = @_;

    my $end = time + ($seconds || 10) * $self->{slow};
    my %r = (headers => {}, header => {}, body => '', raw => '', interim => 0);

    while (1) {
        my $head = $self->_head($end);
        $r{raw} .= defined $head ? $head : $self->{buffer};
        if (!defined $head) {
            @r{qw(complete closed)} = (0, $self->{closed});
            return \%r;
        }
        _parse_head($head, \%r);
        last if ($r{status} || 0) !~ /^1/ || $r{status} == 101;
        $r{interim}++;
    }

    my $bodyless =
        ($method || '') eq 'HEAD' || ($r{status} || 0) =~ /^(?:204|304)$/;
    $r{complete} =
        $bodyless || ($r{status} || 0) == 101 || $self->_body(\%r, $end);
    $r{complete} = $r{complete} ? 1 : 0;
    $r{closed} = $self->{closed};

    return \%r;
}


sub _request {
    my ($self, $method, $path, $body, %headers) = @_;

    my %given = map { lc $_ => 1 } keys %headers;
    my @lines = ("$method $path HTTP/1.1");
    push @lines, 'Host: localhost' if !$given{host};
    if (defined $body && !$given{'content-length'}) {
        push @lines, 'Content-Length: ' . length $body;
    }
    for my $name (sort keys %headers) {
        my $value = $headers{$name};
        push @lines, map { "$name: $_" } ref $value ? @$value : $value;
    }

    $self->send(join "\r\n", @lines, '', defined $body ? $body : '');
    return $self->response($method);
}


# Reads more into the buffer; 0 at the end of the stream or of the time.
sub _fill {
    my ($self, $end) = @_;

    my $left = $end - time;
    return 0 if $self->{closed} || $left <= 0;
    return 0 if !IO::Select->new($self->{socket})->can_read($left);

    my $n = sysread $self->{socket}, $self->{buffer}, 65536,
        length $self->{buffer};
    $self->{closed} = 1 if !$n;

    return $n ? 1 : 0;
}


sub _take {
    my ($self, $length) = @_;

    return substr $self->{buffer}, 0, $length, '';
}


sub _head {
    my ($self, $end) = @_;

    while ($self->{buffer} !~ /\r?\n\r?\n/g) {
        return if !$self->_fill($end);
    }

    return $self->_take(pos $self->{buffer});
}


sub _parse_head {
    my ($head, $r) = @_;

    my @lines = split /\r?\n/, $head;
    $r->{line} = shift @lines;
    ($r->{status}) = $r->{line} =~ m{^HTTP/\d\.\d (\d{3})};

    $r->{headers} = {};
    for (@lines) {
        my ($name, $value) = /^([^:]+):\s*(.*?)\s*$/ or next;
        push @{$r->{headers}{lc $name}}, $value;
    }
    $r->{header} = {map { $_ => $r->{headers}{$_}[0] } keys %{$r->{headers}}};

    return;
}


sub _body {
    my ($self, $r, $end) = @_;

    if (lc($r->{header}{'transfer-encoding'} || '') eq 'chunked') {
        return $self->_chunks($r, $end);
    }

    my $length = $r->{header}{'content-length'};
    while (!defined $length || length $self->{buffer} < $length) {
        last if !$self->_fill($end);
    }
    $length = length $self->{buffer} if !defined $length && $self->{closed};

    my $whole = defined $length && length $self->{buffer} >= $length;
    $r->{body} = $self->_take($whole ? $length : length $self->{buffer});
    $r->{raw} .= $r->{body};

    return $whole;
}


sub _chunks {
    my ($self, $r, $end) = @_;

    while (1) {
        while ($self->{buffer} !~ /^[0-9a-fA-F]+[^\n]*\n/) {
            return 0 if !$self->_fill($end);
        }
        my $line = $self->_take(index($self->{buffer}, "\n") + 1);
        my ($digits) = $line =~ /^([0-9a-fA-F]+)/;
        my $length = hex $digits;
        $r->{raw} .= $line;
        while (length $self->{buffer} < $length + 2) {
            return 0 if !$self->_fill($end);
        }
        my $chunk = $self->_take($length + 2);
        $r->{raw} .= $chunk;
        return 1 if $length == 0;
        $r->{body} .= substr $chunk, 0, $length;
    }
}


1;
