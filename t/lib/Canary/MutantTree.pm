package Canary::MutantTree;

# A copy of the tree in which one fault at a time is built and tested.
#
#     new(dir => ..., reached => ..., seconds => ...)
#     prepare()                       copies, builds, and tries a test
#     tests($file)                    the tests that may reach that source at
#                                     all: "t/unit/x.c", "t/x.t"
#     compile($mutation, $object)     undef, or why it is none: it does not
#                                     compile, or the compiler makes the same
#                                     of it
#     test($mutation, @tests)         status "noticed" or "survived", by what,
#                                     and seconds

use strict;
use warnings;

use Canary::Files qw(read_file write_file);
use Canary::Mutate;
use Canary::Unit;
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Compare qw(compare);
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Select;
use List::Util qw(max min);
use POSIX ();
use Time::HiRes qw(sleep time);

# seconds that a test may take beyond four times of what it took
use constant PATIENCE => 60;

my $root = dirname(dirname(dirname(dirname(abs_path(__FILE__)))));


sub new {
    my ($class, %opts) = @_;

    my $self = bless {
        unit => Canary::Unit->new(
            root => $opts{dir},
            dir => "$opts{dir}/build/unit"
        ),
        module => "$opts{dir}/build/ngx_http_canary_module.so",
        objects => "$opts{dir}/build/tree/objs",
        commands => {},
        %opts
    }, $class;

    # of the copy, whatever the environment says
    $self->{unit}{tree} = "$opts{dir}/build/tree";
    return $self;
}


sub prepare {
    my ($self) = @_;

    print "preparing $self->{dir}\n";
    my %ours;
    for my $file (split /\0/, `git ls-files -coz --exclude-standard`) {
        next if !-f $file;
        $ours{$file} = 1;
        my $copy = "$self->{dir}/$file";
        next if -f $copy && compare($file, $copy) == 0;
        make_path(dirname($copy));
        copy($file, $copy) or die "$copy: $!\n";
        chmod((stat $file)[2] & 0777, $copy);
    }
    for my $file (glob "$self->{dir}/src/*/*.c $self->{dir}/t/*.t") {
        unlink $file if !$ours{substr $file, 1 + length $self->{dir}};
    }
    make_path("$self->{dir}/src/mutant", "$self->{dir}/build/unit");
    symlink "$root/build/src", "$self->{dir}/build/src";

    $self->_build() or die "$self->{dir}: does not build\n";

    my $reached = $self->{reached};
    my ($test) = sort { $reached->seconds($a) <=> $reached->seconds($b) }
        grep { /\.t$/ && $reached->size($_) && !$reached->failed($_) }
        $reached->tests();
    my $wrong = $self->_run($test, PATIENCE);
    die "$test fails without any fault: $wrong\n" if $wrong;
    return;
}


sub tests {
    my ($self, $file) = @_;

    my $text = read_file($file);
    my ($layer, $name) = $file =~ m{^src/(\w+)/(.*)};
    my @units = map { "t/unit/$_.c" } $self->{unit}->programs();
    @units = grep {
        m{^t/unit/zone/}
            ? read_file($_) =~ /\Q$name\E"/
            : $layer =~ /^(?:pure|render)$/
    } @units;

    # those of the copy: others may be added while this runs
    return (@units,
        grep { $_ ne 't/unit.t' }
            map { substr $_, 1 + length $self->{dir} }
            glob "$self->{dir}/t/*.t");
}


sub compile {
    my ($self, $mutation, $object) = @_;

    my $file = $mutation->{file};
    my $source = "$self->{dir}/src/mutant/" . basename($file);
    my $good = "$self->{dir}/build/unit/good.o";
    my $text = read_file($file);

    if (!$self->{commands}{$file}) {
        write_file($source, $text);
        $self->{commands}{$file} = $self->_command($file);
        $self->_cc($file, $source, $good) == 0
            or die "$file does not compile\n";
        $self->{good}{$file} = _code($good);
    }

    write_file($source, Canary::Mutate::apply($text, $mutation));
    my $failed = $self->_cc($file, $source, $object);
    unlink $source;

    return 'did not compile' if $failed;
    return 'are compiled to the same code'
        if _code($object) eq $self->{good}{$file};
    return;
}


