package Canary::Soak::Clients;

# The clients: a process for each kind, which notes every request that it makes
# in a file of its own.
#
#     my $clients = Canary::Soak::Clients->new($site, $seed);
#     $clients->start();
#     $clients->pause();    returns when none has a request under way
#     $clients->resume();
#     $clients->stop();
#     my @new = $clients->records();    those since the last call
#
# A record: id, kind, split, key, force, bypass; start, seen (the header) and
# end, as seconds; result; status; then what the answer's X-Decided says: pid,
# generation, variant, assignment, stage.  The result is "whole", "left" (the
# client went away, on purpose), "closed" (no byte of an answer), "cut",
# "late" (nothing for 10 s) or "refused" (no connection).

use strict;
use warnings;

use POSIX ();
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Time::HiRes qw(clock_gettime sleep CLOCK_MONOTONIC);

use Canary::Soak::Tail;

use constant KEYS => 1000;

# how many of each, and seconds from one request to the next
my %kinds = (
    keepalive => [3, 0.015, \&_keepalive],
    rpc => [1, 0.03, \&_rpc],
    leaver => [1, 0.03, \&_leaver],
    slow_reader => [1, 0.1, \&_slow_reader],
    slow_sender => [1, 0.1, \&_slow_sender],
    tunnel => [1, 0.1, \&_tunnel],
    http2 => [1, 0.2, \&_http2],
);

my @fields = qw(id kind split key force bypass start seen end result status
    pid generation variant assignment stage);


sub new {
    my ($class, $site, $seed) = @_;

    return bless {
        site => $site,
        seed => $seed,
        names => [],
        tail => Canary::Soak::Tail->new($site->t()->dir()),
        pauses => 0
    }, $class;
}


sub start {
    my ($self) = @_;

    my $t = $self->{site}->t();

    for my $kind (sort keys %kinds) {
        for my $n (1 .. $kinds{$kind}[0]) {
            my $name = "$kind$n";
            my $seed = $self->{seed} + 1 + @{$self->{names}};
            push @{$self->{names}}, $name;
            $t->_spawn(sub { $self->_run($kind, $name, $seed) });
        }
    }

    return;
}


sub names {
    my ($self) = @_;

    return @{$self->{names}};
}


sub pause {
    my ($self) = @_;

    my $t = $self->{site}->t();
    my $n = ++$self->{pauses};

    $t->write('pause', $n);
    $t->wait_for(
        sub {
            !grep { $t->read("paused.$_") ne $n } @{$self->{names}};
        },
        30
    ) or die "clients do not pause\n";

    return;
}


sub resume {
    my ($self) = @_;

    unlink $self->{site}->t()->dir() . '/pause';

    return;
}


sub stop {
    my ($self) = @_;

    $self->{site}->t()->write('stop', '');

    return;
}


sub records {
    my ($self) = @_;

    my @records;

    for my $name (@{$self->{names}}) {
        for my $line ($self->{tail}->lines("client.$name")) {
            my %record;
            @record{@fields} = split /\t/, $line, -1;
            push @records, \%record;
        }
    }

    return @records;
}


sub _run {
    my ($self, $kind, $name, $seed) = @_;

    my $t = $self->{site}->t();
    my $parent = getppid;
    my (undef, $interval, $code) = @{$kinds{$kind}};

    srand $seed;
    @$self{qw(kind name n)} = ($kind, $name, 0);
    open $self->{out}, '>', $t->dir() . "/client.$name" or die "$name: $!\n";
    $self->{out}->autoflush(1);

    while (getppid == $parent && !-e $t->dir() . '/stop') {
        my $pause = $t->read('pause');
        if ($pause ne '') {
            delete $self->{client};
            $t->write("paused.$name", $pause);
            sleep 0.05;
            next;
        }
        $code->($self);
        sleep $interval * (0.5 + rand);
    }

    return;
}


