use strict;
use warnings;

# A disk that hangs delays the answer to a POST, and nothing else: the same
# worker serves other requests, the rollback is in force, and after 5 seconds
# the answer says that it is not written.  A client that leaves, a reload and a
# worker that is told to quit in the middle of it do no harm.

use Test::More;
use Time::HiRes qw(sleep time);
use Canary;
use Canary::Disk;
use Canary::State;

my $t = Canary->new();
my $disk = Canary::Disk->new($t)
    or plan skip_all => 'no library can be put before this nginx';
my $s = Canary::State->new($t, workers => 1);

$s->load('canary canary 100%;');
$t->start();
ok($s->written(), 'written at first');

# two who wait, and one of them leaves

$disk->hang();
my $began = time;
my $gone = ask('resume');
my $client = ask('rollback');
ok($t->wait_for(sub { $s->canary(3) == 0 }, 2), 'in force at once');
$gone->close();

my $slowest = 0;
for (1 .. 20) {
    my $since = time;
    $s->of('state');
    $slowest = time - $since if time - $since > $slowest;
    sleep 0.1;
}
cmp_ok($slowest, '<', 1 * $t->slow(), 'the worker serves others meanwhile');
cmp_ok(time - $began, '<', 5 * $t->slow(), 'before there is an answer');

my $answer = answer($client);
my $took = time - $began;
cmp_ok($took, '>', 4.5, 'the answer comes after 5 seconds');
cmp_ok($took, '<', 6 * $t->slow(), 'and no later');
is($answer->{state}, 'rolled_back', 'it says that it is rolled back');
is($answer->{written}, JSON::PP::false, 'and not written');
like($answer->{error}, qr/disk has not answered within 5 seconds/, 'and why');

ok($t->wait_for(sub { $s->of('state_file')->{error} ne '' }, 20),
    'then the status shows it');
like(
    $s->of('state_file')->{error},
    qr/disk has not answered for 10 seconds/,
    'and why'
);
$disk->works();
ok($s->written(), 'once the disk works it is written');
is($s->logged(qr/is written again/), 1, 'which is logged');

# a reload in the middle: the old worker gives the answer

$disk->hang();
$client = ask('resume');
ok($t->wait_for(sub { $s->of('state') eq 'active' }), 'resumed');
ok($t->reload(), 'a reload in the middle');
is($s->canary(3), 3, 'a new worker serves');
$disk->works();
$answer = answer($client);
is($answer->{state}, 'active', 'the old one answers');
is($answer->{written}, JSON::PP::true, 'once it is written');
ok($s->written(), 'the new one writes');

# told to quit in the middle: it waits for the answer, and then exits

$disk->hang();
$client = ask('rollback');
ok($t->wait_for(sub { $s->of('state') eq 'rolled_back' }), 'rolled back');
$t->signal('QUIT');
sleep 0.5;
$disk->works();
is(answer($client)->{written}, JSON::PP::true, 'quit: the answer comes first');
$t->stop();
$t->start();
is($s->of('state'), 'rolled_back', 'and it was written');

# terminated in the middle: nobody waits for a disk that does not answer

$disk->hang();
$client = ask('resume');
ok($t->wait_for(sub { $s->of('state') eq 'active' }), 'resumed');
my ($worker) = $t->workers();
$began = time;
kill 'TERM', $worker;
ok($t->wait_for(sub { !-d "/proc/$worker" }, 10), 'terminated: it exits');
cmp_ok(time - $began, '<', 3 * $t->slow(), 'soon');
is($s->logged(qr/a disk has not answered while nginx exits/),
    1, 'and says why it did not wait');
$disk->works();
ok($s->written(), 'another one writes');

$t->no_alerts();
done_testing();

###############################################################################

# a POST whose answer is read later
sub ask {
    my ($verb) = @_;

    my $asking = $t->client();
    $asking->send("POST /canary/control/baseline/$verb HTTP/1.1\r\n"
            . "Host: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

    return $asking;
}

sub answer {
    my ($asking) = @_;

    my $response = $asking->response();

    return JSON::PP::decode_json($response->{body});
}
