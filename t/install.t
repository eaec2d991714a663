#!/usr/bin/perl

# scripts/dev/install: what it leaves under DESTDIR works from there.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use Test::More;

use Canary;

my $root = abs_path(dirname(__FILE__) . '/..');
my $t = Canary->new();
my $dest = $t->dir() . '/dest';

# the module may have been built elsewhere, as for the sanitizers
{
    local $ENV{DESTDIR} = $dest;
    local $ENV{BUILD_DIR} = dirname($t->_module());
    local $ENV{NGINX_BINARY} = $t->_nginx();
    my $output = `'$root/scripts/dev/install' 2>&1`;
    is($?, 0, 'installed') or diag($output);

    my ($module) = $output =~ /^installed (\S+)$/m;
    ok(-s $module, 'the module is where it says');
    like($module, qr{^\Q$dest\E/}, 'under DESTDIR');
}

for my $name (qw(canaryctl collect-evidence.sh canary-webhook)) {
    ok(-x "$dest/usr/bin/$name", "$name can be executed");
}
is_deeply(
    [map { basename($_) } glob "$dest/usr/share/canary/lib/*"],
    [map { basename($_) } glob "$root/scripts/lib/*"],
    'with all of its parts'
);
is_deeply(
    [map { basename($_) } glob "$dest/usr/share/doc/nginx-canary/examples/*"],
    [map { basename($_) } glob "$root/conf.d/*"],
    'and all samples'
);

delete @ENV{grep { /^CANARYCTL_/ } keys %ENV};
symlink "$dest/usr/bin/canaryctl", $t->dir() . '/ctl';
for my $path (
    "$dest/usr/bin/canaryctl",
    "$dest/usr/bin/collect-evidence.sh",
    $t->dir() . '/ctl'
    )
{
    like(scalar `cd / && '$path' --help 2>&1`,
        qr/^SYNOPSIS/m, "$path finds its parts");
}

done_testing();
