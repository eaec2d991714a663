#!/usr/bin/perl

# Compiles each t/unit/*.c with the sources that need no nginx, and each
# t/unit/zone/*.c with the headers of the nginx that the module is built for,
# and runs them.

use warnings;
use strict;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use POSIX ();
use Test::More;
use Text::ParseWords qw(shellwords);

# seconds; a simulation takes some ten on a machine that does nothing else
use constant TIMEOUT => 300;

my $root = dirname(dirname(abs_path(__FILE__)));
my $tmp = tempdir('canary_unit_XXXXXX', TMPDIR => 1, CLEANUP => 1);

my @cc = (
    shellwords($ENV{CC} || 'cc'),
    '-std=c99', '-Wall', '-Wextra', shellwords($ENV{CFLAGS} || '-O2 -g')
);

my @libs = (shellwords($ENV{LDFLAGS} || ''), '-lxxhash', '-lm');

my @sources = map { glob "$root/src/$_/*.c" } qw(pure render);
my @tests = glob "$root/t/unit/*.c";
my @zone_tests = glob "$root/t/unit/zone/*.c";

# what scripts/build has configured
my $build = $ENV{BUILD_DIR} || "$root/build";
my $tree =
    dirname($ENV{TEST_CANARY_MODULE} || "$build/ngx_http_canary_module.so")
    . '/tree';
my @nginx = (
    (
        map { ('-isystem', "$tree/$_") }
            qw(objs src/core src/event src/event/quic src/os/unix)
    ),
    '-lpthread'
);

# on few processors a counter may survive by luck; ThreadSanitizer sees what
# is not atomic in any case
my @races = qw(-fsanitize=thread -Wno-tsan -O1 -DROUNDS=200);

plan tests => 1 + @tests + 2 * @zone_tests;

my @objects = map { object($_) } @sources;

ok(@tests && @sources == grep({ defined } @objects), 'sources compile');

subtest(basename($_, '.c') => \&unit, $_) for @tests;
for (@zone_tests) {
    my $name = basename($_, '.c');
    subtest($name => \&unit, $_, @nginx);
    subtest("$name, races" => \&unit, $_, @nginx, @races);
}

###############################################################################

sub object {
    my ($source) = @_;

    my $object = "$tmp/" . basename($source, '.c') . '.o';
    my ($status, @out) = run(@cc, '-c', '-o', $object, $source);

    diag("$source:\n", @out) if $status || @out;

    return $status ? undef : $object;
}

sub unit {
    my ($source, @more) = @_;

    my $binary = "$tmp/" . basename($source, '.c');
    my ($status, @out) =
        run(@cc, '-o', $binary, $source, library(), @libs, @more);

    is($status, 0, 'compiles') or return diag(@out);
    diag(@out) if @out;

    ($status, @out) = run($binary);
    tap($status, @out);
}

# a static library, so that a test links no more than it calls

sub library {
    my $library = "$tmp/libpure.a";

    if (!-e $library) {
        my ($status, @out) =
            run('ar', 'rcs', $library, grep { defined } @objects);
        die "ar: @out" if $status;
    }

    return $library;
}

# TAP into assertions: what is missing, out of order or unplanned fails

sub tap {
    my ($status, @out) = @_;

    my ($plan, $next, $failed) = (undef, 1, 0);

    for (@out) {
        if (/^(not )?ok (\d+)(?: - (.*))?$/) {
            is($2, $next, "number $next in its place") if $2 != $next;
            ok(!$1, defined $3 ? $3 : "number $2");
            $failed++ if $1;
            $next++;

        } elsif (/^1\.\.(\d+)$/) {
            fail('one plan') if defined $plan;
            $plan = $1;

        } else {
            diag($_);
        }
    }

    ok(defined $plan, 'has a plan');
    is($next - 1, $plan, 'runs what it planned') if defined $plan;
    cmp_ok($next, '>', 1, 'tests something');
    is($status, $failed ? 256 : 0, 'exit status') or diag(@out);
}

# standard output and error together, in order, and the wait status

sub run {
    my @command = @_;

    my $pid = open(my $pipe, '-|');
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        open(STDERR, '>&', \*STDOUT);
        alarm TIMEOUT;
        exec {$command[0]} @command or POSIX::_exit(127);
    }

    my @out = <$pipe>;
    close $pipe;

    return ($?, @out);
}

