package Canary::Balancer;

# t/balancer/ngx_test_balancer.c, a balancer that does what others' do.
#
#     build($t)    builds it for the test's nginx: what "load_module" takes

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);

my $root = dirname(dirname(dirname(dirname(abs_path(__FILE__)))));


# with the headers and options that the module was built with
sub build {
    my ($t) = @_;

    my $module = $ENV{TEST_CANARY_MODULE}
        || "$root/build/ngx_http_canary_module.so";
    my $tree = dirname($module) . '/tree';
    my $source = "$root/t/balancer/ngx_test_balancer.c";
    my $path = $t->dir() . '/balancer.so';
    my $include = join ' ', '-I objs',
        map { "-I src/$_" }
        qw(core event event/modules os/unix http
        http/modules http/v2 http/v3 event/quic);

    system("cd $tree && cc -shared -fPIC -g $include -o $path $source") == 0
        or die "the balancer is not built\n";

    return $path;
}


1;
