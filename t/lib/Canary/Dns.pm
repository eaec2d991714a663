package Canary::Dns;

# A name server on a UDP port of 127.0.0.1 whose answers a test changes.
#
#     my $dns = Canary::Dns->new($t, $t->port(9));
#     $dns->set('new.test' => ['127.0.0.2'], 'old.test' => []);
#
#     set(NAME => [ADDRESS ...], ...)  what is there from now on: IPv4, of a
#                                      name without addresses none; any other
#                                      name does not exist
#     asked($name)                     how often it was asked for
#
# In nginx: "resolver 127.0.0.1:%%PORT9%% valid=1s ipv6=off;".  It asks again
# after two seconds.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();

use constant {TYPE_A => 1, NO_NAME => 3};


sub new {
    my ($class, $t, $port) = @_;

    my $self = bless {t => $t, port => $port}, $class;
    my $socket = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1',
        LocalPort => $port,
        Proto => 'udp'
    ) or die "port $port: $!\n";

    $self->set();
    my $parent = $$;
    $t->_spawn(sub { $self->_serve($socket, $parent) });
    close $socket;

    return $self;
}


sub set {
    my ($self, %names) = @_;

    # a rename, as it may be read at any time
    my $path =
        $self->{t}
        ->write("dns.$self->{port}.new", JSON::PP->new()->encode(\%names));
    rename $path, $self->{t}->dir() . "/dns.$self->{port}" or die "$path: $!\n";

    return;
}


sub asked {
    my ($self, $name) = @_;

    return scalar grep { $_ eq $name } split /\n/,
        $self->{t}->read("dns.$self->{port}.log");
}


sub _serve {
    my ($self, $socket, $parent) = @_;

    open my $log, '>>', $self->{t}->dir() . "/dns.$self->{port}.log"
        or die "dns: $!\n";
    $log->autoflush(1);

    my $ready = IO::Select->new($socket);
    while (getppid == $parent) {
        next if !$ready->can_read(0.5);
        my $from = $socket->recv(my $query, 512);
        my ($name, $answer) = $self->_answer($query);
        $socket->send($answer, 0, $from);
        print {$log} "$name\n";
    }

    return;
}


# RFC 1035, 4.1: a header, the question as it came, and the addresses
sub _answer {
    my ($self, $query) = @_;

    my ($id, @label) = unpack 'n x10 (C/a)*', $query;
    my ($length) = 12 + index(substr($query, 12), "\0") + 1;
    my $question = substr $query, 12, $length - 12 + 4;
    my ($type) = unpack 'n', substr $question, -4;

    my $name = '';
    for my $label (@label) {
        last if $label eq '';
        $name .= ($name eq '' ? '' : '.') . lc $label;
    }

    my $names = JSON::PP->new()->decode($self->{t}->read("dns.$self->{port}"));
    my @addresses = $type == TYPE_A ? @{$names->{$name} || []} : ();
    my $flags = 0x8180 | ($names->{$name} ? 0 : NO_NAME);

    # the name by a pointer to the question, class IN, one second
    my $answer = pack 'n6 a*', $id, $flags, 1, scalar @addresses, 0, 0,
        $question;
    $answer .= pack 'n3 N n/a*', 0xc00c, TYPE_A, 1, 1, pack 'C4', split /\./, $_
        for @addresses;

    return ($name, $answer);
}


1;
