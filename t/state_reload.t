use strict;
use warnings;

# A reload reads no state: what is in memory is newer.  It may add, remove and
# change the file of a split that lives on; old workers write to no other file
# than the one in force.

use Test::More;
use Canary;
use Canary::State;

my $t = Canary->new();
my $dir = $t->dir();
my $s = Canary::State->new($t, file => '', workers => 2);
my ($one, $two) = map { "$dir/state/$_" } qw(one two);

$s->load('canary canary 100%;');
$t->start();
is($s->canary(5), 5, 'active');
is($s->of('state_file'), undef, 'without a state file');
is($s->rollback()->{written}, undef, 'POST says so');
$s->resume();

# added

$s->configure($one);
ok($t->reload(), 'a state file is added');
ok($s->written(), 'and written');
is($s->figures('canary')->{requests}, 5, 'the counters went on');
my $first = $t->read($one);

# changed

$s->rollback('reason=one');
$s->configure($two);
ok($t->reload(), 'another file');
ok($s->written(), 'is written');
is($s->of('reason'), 'one', 'still rolled back');
my $old = inode($one);
ok($s->written(), 'and written again');
is(inode($one), $old, 'the first one is no longer written to');

# back to one that holds an older state: with less counted, and rolled back

$s->resume();
$s->canary(5);
$s->configure($one);
ok($t->reload(), 'back to the first');
is($s->of('state'), 'active', 'it is not read');
is($s->figures('canary')->{requests}, 10, 'nor are its counters');
ok($s->written(), 'it is replaced');
is($s->logged(qr/is replaced by the state in force/), 1, 'which is logged');

$s->restart();
is($s->figures('canary')->{requests}, 10, 'and right at the next start');

# what cannot be trusted is kept aside, and the split is left alone

$t->write('state/two', 'nonsense');
$s->configure($two);
ok($t->reload(), 'to a file that is none');
is($s->of('state'), 'active', 'a reload does not roll back');
ok($s->written(), 'a new one is written');
is($t->read("$two.bad"), 'nonsense', 'the other is kept aside');
is($s->logged(qr/state in force is not affected/), 1, 'which is logged');

# a worker that drains has the configuration, and the file, of its time

my $client = $t->client();
$client->send("GET /?k=1 HTTP/1.1\r\nHost: x\r\n");
ok($t->wait_for(sub { $s->of('state') eq 'active' }), 'half a request');
my @draining = $t->workers();
$s->configure($one);
ok($t->reload(), 'a reload while it is under way');
ok($s->written(), 'the new file is written');
my ($new, $gone) = (inode($one), inode($two));
$client->send("\r\n");
is($client->response()->{body}, 'canary', 'the old worker answers');
$client->close();
ok(
    $t->wait_for(
        sub {
            !grep { -d "/proc/$_" } @draining;
        }
    ),
    'and exits'
);
is(inode($two), $gone, 'it did not write to its file');
$s->restart();
is($s->figures('canary')->{requests}, 11, 'what it counted is kept');

# removed

$s->configure('');
ok($t->reload(), 'the state file is removed');
is($s->of('state_file'), undef, 'from the status');
$old = inode($one);
$s->rollback();
$s->restart();
is(inode($one), $old, 'it is written no more');
is($s->of('state'), 'active', 'a restart forgets');

$t->no_alerts();
done_testing();

sub inode {
    my ($path) = @_;

    return join ' ', (stat $path)[1, 9];
}
