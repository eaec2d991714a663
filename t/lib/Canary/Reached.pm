package Canary::Reached;

# What each test reaches: one record a test, of the lines and branches of src
# that it executed in a build that counts, as scripts/dev/coverage makes them.
#
#     TEST_REACHED=DIR prove --exec \
#         'perl -It/lib -MCanary::Reached -eCanary::Reached::run' t/x.t
#
#     counted($test, $code)  calls the code with GCOV_PREFIX in a folder of its
#                            own, writes the record of the test, and returns
#                            what the code did: a wait status and more
#     run()                  the same for the test in @ARGV; ends with its
#                            status.  prove's --exec
#     rest($objects)         a record of what was counted with no test's name,
#                            by a program that had lost its environment, and
#                            of files that nobody has been in
#     table($since)          prints lines and branches of each file, by records
#                            newer than that file, and writes annotated sources
#
#     load($dir)             the records, for these:
#     tests()                their names: "t/x.t", "t/unit/x.c"
#     seconds($test)         how long it took, failed($test): whether it failed
#     size($test)            how many lines it reaches
#     known($test)           whether the test is what it was
#     reaching($file, $n)    the tests that reach a line of the file as it is
#                            now, be it in another place than it was
#
# A record has a line for the test and one for each file of which it executed
# something: "src/zone/ngx_canary_sum.c KEY HIT MISSED BRANCHES", where KEY is
# the digest of the source, a copy of which is kept, HIT and MISSED are ranges
# of lines, and BRANCHES has "LINE/BRANCHES:TAKEN,TAKEN".

use strict;
use warnings;

use Canary::Files qw(read_file write_file);
use Cwd qw(abs_path);
use Digest::MD5 qw(md5_hex);
use File::Basename qw(dirname);
use File::Find qw(find);
use File::Path qw(make_path remove_tree);
use Time::HiRes qw(time);

my $root = dirname(dirname(dirname(dirname(abs_path(__FILE__)))));


sub counted {
    my ($test, $code) = @_;

    my $counts = "$ENV{TEST_REACHED}/counts/" . _flat($test);
    remove_tree($counts);
    _open_to_workers($counts);

    my $start = time;
    my @result = do {
        local $ENV{GCOV_PREFIX} = $counts;
        $code->();
    };
    my $seconds = time - $start;

    my @counts = _found($counts, 'gcda');
    for my $path (@counts) {
        my $notes = substr($path, 0, -4) . 'gcno';
        symlink substr($notes, length $counts), $notes;
    }
    my $status = $result[0] ? 'failed' : 'ok';
    _write_record($test, $status, $seconds, _gcov(@counts));
    remove_tree($counts);

    return @result;
}


sub run {
    my ($test, @arguments) = @ARGV;

    my ($status) =
        counted($test, sub { system $^X, "-I$root/t/lib", $test, @arguments });

    kill $status & 127, $$ if $status & 127;
    exit $status >> 8;
}


sub rest {
    my ($objects) = @_;

    my @notes = _found($objects, 'gcno');
    _write_record('elsewhere', 'ok', 0, _gcov(@notes));
    return;
}


sub table {
    my ($since) = @_;

    my $dir = $ENV{TEST_REACHED};
    my $reached = load($dir);
    my $start = (Time::HiRes::stat($since))[9];
    my %sum;
    for my $test (values %{$reached->{tests}}) {
        next if (Time::HiRes::stat($test->{record}))[9] < $start;
        _add(\%sum, $test);
    }

    my $form = "%-40s %6s %8s %9s %8s\n";
    printf $form, 'file', 'lines', 'reached', 'branches', 'taken';

    my %all;
    for my $file (sort keys %sum) {
        my $row = _row($sum{$file});
        my ($layer) = $file =~ m{^src/(\w+)/};
        for my $name ($layer || (), 'all') {
            $all{$name}[$_] += $row->[$_] for 0 .. 3;
        }
        printf $form, $file, _percents($row);
        _annotate($file, $sum{$file});
    }
    for my $name (qw(pure render zone http all)) {
        printf $form, $name, _percents($all{$name}) if $all{$name};
    }
    return;
}


sub load {
    my ($dir) = @_;

    my $self = bless {dir => $dir, tests => {}, maps => {}}, __PACKAGE__;

    for my $record (glob "$dir/tests/*") {
        open my $in, '<', $record or die "$record: $!\n";
        chomp(my ($head, @files) = <$in>);
        my ($test, $key, $seconds, $status) = split ' ', $head;
        my %files = map { split ' ', $_, 2 } @files;
        $self->{tests}{$test} = {
            record => $record,
            key => $key,
            seconds => $seconds,
            failed => $status ne 'ok',
            files => \%files,
        };
    }

    return $self;
}


sub tests {
    my ($self) = @_;

    my @tests = sort grep { $_ ne 'elsewhere' } keys %{$self->{tests}};
    return @tests;
}


