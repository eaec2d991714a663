use strict;
use warnings;

# The module builds, without a warning, for an nginx that was configured
# without OpenSSL, PCRE, rewrite and --with-compat, and needs none of their
# libraries.

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;
use Canary;

my $t = Canary->new();
my $dir = $t->dir();
my $root = abs_path(dirname(__FILE__) . '/..');

# the sources that scripts/dev/build has linked
my $tree = dirname($t->_module()) . '/tree';
plan(skip_all => 'no sources of nginx') if !-x "$tree/configure";

for my $name (grep { -e "$tree/$_" } qw(auto src configure contrib man conf)) {
    symlink abs_path("$tree/$name"), "$dir/$name";
}

my @options = (
    '--with-cc-opt=-O0', "--add-dynamic-module=$root",
    map { "--without-$_" } qw(pcre http_rewrite_module http_gzip_module)
);
my $out = `cd '$dir' && ./configure @options 2>&1`;
is($?, 0, 'it is configured') or diag($out);
unlike(
    $t->read('objs/ngx_auto_config.h'),
    qr/NGX_(?:PCRE|OPENSSL|SSL|COMPAT)\b/,
    'without all of these'
);

$out = `cd '$dir' && nice make -s -j2 -f objs/Makefile modules 2>&1`;
is($?, 0, 'it is built') or diag($out);
is($out, '', 'without a word');

my @foreign = grep { !/ (?:ngx_\w+|environ\b.*|\w+\@GLIBC_.*)$/ }
    grep { / U / } `nm -D '$dir/objs/ngx_http_canary_module.so'`;
is_deeply(\@foreign, [], 'it needs nginx and the C library only');

done_testing();