sub test {
    my ($self, $mutation, @tests) = @_;

    my $start = time;
    my $end = $start + $self->{seconds};
    my $row = {
        status => 'survived',
        by => @tests ? @tests . ' tests reach it' : 'no test reaches it'
    };

    $self->_put($mutation) if @tests;
    my $n = 0;
    for my $test (@tests) {
        my $left = $end - time;
        if ($left <= 0) {
            $row->{by} =
                  "not noticed within $self->{seconds} s, by $n of "
                . @tests
                . ' tests that reach it';
            last;
        }
        $n++;
        my $wrong = $self->_held_against($test, $left);
        if ($wrong) {
            @{$row}{qw(status by)} = ('noticed', "$test: $wrong");
            last;
        }
    }
    $self->_take_back($mutation) if @tests;

    $row->{seconds} = time - $start;
    return $row;
}


# what is wrong, undef if nothing is
sub _held_against {
    my ($self, $test, $left) = @_;

    my $reached = $self->{reached};
    my $seconds = $reached->known($test) ? $reached->seconds($test) : $left;
    my $limit = min($left, PATIENCE + 4 * $seconds);
    my $wrong;

    if ($test =~ m{^t/unit/(.*)\.c$}) {
        $wrong = $self->_run_unit($1, $limit);

    } else {
        $self->{built} ||= $self->_build();
        return 'does not build' if !$self->{built};
        $wrong = $self->_run($test, $limit);

        # a test that fails once in a while notices nothing
        $wrong = $self->_run($test, $limit)
            if $wrong && $wrong ne 'hangs';
    }

    # out of time, which says nothing about the fault
    return if $wrong && $wrong eq 'hangs' && $limit == $left;
    return $wrong;
}


sub _run_unit {
    my ($self, $name, $limit) = @_;

    my $unit = $self->{unit};
    $unit->{seconds} = max(1, POSIX::ceil($limit));
    my ($status) = $unit->library();
    ($status) = $unit->build($name) if $status == 0;
    return 'does not compile' if $status;

    ($status, my @out) = $unit->run($name);
    return if $status == 0 && grep { /^1\.\./ } @out;
    return 'hangs' if ($status & 127) == POSIX::SIGALRM;

    my ($first) = grep { /^not ok/ } @out;
    return defined $first ? _label($first) : "ends with $status";
}


# ends at the first assertion that fails
sub _run {
    my ($self, $test, $limit) = @_;

    my $tmp = $self->{tmp} ||= tempdir(
        'mutant-XXXXXX',
        TMPDIR => 1,
        CLEANUP => 1
    );
    chmod 0755, $tmp;
    my $pid = open my $out, '-|';
    die "fork: $!\n" if !defined $pid;
    if ($pid == 0) {
        setpgrp 0, 0;
        delete @ENV{qw(BUILD_DIR BUILD_NAME NGINX_SRC TESTS JOBS FILES)};
        $ENV{TEST_CANARY_MODULE} = $self->{module};
        $ENV{TMPDIR} = $tmp;
        chdir $self->{dir} or POSIX::_exit(127);
        open STDIN, '<', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec $^X, '-It/lib', $test or POSIX::_exit(127);
    }
    local @SIG{qw(INT TERM)} = (
        sub {
            kill 'TERM', -$pid;
            exit 1;
        }
    ) x 2;

    my $wrong = _watch($out, time + $limit);
    if (defined $wrong) {
        kill 'TERM', $pid;
        my $end = time + 10;
        sleep 0.05 while time < $end && kill(0, $pid) && !_ended($pid);
    }

    # what it has left behind, if anything
    kill 'KILL', -$pid;
    close $out;
    return $wrong if defined $wrong;
    return $? ? "ends with $?" : undef;
}


