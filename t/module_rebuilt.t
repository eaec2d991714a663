use strict;
use warnings;

# A reload with another build of the module: one with the same memory layout
# finds counters and latch as they were; one with another is refused, and a
# restart takes it.

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Copy qw(copy);
use Test::More;
use Canary;

my $t = Canary->new();
my $module = $ENV{TEST_CANARY_MODULE};
my $source = abs_path(dirname(__FILE__) . '/../src');

my $text = <<'CONF';
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200 canary; }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200 baseline; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://baseline;
            canary_event seen;
        }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF

sub load {
    my ($path) = @_;

    local $ENV{TEST_CANARY_MODULE} = $path;
    $t->conf($text, workers => 2);
    return;
}

sub documents {
    return $t->status()->{splits}{baseline};
}

# The module with $file.c as of sources in one of which $from is $to: no more of
# it matters to a zone that is refused.
sub build {
    my ($name, $file, $changed, $from, $to) = @_;

    my $dir = $t->dir() . "/$name";
    my $tree = dirname($module) . '/tree';

    mkdir $dir or die "mkdir: $!\n";
    system('cp', '-r', $source, "$dir/src") == 0 or die "cp\n";

    my $path = "$name/src/zone/$changed";
    my $c = $t->read($path);
    $c =~ s/$from/$to/ or die "$path has no \"$from\"\n";
    $t->write($path, $c);
    $t->write("$name/zone.c", "#include \"src/zone/$file.c\"");

    $t->write("$name/Makefile", <<"MAKE");
include objs/Makefile
.RECIPEPREFIX = >

objects := \$(filter-out %/$file.o, \$(wildcard objs/addon/*/*.o))
objects += objs/ngx_http_canary_module_modules.o

$dir/module.so:
>\$(CC) -c -fPIC \$(CFLAGS) \$(ALL_INCS) -o $dir/zone.o $dir/zone.c
>\$(LINK) -shared -o \$@ $dir/zone.o \$(objects) -lm -lpthread \$(CANARY_LD_OPT)
MAKE

    system("make -s -C $tree -f $dir/Makefile $dir/module.so >$dir/log 2>&1")
        == 0
        or die $t->read("$name/log");
    return "$dir/module.so";
}

my $first = $t->dir() . '/first.so';
my $second = $t->dir() . '/second.so';
copy($module, $_) or die "copy: $!\n" for $first, $second;

load($first);
$t->start();

is($t->get('/')->{body}, 'canary', 'a request goes to the canary');
is($t->post('/canary/control/baseline/rollback', 'reason=bad')->{status},
    200, 'it is rolled back');

load($second);
ok($t->reload(), 'another build is loaded');

my $split = documents();
is($split->{generation}, 2, 'the generation goes on');
is($split->{state}, 'rolled_back', 'the latch holds');
is($split->{reason}, 'bad', 'with its reason');
is($split->{variants}{canary}{total}{requests}, 1, 'counters go on');
is($split->{events}{seen}{canary}{total}{count}, 1, 'and events do');
is($t->get('/')->{body}, 'baseline', 'no request goes to the canary');

# in the place of the one in use, as a package does it
rename $first, $second or die "rename: $!\n";
ok($t->reload(), 'a file in its place is loaded');
is(documents()->{state}, 'rolled_back', 'the latch holds again');
is($t->post('/canary/control/baseline/resume', '')->{status},
    200, 'it can be resumed');
is($t->get('/')->{body}, 'canary', 'and is');

my %other = (
    layout => build(
        'layout', 'ngx_canary_zone',
        'ngx_canary_zone.h', qr/ZONE_LAYOUT +\S.*/,
        'ZONE_LAYOUT 99'
    ),
    size => build(
        'size', 'ngx_canary_zone',
        'ngx_canary_zone.c', qr/return offsetof\(/,
        'return 65536 + offsetof('
    ),
    history => build(
        'history', 'ngx_canary_series_zone',
        'ngx_canary_series.h', qr/SERIES_LAYOUT +\d+/,
        'SERIES_LAYOUT 99'
    )
);

for my $kind (qw(size history layout)) {
    my $before = documents();

    load($other{$kind});
    ok(!$t->reload(), "another $kind is refused");
    my $zone = $kind eq 'history' ? 'canary_history' : 'canary';
    my @why = $t->error_log() =~ /\[emerg\].*(zone "$zone:baseline" is .*)/g;
    like(
        $why[-1],
        qr/with another memory layout, restart nginx or upgrade/,
        "another $kind: it says why"
    );

    my $after = documents();
    is(
        $after->{variants}{canary}{total}{requests},
        $before->{variants}{canary}{total}{requests},
        "another $kind: counters are as they were"
    );
    is($after->{generation}, 3, "another $kind: the generation");
    is($t->get('/')->{body}, 'canary', "another $kind: nginx serves");
}

$t->stop();
$t->start();
is($t->get('/')->{body}, 'canary', 'after a restart it is taken');

# and the other way round: each of them finds what is not its own

for my $kind (qw(layout size history)) {
    if ($kind ne 'layout') {
        $t->stop();
        load($other{$kind});
        $t->start();
    }

    load($second);
    ok(!$t->reload(), "back from another $kind: refused");
    is($t->get('/')->{body}, 'canary', "back from another $kind: nginx serves");
}

$t->no_alerts(allow => qr/is in use by a version of the module/);
done_testing();
