# A callback of nginx's peers that the module does not wrap is refused by name
# when it is built.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;

use Canary;

my $t = Canary->new();
my $dir = $t->dir();
my $root = abs_path(dirname(__FILE__) . '/..');

my $members = <<'C';
    ngx_connection_t                *connection;
    /* ngx_event_none_peer_pt        none; */
    ngx_uint_t                       tries;
    ngx_event_get_peer_pt            get;
    ngx_event_free_peer_pt           free;
    ngx_event_notify_peer_pt         notify;
    void                            *data;
#if (NGX_SSL || NGX_COMPAT)
    ngx_event_set_peer_session_pt    set_session;
    ngx_event_save_peer_session_pt   save_session;
#endif
    unsigned                         cached:1;
C

mkdir "$dir/$_" for qw(src src/event src/http auto);
$t->write('src/http/ngx_http.h', '');
$t->write('auto/have', '');
$t->write('auto/module', "echo configured\n");


# exit status and output of the module's part of nginx's configure, where the
# peers of nginx have these members as well
sub configure {
    my ($more) = @_;

    $t->write('src/event/ngx_event_connect.h', <<"C");
typedef ngx_int_t (*ngx_event_get_peer_pt)(ngx_peer_connection_t *pc,
    void *data);


struct ngx_peer_connection_s {
$members$more};


struct ngx_other_s {
    ngx_event_get_peer_pt            other;
};
C
    my $source = "cd $dir && ngx_addon_dir=$root . $root/config";
    my $out = `sh -c '$source' 2>&1`;

    return ($? >> 8, $out);
}

my ($status, $out) = configure('');
is($status, 0, 'nginx');
is($out, "configured\n", 'goes on without a word');

($status, $out) = configure(<<'C');
    ngx_event_connect_peer_pt        connect;
    ngx_event_close_peer_pt          close;
C
is($status, 1, 'a fork with more callbacks is refused');
like(
    $out,
    qr/^.*: error: .*: "connect" "close"; build it for .*\n\z/,
    'in one line that names both and says what to do'
);

($status, $out) = configure("    ngx_event_close_peer_pt         *close;\n");
is($status, 1, 'a pointer to one is refused');
like($out, qr/: "close";/, 'by name');

($status, $out) = configure("    void (*drop)(ngx_peer_connection_t *pc);\n");
is($status, 1, 'one without a type of its own is refused');
like($out, qr/: "drop";/, 'by name');

$members = '';
($status, $out) = configure('');
is($status, 1, 'peers without any callback are refused');

done_testing();
