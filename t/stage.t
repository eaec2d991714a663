use strict;
use warnings;

# A new stage begins when the shares or the stage's name change; its figures
# start anew, the total goes on.

use Test::More;
use Canary;

my $t = Canary->new();

$t->write('split', 'canary canary 0% stage=first;');
$t->conf(<<'CONF', workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        include %%DIR%%/split;
        canary_key $arg_k;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream($t->port(1),
    delay => sub { $_[0]->{uri} =~ /slow/ ? 0.2 : 0 });
$t->start();

sub load {
    my ($text) = @_;
    $t->write('split', $text);
    return $t->reload();
}

sub split_of { return $t->status()->{splits}{baseline} }

sub figures {
    my $variant = split_of()->{variants}{baseline};
    return [map { $variant->{$_}{requests} } qw(total stage)];
}

$t->get("/?k=$_") for 1 .. 3;
$t->get('/slow?k=1');
is_deeply(figures(), [4, 4], 'the first stage');

my $stage = split_of()->{stage};
is($stage->{name}, 'first', 'its name');

ok(load('canary canary 0% stage=first;'), 'the same again');
$t->get('/?k=1');
is_deeply(figures(), [5, 5], 'goes on');
is(split_of()->{stage}{started_at}, $stage->{started_at}, 'since then');

ok(load('canary canary 0% stage=second;'), 'another name');
is_deeply(figures(), [5, 0], 'a new stage');
cmp_ok(split_of()->{stage}{started_at}, '>', $stage->{started_at}, 'since now');
is(split_of()->{variants}{baseline}{stage}{latency}{p50},
    undef, 'a quantile of nothing');

$t->get('/?k=1');
my $variant = split_of()->{variants}{baseline};
cmp_ok($variant->{total}{latency}{max}, '>=', 0.2,
    'the total has the slow one');
cmp_ok($variant->{stage}{latency}{max}, '<', 0.2, 'the stage has not');
is($variant->{stage}{latency}{count}, 1, 'its own sample only');
is(
    $variant->{stage}{latency}{sum},
    $variant->{stage}{latency}{max},
    'sum and max are the same microseconds'
);

ok(load('canary canary 0.0001% stage=second;'), 'another share');
is_deeply(figures(), [6, 0], 'a new stage');
cmp_ok(split_of()->{variants}{baseline}{total}{latency}{max},
    '>=', 0.2, 'the total keeps the extremes of past stages');

$t->get('/?k=1');
ok(load('canary canary off;'), 'off, without a name');
is(split_of()->{stage}{name}, '', 'a stage without a name');
is_deeply(figures(), [7, 0], 'is a new one');

$t->no_alerts();
done_testing();
