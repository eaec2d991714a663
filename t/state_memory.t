use strict;
use warnings;

# A reload reads no state file, and a start gives back what reading one takes:
# the master stays as small as it was, and its workers with it.

use Test::More;
use Canary;

use constant {SPLITS => 3, KB => 6144};

plan skip_all => 'memory is not that of nginx'
    if $ENV{ASAN_OPTIONS} || $ENV{TEST_NGINX_VALGRIND};

my $t = Canary->new();
mkdir $t->dir() . '/state';

my $splits = join '', map { <<"SPLIT" } 1 .. SPLITS;
    upstream split$_ {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        canary_state %%DIR%%/state/file$_;
    }
SPLIT

$t->conf(<<"CONF", workers => 1);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    $splits
    canary_event seen value=1 unique=\$arg_k;
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /canary/ { canary_status; }
        location / { proxy_pass http://split1; }
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
    }
CONF

$t->start();
$t->get("/?k=$_") for 1 .. 20;
$t->stop();
$t->start();
my $started = anonymous();

ok($t->reload(), 'a reload') for 1 .. 3;
my $grown = anonymous() - $started;

cmp_ok($started, '<', 3 * KB, 'the master is small after a start');
cmp_ok($grown, '<', KB, 'and no larger after three reloads');
diag("anonymous memory: $started KB, $grown KB more after three reloads");

$t->no_alerts();
done_testing();

sub anonymous {
    my ($kb) =
        $t->read('/proc/' . $t->master() . '/status') =~ /^RssAnon:\s+(\d+)/m;

    return $kb;
}
