# make matrix: the same tests for each nginx, a table, and a failure of one that
# does not keep the others from being run.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Copy qw(copy);
use Test::More;

use Canary;

my $t = Canary->new();
my $dir = $t->dir();

# the script in a folder of its own, with what it calls: there an nginx is two
# tests, one of which passes where its sources say so
mkdir "$dir/$_" for qw(scripts scripts/dev build build/src t);
my $script = dirname(abs_path(__FILE__)) . '/../scripts/dev/matrix';
copy($script, "$dir/scripts/dev/matrix") or die "$script: $!\n";
$t->write('scripts/dev/nginx-src', <<'SH');
#!/bin/sh
[ "$1" != gone ] || { echo "nginx-src: no nginx of $1" >&2; exit 1; }
mkdir -p "$2/src/core"
echo '#define NGINX_VERSION      "1.22.1"' >"$2/src/core/nginx.h"
SH
$t->write('scripts/dev/test', <<'SH');
#!/bin/sh
export NGINX_SRC
echo "$NGINX_SRC $TESTS $JOBS" >>called
prove -j "$JOBS" $TESTS
SH
chmod 0755, map { "$dir/scripts/dev/$_" } qw(matrix nginx-src test);

$t->write('t/one.t', <<'PL');
use Test::More tests => 2;
ok(1);
ok(!-e "$ENV{NGINX_SRC}/broken", 'right on this nginx');
PL
$t->write('t/two.t', "use Test::More skip_all => 'not on this nginx';\n");

for my $name (qw(new odd)) {
    mkdir "$dir/$_" for $name, "$name/src", "$name/src/core";
}
$t->write('new/src/core/nginx.h', qq{#define NGINX_VERSION "1.31.5"\n});
$t->write('odd/src/core/nginx.h', qq{#define NGINX_VERSION "1.31.6"\n});
$t->write('odd/broken', '');


# the exit status, what was printed, and the rows of the table
sub matrix {
    my (%env) = @_;

    unlink "$dir/called";
    local %ENV = (%ENV, %env, BUILD_DIR => "$dir/build", JOBS => 1);
    my $out = `$dir/scripts/dev/matrix 2>&1`;
    my $status = $? >> 8;
    my ($table) = $out =~ /^(nginx +from .*)\z/ms;
    my @rows = map { join ' ', split } split /\n/, $table || '';
    s/ \d+ m \d+ s$// for @rows;

    return ($status, $out, @rows[1 .. $#rows]);
}

my %tests = (TESTS => 't/one.t t/two.t');

my ($status, $out, @rows) = matrix(%tests, MATRIX => 'bookworm ./new');
is($status, 0, 'all pass') or diag($out);
is_deeply(
    \@rows,
    ['1.22.1 bookworm 2 2 1 PASS', '1.31.5 ./new 2 2 1 PASS'],
    'a release and a folder'
);
is(
    $t->read('called'),
    "build/src/nginx-bookworm t/one.t t/two.t 1\n./new t/one.t t/two.t 1\n",
    'each with the tests that were picked'
);
is(scalar(() = $out =~ /^Result: PASS$/mg), 2, 'what prove says is shown');

($status, $out, @rows) = matrix(%tests, MATRIX => './odd gone ./new');
is($status, 1, 'one that fails and one that cannot be had');
is_deeply(
    \@rows,
    [
        '1.31.6 ./odd 2 2 1 FAIL',
        '- gone - - 0 NOT RUN',
        '1.31.5 ./new 2 2 1 PASS'
    ],
    'the next ones are run all the same'
);
like($out, qr/^nginx-src: no nginx of gone$/m, 'the reason is shown');

($status, $out, @rows) = matrix(%tests, MATRIX => '');
is(
    join(', ', map { (split)[1] } @rows),
    'bookworm, trixie, sid',
    'by default the versions that are supported'
);

$t->no_alerts();
done_testing();
