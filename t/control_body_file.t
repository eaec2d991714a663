use strict;
use warnings;

# A body that another module has had nginx read before, into memory or into a
# file, is read from there; a POST without a body has an empty one.

use Test::More;
use Canary;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline { server 127.0.0.1:%%PORT1%%; canary canary 100%; }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; mirror /mirror; }
        location ^~ /canary/control/baseline/rollback {
            canary_control;
            mirror /mirror;
            client_body_in_file_only clean;
        }
        location /mirror { return 200; }
    }
CONF
$t->start();

my %form = ('Content-Type' => 'application/x-www-form-urlencoded');
my $path = '/canary/control/baseline';

is($t->post("$path/rollback", 'reason=too+slow&by=ada', %form)->{status},
    200, 'a body in a file');
is(
    $t->status()->{splits}{baseline}{reason},
    'by ada: too slow',
    'is read to its end'
);

is($t->post("$path/decision", 'reason=wait&by=bob', %form)->{status},
    200, 'one in memory');
is($t->status()->{splits}{baseline}{journal}[-1]{text},
    'by bob: wait', 'is read as well');

is($t->post("$path/resume", '')->{status}, 200, 'an empty one');
is($t->status()->{splits}{baseline}{state}, 'active', 'is one');

my $long = 'reason=' . 'x' x 5000;
is($t->post("$path/decision", $long, %form)->{status},
    413, 'one that is too long is refused');

$t->no_alerts();
done_testing();
