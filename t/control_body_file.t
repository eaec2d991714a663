use strict;
use warnings;

# A body that nginx has put into a file is read from there, and a POST without
# any body is one with an empty one.

use Test::More;
use Canary;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline { server 127.0.0.1:%%PORT1%%; canary canary 100%; }
    server {
        listen 127.0.0.1:%%PORT0%%;
        client_body_in_file_only clean;
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
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

is($t->post("$path/resume", '')->{status}, 200, 'an empty one');
is($t->status()->{splits}{baseline}{state}, 'active', 'is one');

my $long = 'reason=' . 'x' x 5000;
is($t->post("$path/decision", $long, %form)->{status},
    413, 'one that is too long is refused');

$t->no_alerts();
done_testing();
