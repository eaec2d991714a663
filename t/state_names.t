use strict;
use warnings;

# What lies beside a state file never has the name of another split's: "x" and
# "x.tmp", or "x.lock", are two files that do not disturb each other.

use Test::More;
use Canary;

my $t = Canary->new();
my $folder = $t->dir() . '/state';
mkdir $folder;

my @names = qw(x x.tmp x.lock);
my $splits = join '', map { <<"SPLIT" } @names;
    upstream split_$_ {
        server 127.0.0.1:%%PORT1%%;
        canary canary 1%;
        canary_state %%DIR%%/state/$_;
    }
SPLIT

$t->conf(<<"CONF", workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    $splits
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF

$t->start();
for my $round (1 .. 5) {
    for my $name (@names) {
        $t->post("/canary/control/split_$name/rollback", "reason=$name");
        my $body = $t->post("/canary/control/split_$name/resume", '')->{body};
        like($body, qr/"written":true/, "$name is written");
        is((grep { !-s "$folder/$_" } @names),
            0, 'and the others are still there')
            if $round > 1;
    }
}
$t->post("/canary/control/split_$_/rollback", "reason=of+$_") for @names;
$t->stop();
$t->start();
is($t->status()->{splits}{"split_$_"}{reason}, "of $_", "$_ is kept")
    for @names;

$t->no_alerts();
done_testing();
