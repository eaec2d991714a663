package Canary::Process;

# Ports and child processes of Canary.

use strict;
use warnings;

use Fcntl qw(:flock :DEFAULT);
use File::Spec;
use IO::Socket::INET;
use JSON::PP ();
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

use constant {
    PORTS => 20,
    FIRST_PORT => 20000,    # below the range of ephemeral ports
    LAST_PORT => 32000,
};

# processes to kill when the test ends, and the one process that does it
my %children;
my $owner = $$;


# A block of ports belongs to the process that holds the lock of its file.
sub _reserve_ports {
    my ($self) = @_;

    # one place for all, whatever TMPDIR says
    my $locks =
        (-w '/tmp' ? '/tmp' : File::Spec->tmpdir()) . "/canary-ports-$>";
    mkdir $locks, 0700;
    my @bases = map { FIRST_PORT + $_ * PORTS }
        0 .. (LAST_PORT - FIRST_PORT) / PORTS - 1;

    for my $base (@bases) {
        sysopen my $lock, "$locks/$base", O_RDWR | O_CREAT or next;
        next if !flock $lock, LOCK_EX | LOCK_NB;
        next if grep { !_is_free($_) } $base .. $base + PORTS - 1;
        @$self{qw(base lock)} = ($base, $lock);
        return;
    }

    die "no free ports\n";
}


sub _is_free {
    my ($port) = @_;

    return IO::Socket::INET->new(
        LocalAddr => '127.0.0.1',
        LocalPort => $port,
        ReuseAddr => 1,
        Listen => 1
    );
}


sub _accepts {
    my ($port) = @_;

    return IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => $port,
        Timeout => 1
    ) ? 1 : 0;
}


# Runs code in a process that is killed at the end of the test, if not before.
sub _spawn {
    my ($self, $code, %opts) = @_;

    my $pid = fork;
    die "fork: $!\n" if !defined $pid;
    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        setpgrp 0, 0 if $opts{group};
        eval { $code->(); 1 } or warn $@;
        POSIX::_exit(0);
    }
    setpgrp $pid, $pid if $opts{group};
    $children{$pid} = $opts{group} ? -$pid : $pid;

    return $pid;
}


# Starts a program whose output goes to files; "prepare" is called before, in
# its process.
sub _start_program {
    my ($self, $prepare, @command) = @_;

    my $output = $self->dir() . '/program.' . ++$self->{programs};

    my $pid = $self->_spawn(
        sub {
            $prepare->();
            open STDIN, '<', '/dev/null';
            open STDOUT, '>', "$output.out";
            open STDERR, '>', "$output.err";
            exec {$command[0]} @command or POSIX::_exit(127);
        }
    );
    $self->{outputs}{$pid} = "program.$self->{programs}";

    return $pid;
}


# What a program that was started has said, when it has ended: its status, or
# 128 and the signal, "out", "err", and "json" if that is what it wrote.
sub _end_of_program {
    my ($self, $pid, $seconds) = @_;

    my $status;
    $self->wait_for(
        sub {
            return 0 if !$self->_reap($pid);
            $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
            return 1;
        },
        $seconds
    ) or die "a program does not end\n";

    my $output = $self->{outputs}{$pid};
    my $out = $self->read("$output.out");

    return {
        status => $status,
        out => $out,
        err => $self->read("$output.err"),
        json => scalar eval { JSON::PP::decode_json($out) }
    };
}


sub _reap {
    my ($self, $pid) = @_;

    return 0 if waitpid($pid, WNOHANG) == 0;
    delete $children{$pid};

    return 1;
}


sub _end {
    my ($self, $pid) = @_;

    my $target = delete $children{$pid};
    return if !defined $target;
    kill 'KILL', $target;
    waitpid $pid, 0;

    return;
}


END {
    if ($$ == $owner) {
        my $status = $?;

        # TERM lets a master take its workers along
        kill 'TERM', grep { $_ > 0 } values %children;
        my $end = time + 3;
        while (%children && time < $end) {
            Canary->_reap($_) for keys %children;
            kill 'KILL', grep { $_ < 0 } values %children;
            sleep 0.02;
        }
        kill 'KILL', values %children;
        waitpid $_, 0 for keys %children;
        $? = $status;
    }
}


1;
