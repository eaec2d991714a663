use strict;
use warnings;

# Addresses that a split takes, and each event of it: an event that only counts
# takes next to none, its users and its values a zone each, for each split, and
# only where they are asked for.

use Test::More;
use Canary;

use constant MB => 1 << 20;

my $t = Canary->new();
my $processors = `getconf _NPROCESSORS_ONLN`;

# shared memory of the master, in MB
sub addresses {
    my ($splits, @events) = @_;

    my $upstreams = join '', map {
        "upstream b$_ { server 127.0.0.1:%%PORT1%%; canary canary 5%; }\n"
    } 1 .. $splits;
    my $events = join ' ', map { "canary_event $_;" } @events;

    $t->conf(<<"CONF");
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    $upstreams
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://b1; $events }
        location /canary/ { canary_status; }
    }
CONF
    $t->start();

    my $sum = 0;
    open my $maps, '<', '/proc/' . $t->master() . '/maps' or die "maps: $!\n";
    while (<$maps>) {
        my ($from, $to, $mode) = /^(\w+)-(\w+) (\S+)/;
        no warnings 'portable';
        $sum += hex($to) - hex $from if $mode =~ /s$/;
    }
    close $maps or die "maps: $!\n";
    $t->stop();

    return $sum / MB;
}

my $one = addresses(1);
my $two = addresses(2);
my $split = $two - $one;
note(sprintf '%.2f MB a split', $split);
cmp_ok($split, '<=', 11.1 + 0.4 * $processors, 'a split with its history');

my $bare = addresses(2, 'e1') - $two;
note(sprintf '%.3f MB for two splits with events', $bare);
cmp_ok($bare, '<=', 2 * (0.2 + 0.01 * $processors), 'events that count');
cmp_ok(addresses(2, 'e1', 'e2', 'e3') - $two,
    '==', $bare, 'as much for more of them');

my $users = (addresses(2, 'e1 unique=$arg_u') - $two - $bare) / 2;
note(sprintf '%.2f MB for users', $users);
cmp_ok($users, '>', 1, 'users have memory of their own');
cmp_ok($users, '<=', 2, 'two MB at most');

my $values = (addresses(2, 'e1 value=$arg_v') - $two - $bare) / 2;
note(sprintf '%.2f MB for values', $values);
cmp_ok($values, '>', 1, 'and so have values');
cmp_ok($values, '<=', 8, 'eight MB at most');

my $both = addresses(2, 'e1', 'e2 unique=$arg_u value=$arg_v', 'e3');
cmp_ok(abs($both - $two - $bare - 2 * ($users + $values)),
    '<', 0.1, 'and only that name');

$t->no_alerts();
done_testing();
