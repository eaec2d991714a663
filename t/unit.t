#!/usr/bin/perl

# Compiles each t/unit/*.c with the sources that need no nginx, and each
# t/unit/zone/*.c with the headers of the nginx that the module is built for,
# and runs them.

use warnings;
use strict;

use Canary::Unit;
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

# what is compiled for coverage must be there when it is counted
my $dir =
    $ENV{TEST_REACHED}
    ? "$ENV{TEST_REACHED}/units"
    : tempdir('canary_unit_XXXXXX', TMPDIR => 1, CLEANUP => 1);
make_path($dir);

my $unit = Canary::Unit->new(dir => $dir);
my @tests = $unit->programs();
my @zone_tests = grep { m{^zone/} } @tests;

plan tests => 1 + @tests + @zone_tests;

my ($compiled, @said) = $unit->library();
diag(@said) if @said;
ok(@tests && $compiled == 0, 'sources compile');

for my $name (@tests) {
    subtest($name => \&unit, $name, $unit->build($name));
}
for my $name (@zone_tests) {
    subtest("$name, races" => \&unit, "${name}_races", $unit->races($name));
}

###############################################################################

sub unit {
    my ($name, $status, @out) = @_;

    is($status, 0, 'compiles') or return diag(@out);
    diag(@out) if @out;

    ($status, @out) = $unit->run($name);
    tap($status, @out);
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
