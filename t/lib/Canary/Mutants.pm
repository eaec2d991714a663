package Canary::Mutants;

# "make mutants": single faults, one after the other, against the tests that
# reach them.  scripts/dev/mutants says what it does.
#
#     main()               does all of it; the exit status
#     lines($files, $seed) the order in which lines are drawn: files is what
#                          each file's text is
#     equivalents($text)   the faults that t/mutants.equivalent names
#     first_tests($text)   the tests that t/mutants.map names, by file

use strict;
use warnings;

use Canary::Files qw(read_file write_file);
use Canary::MutantTree;
use Canary::Mutate;
use Canary::Reached;
use Cwd qw(abs_path);
use Digest::MD5 qw(md5_hex);
use Fcntl qw(:flock);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use List::Util qw(sum0);

# of those drawn, how many may be said to change nothing
use constant EQUIVALENT => 0.1;

use constant LAYERS => qw(pure zone http render);

my $root = dirname(dirname(dirname(dirname(abs_path(__FILE__)))));


sub main {
    my $build = $ENV{BUILD_DIR} || "$root/build";
    my $self = bless {
        dir => "$build/mutants",
        jobs => $ENV{JOBS} || 2,
        number => $ENV{MUTANTS} || 120,
        seed => $ENV{SEED} || 20251125,
        seconds => $ENV{MUTANT_SECONDS} || 300,
        },
        __PACKAGE__;

    chdir $root or die "$root: $!\n";
    local $| = 1;
    make_path($self->{dir});
    $self->{results} = "$self->{dir}/results";
    $self->{reached} = Canary::Reached::load("$build/coverage/reached");
    $self->_check_record();
    $self->{equivalent} = equivalents(read_file('t/mutants.equivalent'));
    $self->{first} = first_tests(read_file('t/mutants.map'));

    my @trees = map {
        Canary::MutantTree->new(
            dir => "$self->{dir}/tree-$_",
            reached => $self->{reached},
            seconds => $self->{seconds}
        )
    } 1 .. $self->{jobs};
    $_->prepare() for @trees;

    my $drawn = $ENV{AGAIN} ? $self->_survivors() : $self->_draw($trees[0]);
    $self->_test($drawn, @trees);

    return $self->_report();
}


sub lines {
    my ($files, $seed) = @_;

    my @lines;
    for my $file (sort keys %{$files}) {
        my @text = split /^/, $files->{$file};
        my (%line, %times);
        for my $mutation (Canary::Mutate::mutations($files->{$file})) {
            push @{$line{$mutation->{line}}}, $mutation;
        }

        # by what the line says, so that a change elsewhere changes nothing
        for my $n (sort { $a <=> $b } keys %line) {
            my $nth = ++$times{$text[$n - 1]};
            my $key = "$seed $file $nth $text[$n - 1]";
            my %order =
                map { $_ => md5_hex("$key$_->{before} $_->{after}") }
                @{$line{$n}};
            push @lines,
                {
                file => $file,
                rank => md5_hex($key),
                mutations => [sort { $order{$a} cmp $order{$b} } @{$line{$n}}]
                };
        }
    }

    @lines = sort { $a->{rank} cmp $b->{rank} } @lines;
    return @lines;
}


# paragraphs of "file:", "before:", "after:" and "because:"
sub equivalents {
    my ($text) = @_;

    my %equivalent;
    $text =~ s/^#.*\n//mg;
    for my $paragraph (split /\n\n+/, $text) {
        next if $paragraph !~ /\S/;
        my ($file, $before, $after, $because) =
            $paragraph =~ /^\n*file:(.*)\nbefore:(.*)\nafter:(.*)
                \nbecause:(.*)/xs;
        die "t/mutants.equivalent: \"$paragraph\"\n"
            if !defined $because || $because !~ /\S/;
        $equivalent{_key(map { join ' ', split } $file, $before, $after)} =
            join ' ', split ' ', $because;
    }

    return \%equivalent;
}


# lines of a file, or files with "*", and names of tests
sub first_tests {
    my ($text) = @_;

    my @first;
    for my $line (split /\n/, $text) {
        my ($file, @tests) = split ' ', $line =~ s/#.*//r;
        next if !defined $file;
        my $pattern = join '.*', map { quotemeta } split /\*/, $file, -1;
        push @first, [qr/^$pattern$/, \@tests];
    }

    return \@first;
}


