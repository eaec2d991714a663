use strict;
use warnings;

# scripts/dev/demo, what "make run" starts: both addresses answer, traffic is
# split, canaryctl changes the share and rolls back, Ctrl-C ends everything,
# and nothing is written outside its folder.

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use JSON::PP ();
use Test::More;
use Canary;

my $root = abs_path(dirname(__FILE__) . '/..');
my $t = Canary->new();
my $build = $ENV{BUILD_DIR} || "$root/build";
my $demo = "$build/demo-test-$$";
my $home = $t->dir() . '/home';
my $port = $t->port(0);
my $owner = $$;

make_path($demo, $home);
$t->_forget_leaks();

# where nginx, curl and mktemp write if they are not told otherwise; logs of a
# system's own nginx may grow, those of the demo are looked for below
my @elsewhere = grep { -d } $home, "$root/conf.d", '/etc/nginx',
    '/var/lib/nginx';
my $before = listing();
my @pids_elsewhere = grep { -e } '/run/nginx.pid';

my $pid = start($demo, 'demo.out');

ok($t->wait_for(sub { $t->read('demo.out') =~ /Ctrl-C/ }, 30), 'it starts')
    or diag($t->read('demo.out'));
like(
    $t->read('demo.out'),
    qr{http://127\.0\.0\.1:$port$_\s},
    "it prints the address of $_"
) for '/documents/', '/canary/';

# a few answers of the demo are errors, by design
for my $path ('/documents/', '/canary/', '/canary/metrics') {
    ok($t->wait_for(sub { $t->get($path)->{status} == 200 }), "$path answers");
}
is($t->get('/documents/a', 'X-Canary' => $_->[0])->{header}{'x-variant'},
    $_->[1], "a tester says $_->[0]")
    for ['always', 'sliceB_documents'], ['never', 'documents'];

is($t->get('/canary/', Host => 'evil.example')->{raw},
    '', 'nothing for another name that leads here');

ok(
    $t->wait_for(
        sub { requests('documents') && requests('sliceB_documents') }, 60
    ),
    'both variants have traffic'
) or diag(JSON::PP->new->encode($t->status()));
my $split = $t->status()->{splits}{documents};
is($split->{variants}{sliceB_documents}{share}, 0.05, 'at 5%');
is($split->{stage}{name}, 'stage1_5pct', 'in the first stage');
cmp_ok(
    requests('documents'), '>',
    requests('sliceB_documents'),
    'most of it on the baseline'
);

my $seen = requests('documents');
ok($t->wait_for(sub { requests('documents') > $seen }), 'the counts rise');

is(ctl(qw(set 25%)), 0, 'canaryctl set');
is($t->status()->{splits}{documents}{variants}{sliceB_documents}{share},
    0.25, 'at 25%');
is(ctl('rollback'), 0, 'canaryctl rollback');
is($t->status()->{splits}{documents}{state}, 'rolled_back', 'no more canary');
is(
    $t->read("$root/conf.d/documents.split"),
    "canary sliceB_documents 5% stage=stage1_5pct;\n",
    'the sample is as it was'
);

# neither its folder nor its port can be taken by another one

for my $dir ($demo, "$demo-second") {
    my $second = start($dir, 'second.out');
    ok($t->wait_for(sub { $t->_reap($second) }, 20), 'a second demo ends');
    unlike($t->read('second.out'), qr{Ctrl-C}, 'and does not pretend');
}
like($t->read('second.out'), qr{did not start}, 'but says why');

my @processes = group($pid);
cmp_ok(@processes, '>', 4, 'script, nginx and clients');
my @open = grep {
    !m{^(?:\Q$demo\E/|\Q${\$t->dir()}\E/demo\.out|/dev/|pipe:|socket:|anon)}
} map { written($_) } @processes;
is_deeply(\@open, [], 'nothing else is open for writing');

kill 'INT', $pid;
ok($t->wait_for(sub { $t->_reap($pid) }, 20), 'Ctrl-C ends it');
ok(
    $t->wait_for(
        sub {
            !grep { -d "/proc/$_" } @processes;
        },
        10
    ),
    'no process is left'
) or diag(map { $t->read("/proc/$_/cmdline") . "\n" } @processes);
ok(!Canary::Process::_accepts($port), 'nobody listens any more');

is(listing(), $before, 'nothing is written elsewhere');
is_deeply([grep { -e } '/run/nginx.pid'], \@pids_elsewhere, 'and no pid file');
unlike(
    $t->read("$demo/error.log"),
    qr/\[(?:warn|error|crit|alert|emerg)\] .*(?:canary_|conf)/,
    'the error log has no complaint about the configuration'
);

done_testing();

END {
    my $status = $?;
    remove_tree($demo, "$demo-second") if $$ == $owner;
    $? = $status;
}

###############################################################################

sub start {
    my ($dir, $output) = @_;

    return $t->_spawn(
        sub {
            open STDIN, '<', '/dev/null';
            open STDOUT, '>', $t->dir() . "/$output";
            open STDERR, '>&', \*STDOUT;
            @ENV{qw(PORT DEMO_DIR HOME TMPDIR CANARY_MODULE NGINX_BINARY)} =
                ($port, $dir, $home, $home, $t->_module(), $t->_nginx());
            delete $ENV{NGINX_SRC};
            exec "$root/scripts/dev/demo" or POSIX::_exit(127);
        }
    );
}

sub requests {
    my ($variant) = @_;

    return $t->status()
        ->{splits}{documents}{variants}{$variant}{total}{requests};
}

sub ctl {
    my (@args) = @_;

    delete local @ENV{grep { /^CANARYCTL_/ } keys %ENV};
    my $status =
        system "'$root/scripts/canaryctl' --conf '$demo/canaryctl.conf' @args"
        . " >'${\$t->dir()}/ctl.out' 2>&1";
    diag($t->read('ctl.out')) if $status;
    return $status >> 8;
}

# a process and all that come from it
sub group {
    my (@found) = @_;

    my %children;
    for my $stat (glob '/proc/[0-9]*/stat') {
        my ($child) = $stat =~ /(\d+)/;
        my ($parent) = $t->read($stat) =~ /^.*\) \S (\d+)/s;
        push @{$children{$parent}}, $child if defined $parent;
    }
    for (my $i = 0; $i < @found; $i++) {
        push @found, @{$children{$found[$i]} || []};
    }

    return @found;
}

# what a process has open for writing
sub written {
    my ($process) = @_;

    my @paths;
    for my $fd (glob "/proc/$process/fdinfo/*") {
        my ($flags) = $t->read($fd) =~ /^flags:\s+(\d+)/m;
        next if !defined $flags || !(oct($flags) & 3);
        my $path = readlink $fd =~ s/fdinfo/fd/r;
        push @paths, $path if defined $path;
    }

    return @paths;
}

# names, sizes and times of all that lies elsewhere
sub listing {
    return join '', map { `find '$_' -printf '%p %s %T@\n' | sort` } @elsewhere;
}