sub _now {
    return clock_gettime(CLOCK_MONOTONIC);
}


sub _begin {
    my ($self, %opts) = @_;

    my %record = (
        id => $self->{name} . '.' . ++$self->{n},
        kind => $self->{kind},
        split => 'documents',
        key => 'user' . int rand KEYS,
        force => '',
        bypass => '',
        %opts,
        start => _now()
    );

    return \%record;
}


sub _uri {
    my ($record, $path) = @_;

    my $mark = $path =~ /\?/ ? '&' : '?';
    my $key = $record->{key} eq '' ? '' : "&k=$record->{key}";

    return "$path${mark}id=$record->{id}$key";
}


sub _note {
    my ($self, $record, $result, $response) = @_;

    $record->{end} = _now();
    $record->{seen} ||= $record->{end};
    $record->{result} = $result;

    if ($response && $response->{status}) {
        $record->{status} = $response->{status};
        $self->_decided($record, $response->{header}{'x-decided'});
    }

    print {$self->{out}}
        join("\t", map { defined $_ ? $_ : '' } @$record{@fields}), "\n";

    return;
}


sub _decided {
    my ($self, $record, $text) = @_;

    # the last may be empty
    @$record{qw(pid generation variant assignment stage)} =
        ((split / /, defined $text ? $text : ''), ('') x 5)[0 .. 4];

    return;
}


# a connection of the record's own, undef if there is none to be had
sub _connect {
    my ($self, $record) = @_;

    my $client = eval { $self->{site}->t()->client() };
    $self->_note($record, 'refused') if !$client;

    return $client;
}


# what a response is worth
sub _result {
    my ($response) = @_;

    return 'whole' if $response->{complete};
    return 'late' if !$response->{closed};
    return $response->{raw} eq '' ? 'closed' : 'cut';
}


sub _keepalive {
    my ($self) = @_;

    my $dice = int rand 20;
    my $record = $self->_begin(
          $dice == 0 ? (key => '')
        : $dice == 1 ? (force => 'blue')
        : $dice == 2 ? (force => 'documents')
        : $dice == 3 && $self->{site}{bypass} ? (bypass => 1)
        : ()
    );

    $self->_ask($record, $dice == 4 ? '/error' : '/a');

    return;
}


sub _rpc {
    my ($self) = @_;

    my $dice = int rand 20;
    my $record =
        $self->_begin(split => 'rpc', $dice == 0 ? (key => '') : ());

    $self->_ask($record, $dice == 4 ? '/rpc/error' : '/rpc/a');

    return;
}


# over a connection that is kept
sub _ask {
    my ($self, $record, $path) = @_;

    my $client = $self->{client} ||= $self->_connect($record) or return;
    my %headers;

    $headers{'X-Force'} = $record->{force} if $record->{force} ne '';
    $headers{'X-Bypass'} = 1 if $record->{bypass};

    my $response = $client->get(_uri($record, $path), %headers);
    $self->_note($record, _result($response), $response);

    if (  !$response->{complete}
        || $response->{closed}
        || lc($response->{header}{connection} || '') eq 'close')
    {
        delete $self->{client};
        $client->close();
    }

    return;
}


# before the header, or in the middle of the body
sub _leaver {
    my ($self) = @_;

    my $early = rand() < 0.5;
    my $record = $self->_begin();
    my $client = $self->_connect($record) or return;
    my $uri = _uri($record, $early ? '/slow?delay=0.4' : '/large');
    my $response;

    $client->send("GET $uri HTTP/1.1\r\nHost: a\r\n\r\n");

    if ($early) {
        sleep 0.02 + rand 0.1;

    } elsif (my $head = $client->_head(_now_plus(10))) {
        $record->{seen} = _now();
        $response = {};
        Canary::Http::Client::_parse_head($head, $response);
    }

    $client->close();
    $self->_note($record, 'left', $response);

    return;
}


