#!/usr/bin/perl

# What scripts/dev/coverage records of a test: lines and branches as gcov prints
# them, and which tests reach a line that has moved since.

use strict;
use warnings;

use Canary::Files qw(write_file);
use Canary::Reached;
use File::Temp qw(tempdir);
use Test::More;

my $file = 'src/pure/ngx_canary_split.c';
my $gcov = <<"GCOV";
        -:    0:Source:$file
        -:    0:Graph:x.gcno
        -:    1:/* a comment */
function f called 2 returned 100% blocks executed 80%
        2:    2:f(void)
       1*:    3:    if (a
branch  0 taken 1 (fallthrough)
branch  1 taken 0
    #####:    4:        && b)
branch  0 never executed
branch  1 never executed
call    0 never executed
        -:    0:Source:/usr/include/stdio.h
        7:    1:elsewhere
        -:    0:Source:t/unit/../../$file
    =====:    5:    c();
        3:    4:        && b)
    #####:    2:f(void)
GCOV

open my $in, '<', \$gcov or die "$!\n";
is_deeply(
    Canary::Reached::_parse($in),
    {
        $file => {
            lines => {2 => 1, 3 => 1, 4 => 1, 5 => 0},
            branches => {3 => [1, 0], 4 => [0, 0]}
        }
    },
    'lines and branches of our own sources, wherever they are included'
);
is(Canary::Reached::_ranges(7, 1, 3, 2), '1-3,7', 'ranges');
is_deeply([Canary::Reached::_lines('1-3,7')], [1, 2, 3, 7], 'and their lines');

# as it was when it was recorded: two lines more above, one less below
my $now = Canary::Files::read_file($file);
my @then = ("/* one */\n", "/* two */\n", split /^/, $now);
my ($gone) = grep { $then[$_] =~ /^ngx_canary_split_seed/ } 0 .. $#then;
splice @then, $gone + 3, 1;
my ($first) = grep { $then[$_] =~ /^ngx_canary_split_hash/ } 0 .. $#then;

my $dir = tempdir(CLEANUP => 1);
write_file("$dir/sources/KEY", @then);
my %reached = ('t/a.t' => [$gone + 1, $first + 1], 't/b.t' => [$first + 1]);
for my $test (keys %reached) {
    my @hit = @{$reached{$test}};
    my @missed = grep {
        my $line = $_;
        !grep { $_ == $line } @hit
    } $gone + 1, $first + 1, $first + 4;
    write_file(
        "$dir/tests/" . ($test =~ s{/}{_}gr),
        "$test digest 1.5 ok\n$file KEY ",
        join(',', @hit),
        ' ', join(',', @missed), "\n"
    );
}

my $reached = Canary::Reached::load($dir);
my %line;
my @now = split /^/, $now;
for my $n (1 .. @now) {
    $line{$1} = $n if $now[$n - 1] =~ /^ngx_canary_split_(\w+)/;
}

is_deeply([$reached->tests()], ['t/a.t', 't/b.t'], 'two tests');
is($reached->size('t/a.t'), 2, 'lines that one of them reaches');
ok(!$reached->known('t/a.t'), 'which is another one today');
is_deeply(
    [$reached->reaching($file, $line{hash})],
    ['t/a.t', 't/b.t'],
    'a line that moved'
);
is_deeply(
    [$reached->reaching($file, $line{hash} + 1)],
    ['t/a.t', 't/b.t'],
    'one without code of its own goes by that above'
);
is_deeply([$reached->reaching($file, $line{hash} + 3)],
    [], 'one that nobody reaches');
is_deeply([$reached->reaching($file, $line{seed} + 2)],
    ['t/a.t'], 'a new one goes by that above');
is_deeply([$reached->reaching('src/pure/ngx_canary_walk.c', 5)],
    [], 'nor a file without record');

done_testing();