sub seconds {
    my ($self, $test) = @_;

    return $self->{tests}{$test}{seconds};
}


sub failed {
    my ($self, $test) = @_;

    return $self->{tests}{$test}{failed};
}


sub size {
    my ($self, $test) = @_;

    my $record = $self->{tests}{$test};
    if (!defined $record->{size}) {
        $record->{size} = 0;
        for my $text (values %{$record->{files}}) {
            $record->{size} += _lines((split ' ', $text)[1]);
        }
    }
    return $record->{size};
}


sub known {
    my ($self, $test) = @_;

    my $record = $self->{tests}{$test};
    return $record && $record->{key} eq _test_key($test);
}


sub reaching {
    my ($self, $file, $line) = @_;

    my @tests;
    for my $test ($self->tests()) {
        my $text = $self->{tests}{$test}{files}{$file};
        next if !defined $text;

        my ($key, $hit, $missed) = split ' ', $text;
        my $lines = $self->{hit}{$test}{$file} ||=
            {(map { $_ => 1 } _lines($hit)), (map { $_ => 0 } _lines($missed))};

        # what has no code of its own belongs to the line above
        my $n = $self->_line_then($file, $key, $line);
        $n-- while $n > 0 && !defined $lines->{$n};
        push @tests, $test if $lines->{$n};
    }

    return @tests;
}


# where a line of the file was in what the record is of; for a new line, where
# the one above was

sub _line_then {
    my ($self, $file, $key, $line) = @_;

    my $map = $self->{maps}{"$file $key"} ||= _map($self->{dir}, $file, $key);
    return defined $map->[$line] ? $map->[$line] : $map->[-1];
}


sub _map {
    my ($dir, $file, $key) = @_;

    my ($now, $then, @map) = (1, 1, 0);
    open my $in, '-|', 'diff', '--unchanged-line-format==',
        '--old-line-format=-', '--new-line-format=+', "$dir/sources/$key",
        "$root/$file"
        or die "diff: $!\n";
    my $marks = do { local $/ = undef; <$in> };
    close $in;

    for my $mark (split //, $marks) {
        $map[$now++] = $mark eq '=' ? $then : $then - 1 if $mark ne '-';
        $then++ if $mark ne '+';
    }
    return \@map;
}


sub _flat {
    my ($test) = @_;

    return $test =~ s{^t/}{}r =~ s{/}{_}gr;
}


# a test that runs as another user counts too
sub _open_to_workers {
    my ($counts) = @_;

    make_path($counts);
    return if !$ENV{TEST_CANARY_MODULE};

    my $objects = dirname($ENV{TEST_CANARY_MODULE}) . '/tree/objs/addon';
    make_path("$counts$objects");
    for my $layer (glob "$objects/*") {
        make_path($counts . $layer);
        chmod 0777, $counts . $layer;
    }
    return;
}


sub _found {
    my ($dir, $kind) = @_;

    my @found;
    find({no_chdir => 1, wanted => sub { push @found, $_ if /\.$kind$/ }},
        $dir);
    @found = sort @found;
    return @found;
}


sub _write_record {
    my ($test, $status, $seconds, $files) = @_;

    my @text = sprintf "%s %s %.1f %s\n", $test, _test_key($test), $seconds,
        $status;

    for my $file (sort keys %{$files}) {
        my ($lines, $branches) = @{$files->{$file}}{qw(lines branches)};
        my @hit = grep { $lines->{$_} } keys %{$lines};
        next if !@hit && $test ne 'elsewhere';

        push @text, join(
            ' ', $file,
            _keep_source($file),
            _ranges(@hit) || '-',
            _ranges(grep { !$lines->{$_} } keys %{$lines}) || '-',
            map {
                my $taken = $branches->{$_};
                my @taken = grep { $taken->[$_] } 0 .. $#{$taken};
                "$_/" . @{$taken} . ':' . join ',', @taken;
            } sort { $a <=> $b } keys %{$branches}
        ) . "\n";
    }

    write_file("$ENV{TEST_REACHED}/tests/" . _flat($test), @text);
    return;
}


# file => lines => line => whether it was executed,
#         branches => line => [whether it was taken]

sub _gcov {
    my (@counts) = @_;

    return {} if !@counts;
    open my $in, '-|', 'sh', '-c', 'exec gcov "$@" 2>/dev/null', 'gcov', '-s',
        $root, '-r', '-b', '-c', '-t', @counts
        or die "gcov: $!\n";
    my $files = _parse($in);
    close $in;

    return $files;
}


