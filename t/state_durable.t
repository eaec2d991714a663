use strict;
use warnings;

# What is written lasts: the file is synced before it gets its name, and the
# folder after that, whatever made nginx write.  A write that is cut short or
# interrupted goes on where it ended.  As nginx stops it is written once.

use Test::More;
use Canary;
use Canary::Disk;
use Canary::State;

my $t = Canary->new();
my $disk = Canary::Disk->new($t)
    or plan skip_all => 'no library can be put before this nginx';
my $s = Canary::State->new($t, workers => 1);

my @order = (
    'create .file.tmp',
    'write .file.tmp',
    'fsync .file.tmp',
    'rename file',
    'fsync .'
);

$s->load('canary canary 100%;');
$t->start();
ok($s->written(), 'written at first');

# by a POST: before its answer

$disk->record();
is($s->rollback()->{written}, JSON::PP::true, 'a POST is answered');
is_deeply([first()], \@order, 'after all of it, in this order');

# by itself

ok($s->written(), 'written again');
$disk->record();
ok($t->wait_for(sub { @order == first() }, 20), 'every few seconds');
is_deeply([first()], \@order, 'in this order');

# as nginx stops, by the master

ok($s->written(), 'written again');
$disk->record();
$t->stop();
is_deeply([$disk->events()], \@order, 'at its end, in this order and once');

# cut short: what is there is whole

$t->start();
$disk->short();
is($s->resume('reason=' . 'x' x 400)->{written}, JSON::PP::true, 'cut short');
$s->crash();
$t->start();
is($s->of('state'), 'active', 'the file is whole');
is($s->canary(7), 7, 'requests');
ok($s->written(), 'written every few seconds, cut short');
$s->crash();
$t->start();
is($s->figures('canary')->{requests}, 7, 'the file is whole');
is($s->canary(4), 4, 'more requests');
$s->restart();
is($s->figures('canary')->{requests}, 11, 'whole as well at the end');
is($s->logged(qr/cannot be trusted/), 0, 'and always trusted');
is($s->logged(qr/is not written/), 0, 'without an error');

$t->no_alerts();
done_testing();

###############################################################################

# those of one writing
sub first {
    my @events = $disk->events();

    return @events > @order ? @events[0 .. $#order] : @events;
}
