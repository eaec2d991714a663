use strict;
use warnings;

# The same key goes to the same variant: over reloads, restarts, another number
# of workers and a second nginx; and a raised share only adds users.

use Test::More;
use Canary;

my @keys = map { "user-$_" } 1 .. 400;

sub instance {
    my $t = Canary->new();

    $t->write('split', 'canary canary 25%;');
    $t->conf(<<'CONF', workers => shift);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        include %%DIR%%/split;
        canary_key $http_x_user $arg_k;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200 canary; }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200 baseline; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://documents; }
        location /canary/ { canary_status; }
    }
CONF
    $t->start();
    return $t;
}

sub variants {
    my ($t) = @_;

    my $client = $t->client();
    return {map { $_ => $client->get("/?k=$_")->{body} } @keys};
}

my $t = instance(1);
my $first = variants($t);
my $canaries = grep { $_ eq 'canary' } values %$first;

# 400 keys at 25%: a standard deviation is 8.66
cmp_ok(abs($canaries - 100), '<=', 4 * 8.66, 'the share is 25%');

ok($t->reload(), 'reload');
is_deeply(variants($t), $first, 'the same after a reload');

$t->stop();
$t->start();
is_deeply(variants($t), $first, 'the same after a restart');

my $other = instance(3);
is_deeply(variants($other), $first, 'the same on another nginx');
$other->no_alerts();

$t->write('split', 'canary canary 50%;');
ok($t->reload(), 'the share is raised');
my $more = variants($t);
is(
    scalar(grep { $first->{$_} eq 'canary' && $more->{$_} ne 'canary' } @keys),
    0,
    'nobody leaves the canary'
);
cmp_ok(scalar(grep { $_ eq 'canary' } values %$more),
    '>', $canaries, 'others join');

is($t->get('/?k=user-1', 'X-User' => 'user-2')->{body},
    $more->{'user-2'}, 'the first value that is not empty is the key');

for (1 .. 5) {
    is($t->get('/')->{body}, 'baseline', 'without a key: the baseline');
}
is($t->status()->{splits}{documents}{unkeyed}, 5, 'counted as unkeyed');

$t->no_alerts();
done_testing();