sub _parse {
    my ($in) = @_;

    my (%files, $file, $line);
    while (my $text = <$in>) {
        if ($text =~ /^\s*(\S+?)\*?:\s*(\d+):(.*)/) {
            my ($count, $n, $source) = ($1, $2, $3);
            if ($n == 0) {
                $file = _ours($1) if $source =~ /^Source:(.*)/;
                next;
            }
            next if !defined $file || $count eq '-';
            $line = $n;
            $files{$file}{lines}{$n} ||= $count =~ /^\d/ ? 1 : 0;

        } elsif (defined $file
            && $text =~ /^branch +\d+ (?:taken (\d+)|never)/)
        {
            push @{$files{$file}{branches}{$line}}, $1 ? 1 : 0;
        }
    }

    return \%files;
}


# a path from the root, undef if it is none of our sources
sub _ours {
    my ($path) = @_;

    1 while $path =~ s{[^/]+/\.\./}{};
    return $path =~ m{^(?:src/|\w+\.c$)} && -f "$root/$path" ? $path : undef;
}


sub _keep_source {
    my ($file) = @_;

    my $text = read_file("$root/$file");
    my $key = md5_hex($text);
    my $copy = "$ENV{TEST_REACHED}/sources/$key";
    write_file($copy, $text) if !-e $copy;

    return $key;
}


# the digest of a test and of what it includes of ours
sub _test_key {
    my ($test) = @_;

    my ($text, %seen) = ('', $test => 1);
    for (my @files = $test; @files; shift @files) {
        next if !-f "$root/$files[0]";
        my $part = read_file("$root/$files[0]");
        my $dir = dirname($files[0]);
        for my $name ($part =~ /^#include "(.*)"/mg) {
            my $path = "$dir/$name";
            1 while $path =~ s{[^/]+/\.\./}{};
            push @files, $path if $path =~ m{^t/} && !$seen{$path}++;
        }
        $text .= $part;
    }

    return md5_hex($text);
}


sub _add {
    my ($sum, $test) = @_;

    for my $file (keys %{$test->{files}}) {
        my ($key, $hit, $missed, @branches) =
            split ' ', $test->{files}{$file};
        $sum->{$file} ||= {lines => {}, branches => {}};
        my ($lines, $taken) = @{$sum->{$file}}{qw(lines branches)};
        $lines->{$_}++ for _lines($hit);
        $lines->{$_} += 0 for _lines($missed);

        # a line may have other branches where it is compiled otherwise
        for (@branches) {
            my ($line, $n, $which) = /^(\d+)\/(\d+):(.*)/;
            $taken->{$line}{$n} ||= [(0) x $n];
            $taken->{$line}{$n}[$_] = 1 for split /,/, $which;
        }
    }
    return;
}


# lines, of these executed, branches, of these taken
sub _row {
    my ($file) = @_;

    my @branches = map { @{_best($_)} } values %{$file->{branches}};
    return [
        scalar keys %{$file->{lines}},
        scalar(grep { $_ } values %{$file->{lines}}),
        scalar @branches,
        scalar grep { $_ } @branches
    ];
}


sub _best {
    my ($taken) = @_;

    my ($best, $least);
    for my $branches (map { $taken->{$_} } sort { $a <=> $b } keys %{$taken}) {
        my $missing = grep { !$_ } @{$branches};
        next if defined $least && $least <= $missing;
        ($best, $least) = ($branches, $missing);
    }
    return $best;
}


sub _percents {
    my ($row) = @_;

    return map {
        my ($n, $hit) = @{$row}[$_, $_ + 1];
        ($n, $n ? sprintf('%.1f%%', $hit / $n * 100) : '-');
    } 0, 2;
}


# "#####" where no test has been, else how many were there; then the branches
sub _annotate {
    my ($file, $sum) = @_;

    my ($n, @text) = (0);
    for my $source (split /^/, read_file("$root/$file")) {
        $n++;
        my $tests = $sum->{lines}{$n};
        my $branches = $sum->{branches}{$n};
        my $best = $branches ? _best($branches) : [];
        push @text, sprintf '%6s %6s %5d:%s',
            !defined $tests ? '-' : $tests || '#####',
            @{$best} ? grep({ $_ } @{$best}) . '/' . @{$best} : '', $n,
            $source;
    }

    my $path = "$ENV{TEST_REACHED}/annotated/$file";
    make_path(dirname($path));
    write_file($path, @text);
    return;
}


sub _ranges {
    my @lines = sort { $a <=> $b } @_;

    my @ranges;
    for my $line (@lines) {
        if (@ranges && $ranges[-1][1] == $line - 1) {
            $ranges[-1][1] = $line;
        } else {
            push @ranges, [$line, $line];
        }
    }
    return join ',',
        map { $_->[0] == $_->[1] ? $_->[0] : "$_->[0]-$_->[1]" } @ranges;
}


sub _lines {
    my ($ranges) = @_;

    return map { /^(\d+)-(\d+)$/ ? $1 .. $2 : $_ } grep { $_ ne '-' }
        split /,/, $ranges;
}


1;