sub _check_record {
    my ($self) = @_;

    my $reached = $self->{reached};
    my @tests = $reached->tests()
        or die "nothing is known about what tests reach, run"
        . " scripts/dev/coverage first\n";
    for my $test (@tests) {
        print "$test failed when it was recorded, it is left out\n"
            if $reached->failed($test) && $test ne 't/unit.t';
    }
    return;
}


# as many faults of each layer, or of the files that FILES names
sub _draw {
    my ($self, $tree) = @_;

    my @files = split ' ', $ENV{FILES} || '';
    my %group;
    for my $file (@files ? @files : glob 'src/*/*.c') {
        my ($layer) = $file =~ m{^src/(\w+)/}
            or die "$file is no file of src\n";
        $group{@files ? 'all' : $layer}{$file} = read_file($file);
    }

    print "drawing $self->{number}, seed $self->{seed}\n";
    my @groups = @files ? 'all' : LAYERS;
    my %queue = map { $_ => [lines($group{$_}, $self->{seed})] } @groups;
    my (@drawn, %discarded);

    remove_tree("$self->{dir}/objects");
    make_path("$self->{dir}/objects");
    while (@drawn < $self->{number}) {
        my $name = $groups[@drawn % @groups];
        my $line = shift @{$queue{$name}} or last;
        my $found;
        while (!$found && @{$line->{mutations}}) {
            my $mutation = shift @{$line->{mutations}};
            $mutation = {%{$mutation}, file => $line->{file}};
            my $object = "$self->{dir}/objects/" . @drawn . '.o';
            my $why =
                $self->{equivalent}{_key_of($mutation)}
                ? undef
                : $tree->compile($mutation, $object);
            $discarded{$why}++ if $why;
            $found = {%{$mutation}, id => scalar @drawn, object => $object}
                if !$why;
        }
        push @drawn, $found if $found;

        # once each line had its turn, another fault of the same one
        push @{$queue{$name}}, $line if @{$line->{mutations}};
    }

    print "discarded: $discarded{$_} $_\n" for sort keys %discarded;
    unlink $self->{results};
    return \@drawn;
}


# what survived the last run, wherever its lines are now
sub _survivors {
    my ($self) = @_;

    my (@again, %mutations);
    for my $row (grep { $_->{status} eq 'survived' } $self->_rows()) {
        my $file = $row->{file};
        $mutations{$file} ||= [Canary::Mutate::mutations(read_file($file))]
            if -f $file;
        my ($mutation) =
            sort {
            abs($a->{line} - $row->{line}) <=> abs($b->{line} - $row->{line})
            }
            grep { _key($file, @{$_}{qw(before after)}) eq _key_of($row) }
            @{$mutations{$file} || []};
        push @again, {%{$mutation}, id => $row->{id}, file => $file}
            if $mutation;
        $self->_result({%{$row}, status => 'gone'}) if !$mutation;
    }

    print scalar(@again), " that survived\n";
    return \@again;
}


sub _test {
    my ($self, $drawn, @trees) = @_;

    my $next = "$self->{dir}/next";
    write_file($next, 0);

    my @workers = map {
        my $tree = $_;
        my $pid = fork;
        die "fork: $!\n" if !defined $pid;
        if ($pid == 0) {
            $self->_work($tree, $drawn, $next);
            exit 0;
        }
        $pid;
    } @trees;

    my $failed = 0;
    local @SIG{qw(INT TERM)} = (sub { kill 'TERM', @workers }) x 2;
    for my $pid (@workers) {
        1 while waitpid($pid, 0) != $pid;
        $failed ||= $?;
    }
    die "stopped; AGAIN=1 goes by what is in $self->{results}\n" if $failed;
    return;
}


sub _work {
    my ($self, $tree, $drawn, $next) = @_;

    while (1) {
        my $n = _count($next);
        last if $n >= @{$drawn};
        my $mutation = $drawn->[$n];

        my $because = $self->{equivalent}{_key_of($mutation)};
        my $row =
            $because
            ? {status => 'equivalent', by => $because, seconds => 0}
            : $tree->test($mutation, $self->_tests($tree, $mutation));
        $self->_result({%{$mutation}, %{$row}});
    }
    return;
}