sub _watch {
    my ($out, $end) = @_;

    my ($select, $text) = (IO::Select->new($out), '');
    while (1) {
        my $left = $end - time;
        return 'hangs' if $left <= 0;
        next if !$select->can_read($left);
        my $read = sysread $out, $text, 65536, length $text;
        return if !$read;
        while ($text =~ s/^(.*)\n//) {
            my $line = $1;
            return _label($line)
                if $line =~ /^\s*not ok/ && $line !~ /# (?:TODO|skip)/i;
        }
    }
}


sub _ended {
    my ($pid) = @_;

    open my $in, '<', "/proc/$pid/stat" or return 1;
    my $text = <$in>;
    return !defined $text || $text =~ /^.*\) Z/;
}


sub _label {
    my ($line) = @_;

    return $line =~ s/^\s*not ok \d+(?: - )?//r =~ s/\s+$//r;
}


# the source with the fault, its object, and what was there before
sub _put {
    my ($self, $mutation) = @_;

    my $file = $mutation->{file};
    my $object = $self->_object($file);
    my $text = read_file($file);

    if (!$mutation->{object}) {
        $mutation->{object} = "$self->{dir}/build/unit/again.o";
        my $why = $self->compile($mutation, $mutation->{object});
        die "$file:$mutation->{line}: $why\n" if $why;
    }

    copy($object, "$object.good") or die "$object: $!\n";
    write_file("$self->{dir}/$file", Canary::Mutate::apply($text, $mutation));
    copy($mutation->{object}, $object) or die "$object: $!\n";
    $self->{built} = 0;
    return;
}


sub _take_back {
    my ($self, $mutation) = @_;

    my $object = $self->_object($mutation->{file});
    copy($mutation->{file}, "$self->{dir}/$mutation->{file}")
        or die "$mutation->{file}: $!\n";
    copy("$object.good", $object) or die "$object: $!\n";
    return;
}


sub _object {
    my ($self, $file) = @_;

    return "$self->{objects}/addon/" . ($file =~ s{^src/|c$}{}gr) . 'o';
}


sub _build {
    my ($self) = @_;

    local %ENV = %ENV;
    delete @ENV{
        qw(BUILD_DIR BUILD_NAME NGINX_SRC CANARY_CC_OPT
            CANARY_LD_OPT)
    };

    # "a && b || c" shall not be refused for its looks
    $ENV{CANARY_CFLAGS} = '-Wno-parentheses';
    return system(
        'sh', '-c',
        'exec "$0" >/dev/null',
        "$self->{dir}/scripts/dev/build"
    ) == 0;
}


# what make would run for the object, with "$1" and "$2" for the files
sub _command {
    my ($self, $file) = @_;

    my $source = "$self->{dir}/$file";
    my $flags = read_file("$self->{objects}/canary.flags");
    chomp $flags;
    my $made = $self->_object($file) =~ s{^\Q$self->{dir}\E/build/tree/}{}r;

    chdir dirname($self->{objects}) or die "$self->{objects}: $!\n";
    open my $in, '-|', 'make', '--no-print-directory', '-n', '-W', $source,
        '-f', 'objs/Makefile', "CANARY_FLAGS=$flags", $made
        or die "make: $!\n";
    my $command = do { local $/ = undef; <$in> };
    close $in;
    chdir $root or die "$root: $!\n";

    my $found = $command =~ s/\Q$source\E/"\$1"/;
    $found &&= $command =~ s/-o \Q$made\E/-o "\$2"/;
    die "$file: how is it compiled?\n" if !$found;

    # headers of its own layer are not beside the copy
    $command =~ s{\s+\z}{};
    return "$command -I" . dirname($source);
}


sub _cc {
    my ($self, $file, $source, $object) = @_;

    return system 'sh', '-c',
        'cd "$0" && exec 2>/dev/null && ' . $self->{commands}{$file},
        dirname($self->{objects}), $source, $object;
}


# without what says where the source lies
sub _code {
    my ($object) = @_;

    system('strip', '-g', '-o', "$object.code", $object) == 0
        or die "strip: $!\n";
    my $code = read_file("$object.code");
    unlink "$object.code";
    return $code;
}


1;