# 10 seconds by the clock that the client looks at
sub _now_plus {
    my ($seconds) = @_;

    return Time::HiRes::time() + $seconds;
}


sub _slow_reader {
    my ($self) = @_;

    my $record = $self->_begin();
    my $client = $self->_connect($record) or return;

    setsockopt $client->{socket}, SOL_SOCKET, SO_RCVBUF, pack 'i', 16384;
    $client->send('GET '
            . _uri($record, '/large')
            . " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

    for (1 .. 20) {
        sysread $client->{socket}, $client->{buffer}, 16384,
            length $client->{buffer}
            or last;
        sleep 0.05 + rand 0.05;
    }

    my $response = $client->response('GET');
    $self->_note($record, _result($response), $response);

    return;
}


sub _slow_sender {
    my ($self) = @_;

    my $record = $self->_begin();
    my $client = $self->_connect($record) or return;
    my $uri = _uri($record, '/a');

    for my $piece (
        "POST $uri HTTP/1.1\r\n",
        "Host: a\r\n", "Connection: close\r\nContent-Length: 40\r\n",
        "\r\n", ('x' x 10) x 4
        )
    {
        $client->send($piece);
        sleep 0.02 + rand 0.05;
    }

    my $response = $client->response('POST');
    $self->_note($record, _result($response), $response);

    return;
}


sub _tunnel {
    my ($self) = @_;

    my $record = $self->_begin();
    my $client = $self->_connect($record) or return;

    $client->send('GET '
            . _uri($record, '/tunnel')
            . " HTTP/1.1\r\nHost: a\r\n"
            . "Upgrade: echo\r\nConnection: Upgrade\r\n\r\n");
    my $response = $client->response('GET');
    $record->{seen} = _now();

    my $whole = ($response->{status} || 0) == 101;
    for my $n (1 .. 1 + int rand 5) {
        last if !$whole;
        my $text = "hello $n\n";
        $client->send($text);
        1 while length $client->{buffer} < length $text
            && $client->_fill(_now_plus(10));
        $whole = $client->_take(length $text) eq $text;
        sleep rand 0.3;
    }

    my $result = $whole ? 'whole' : _result($response);
    $result = 'cut' if !$whole && $result eq 'whole';

    # ended by either side
    if ($whole && rand() < 0.5) {
        $client->send('bye');
        1 while $client->_fill(_now_plus(10));
    }

    $client->close();
    $self->_note($record, $result, $response);

    return;
}


# several streams of one connection
sub _http2 {
    my ($self) = @_;

    my $t = $self->{site}->t();
    my $address = 'http://127.0.0.1:' . $t->port(1);
    my %records = map { $_->{id} => $_ }
        map { $self->_begin($_ % 3 == 0 ? (split => 'rpc') : ()) } 1 .. 8;
    my @uris =
        map { $address . _uri($_, $_->{split} eq 'rpc' ? '/rpc/a' : '/a') }
        values %records;

    my $pid = open my $pipe, '-|';
    die "fork: $!\n" if !defined $pid;
    if ($pid == 0) {
        open STDERR, '>', '/dev/null';
        exec 'nghttp', '-n', '-v', '--no-dep', '-t', '10', @uris
            or POSIX::_exit(127);
    }

    my %streams;
    while (my $line = <$pipe>) {
        $line =~ s/\e\[[\d;]*m//g;
        if ($line =~ /recv \(stream_id=(\d+)\) ([\w:-]+): (.*)$/) {
            $streams{$1}{$2} = $3;
        }
    }
    close $pipe;

    for my $stream (values %streams) {
        my $record = delete $records{$stream->{'x-id'} || ''} or next;
        $self->_note(
            $record, 'whole',
            {
                status => $stream->{':status'},
                header => {'x-decided' => $stream->{'x-decided'}}
            }
        );
    }

    $self->_note($_, 'closed') for values %records;

    return;
}


1;