# The tests that may notice a fault, the cheapest and most particular first.
# Those that are new since the record was made may reach anything.
sub _tests {
    my ($self, $tree, $mutation) = @_;

    my ($file, $reached) = ($mutation->{file}, $self->{reached});
    my %noticed = _noticed($file, $self->_rows());
    my %first = map { $_ => 1 }
        map { $file =~ $_->[0] ? @{$_->[1]} : () } @{$self->{first}};

    my %score;
    for my $line (_sites($mutation)) {
        for my $test ($reached->reaching($file, $line)) {
            next if $reached->failed($test);
            $score{$test} =
                ($reached->seconds($test) + 1) * $reached->size($test);
        }
    }
    delete $score{'t/unit.t'};

    for my $test ($tree->tests($file)) {
        $score{$test} = 1000 if !$reached->known($test);

        # it reads the source, as docs_directives.t
        $score{$test} = 100 if $first{$test} && !$reached->size($test);
    }
    for my $test (keys %score) {
        delete $score{$test} if !-f "$tree->{dir}/$test";
        $score{$test} /= 100 if $first{$test} && $score{$test};
        $score{$test} /= 1 + 3 * ($noticed{$test} || 0) if $score{$test};
    }

    my @tests = sort { $score{$a} <=> $score{$b} || $a cmp $b } keys %score;
    return @tests;
}


# the lines to be reached: of a macro or a table, where it is used
sub _sites {
    my ($mutation) = @_;

    my $name = $mutation->{name};
    return $mutation->{line} if !defined $name;

    my @lines = split /^/, read_file($mutation->{file});
    return
        grep { $_ != $mutation->{line} && $lines[$_ - 1] =~ /\b$name\b/ }
        1 .. @lines;
}


sub _noticed {
    my ($file, @rows) = @_;

    my %noticed;
    for my $row (@rows) {
        next if $row->{status} ne 'noticed' || $row->{file} ne $file;
        $noticed{$row->{by} =~ s/:.*//r}++;
    }
    return %noticed;
}


my @columns = qw(id status file line kind seconds by before after);


sub _result {
    my ($self, $row) = @_;

    my $text = join "\t", map { s/\s+/ /gr } @{$row}{@columns};
    open my $out, '>>', $self->{results} or die "$self->{results}: $!\n";
    flock $out, LOCK_EX;
    print {$out} "$text\n";
    close $out or die "$self->{results}: $!\n";

    syswrite STDOUT, _told($row);
    return;
}


# the last word on each fault, which may have moved since
sub _rows {
    my ($self) = @_;

    open my $in, '<', $self->{results} or return;
    my %row;
    while (my $text = <$in>) {
        chomp $text;
        my %one;
        @one{@columns} = split /\t/, $text;
        $row{$one{id}} = \%one;
    }
    close $in;

    return @row{sort { $a <=> $b } keys %row};
}


sub _told {
    my ($row) = @_;

    my $text = sprintf "%-10s %s:%d, %s, %.0f s: %s\n",
        @{$row}{qw(status file line kind seconds by)};
    return $text if $row->{status} eq 'noticed';
    return "$text    before: $row->{before}\n    after:  $row->{after}\n";
}


sub _report {
    my ($self) = @_;

    my @rows = grep { $_->{status} ne 'gone' } $self->_rows();
    print "\n";
    print _told($_) for grep { $_->{status} eq 'survived' } @rows;

    my $form = "%-8s %6s %11s %8s %9s %7s\n";
    print "\n";
    printf $form, qw(layer drawn equivalent noticed survived rate);
    my %all;
    for my $layer (LAYERS) {
        my %n;
        $n{$_->{status}}++ for grep { $_->{file} =~ m{^src/$layer/} } @rows;
        next if !%n;
        $all{$_} += $n{$_} for keys %n;
        printf $form, $layer, _rates(%n);
    }
    printf $form, 'all', _rates(%all);

    if (($all{equivalent} || 0) > EQUIVALENT * @rows) {
        print "too many are said to be equivalent\n";
        return 1;
    }
    return 0;
}


sub _rates {
    my (%n) = @_;

    my ($equivalent, $noticed, $survived) =
        map { $n{$_} || 0 } qw(equivalent noticed survived);
    my $tested = $noticed + $survived;

    return (sum0(values %n),
        $equivalent, $noticed, $survived,
        $tested ? sprintf('%.1f%%', $noticed / $tested * 100) : '-');
}


sub _count {
    my ($path) = @_;

    open my $file, '+<', $path or die "$path: $!\n";
    flock $file, LOCK_EX;
    my $n = <$file>;
    seek $file, 0, 0;
    print {$file} $n + 1;
    close $file;

    return $n;
}


sub _key {
    my (@parts) = @_;

    return join "\t", @parts;
}


sub _key_of {
    my ($mutation) = @_;

    return _key(@{$mutation}{qw(file before after)});
}


1;
