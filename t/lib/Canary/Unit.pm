package Canary::Unit;

# The unit tests in C: programs of t/unit, each linked with those of the sources
# that need no nginx that it calls, and programs of t/unit/zone, which include
# what they test and take the headers of the nginx that the module is built for.
#
#     my $unit = Canary::Unit->new(dir => tempdir(CLEANUP => 1));
#     my ($status, @out) = $unit->build($unit->programs());
#     ($status, @out) = $unit->run('split_point');
#
#     new(%opts)        dir: where objects and programs are written; root: the
#                       tree, this one by default; seconds: how long a
#                       program may run, five minutes by default
#     programs()        the names, 'split_point' or 'zone/late'
#     source($name)     its source
#     build($name)      compiles what has changed since, and links
#     races($name)      the same under ThreadSanitizer, as "NAME_races"
#     library()         compiles what the programs of t/unit are linked with
#     run($name)        runs it
#
# The last four return a wait status and the lines of standard output and error
# together.  Environment: CC, CFLAGS, LDFLAGS, TEST_CANARY_MODULE (whose build
# has the headers), BUILD_DIR; TEST_REACHED, for Canary::Reached, compiles for
# coverage and records what each program reaches.

use strict;
use warnings;

use Canary::Reached;
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use POSIX ();
use Text::ParseWords qw(shellwords);
use Time::HiRes ();

# seconds; a simulation takes some ten on a machine that does nothing else
use constant TIMEOUT => 300;

# on few processors a counter may survive by luck; ThreadSanitizer sees what
# is not atomic in any case
use constant RACES => qw(-fsanitize=thread -Wno-tsan -O1 -DROUNDS=200);

# nothing is as fast as usual when it counts
use constant COVERAGE =>
    qw(-O0 --coverage -fprofile-update=atomic -DSLOWEST=1e6);

my $here = dirname(dirname(dirname(dirname(abs_path(__FILE__)))));


sub new {
    my ($class, %opts) = @_;

    my $self = bless {root => $here, %opts}, $class;
    my $build = $ENV{BUILD_DIR} || "$self->{root}/build";
    my $module = $ENV{TEST_CANARY_MODULE} || "$build/ngx_http_canary_module.so";
    $self->{tree} = dirname($module) . '/tree';

    return $self;
}


sub programs {
    my ($self) = @_;

    my @sources = map { glob "$self->{root}/t/unit/$_.c" } qw(* zone/*);
    return map { m{t/unit/(.*)\.c$} } @sources;
}


sub source {
    my ($self, $name) = @_;

    return "$self->{root}/t/unit/$name.c";
}


sub library {
    my ($self) = @_;

    my (@objects, @all);
    for my $source (map { glob "$self->{root}/src/$_/*.c" } qw(pure render)) {
        my $object = "$self->{dir}/" . basename($source, '.c') . '.o';
        my ($status, @out) = $self->_compile($source, $object);
        return ($status, @out) if $status;
        push @all, @out;
        push @objects, $object;
    }

    # a static library, so that a test links no more than it calls
    my $library = $self->_library();
    return (0, @all) if !grep { _newer($_, $library) } @objects;

    unlink $library;
    my ($status, @out) = _output(TIMEOUT, 'ar', 'rcs', $library, @objects);
    return ($status, @all, @out);
}


sub build {
    my ($self, $name) = @_;

    my @more = $name =~ m{^zone/} ? $self->_nginx() : ();
    return $self->_program($name, $self->_path($name), @more);
}


sub races {
    my ($self, $name) = @_;

    return $self->_program($name, $self->_path($name) . '_races',
        $self->_nginx(), RACES);
}


sub run {
    my ($self, $name) = @_;

    my $run = sub {
        _output($self->{seconds} || TIMEOUT, $self->_path($name));
    };
    return $run->() if !$ENV{TEST_REACHED};

    # other lines are counted in code that is made for ThreadSanitizer
    if ($name =~ /_races$/) {
        local $ENV{GCOV_PREFIX} = "$self->{dir}/races";
        return $run->();
    }
    return Canary::Reached::counted("t/unit/$name.c", $run);
}


sub _path {
    my ($self, $name) = @_;

    return "$self->{dir}/" . ($name =~ s{/}{_}r);
}


sub _library {
    my ($self) = @_;

    return "$self->{dir}/libpure.a";
}


sub _nginx {
    my ($self) = @_;

    # a macro of a system header counts at other lines
    my $how = $ENV{TEST_REACHED} ? '-I' : '-isystem';
    return (
        (
            map { ($how, "$self->{tree}/$_") }
                qw(objs src/core src/event src/event/quic src/os/unix)
        ),
        '-pthread'
    );
}


sub _program {
    my ($self, $name, $program, @more) = @_;

    my ($status, @said) =
        $self->_compile($self->source($name), "$program.o", @more);
    return ($status, @said) if $status;

    my @parts = ("$program.o", $self->_library());
    return (0, @said) if !grep { _newer($_, $program) } @parts;

    my ($linked, @out) =
        _output(TIMEOUT, _cc(), '-o', $program, @parts,
        shellwords($ENV{LDFLAGS} || ''),
        '-lxxhash', '-lm', @more);
    return ($linked, @said, @out);
}


# an object, unless neither its source nor what that includes is newer

sub _compile {
    my ($self, $source, $object, @more) = @_;

    my $needs = -e $object ? "$object.d" : undef;
    if (defined $needs && open my $in, '<', $needs) {
        my $text = do { local $/ = undef; <$in> };
        close $in;
        $text =~ s/^[^:]*://;
        return 0
            if !grep { _newer($_, $object) } grep { $_ ne '\\' } split ' ',
            $text;
    }

    my ($status, @out) = _output(
        TIMEOUT, _cc(), @more, '-MMD', '-MF', "$object.d",
        '-c', '-o', $object, $source
    );
    unlink $object if $status;

    return ($status, @out);
}


sub _cc {
    return (
        shellwords($ENV{CC} || 'cc'),
        '-std=c99', '-Wall', '-Wextra',
        shellwords($ENV{CFLAGS} || '-O2 -g'),
        $ENV{TEST_REACHED} ? COVERAGE : ()
    );
}


sub _newer {
    my ($source, $made) = @_;

    my ($left, $right) = map { (Time::HiRes::stat($_))[9] } $source, $made;
    return !defined $left || !defined $right || $left > $right;
}


sub _output {
    my ($seconds, @command) = @_;

    my $pid = open my $pipe, '-|';
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        alarm $seconds;
        exec {$command[0]} @command or POSIX::_exit(127);
    }

    my @out = <$pipe>;
    close $pipe;

    return ($?, @out);
}


1;
