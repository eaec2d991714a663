use strict;
use warnings;

# What is written lasts: the file is synced before it gets its name, and the
# folder after that.  A write that is cut short or interrupted goes on where it
# ended; a disk that is full leaves the last file as it is.  As nginx stops,
# each file is written once.

use Test::More;
use Canary;
use Canary::Disk;
use Canary::State;

my $t = Canary->new();
my $disk = Canary::Disk->new($t)
    or plan skip_all => 'no library can be put before this nginx';
my $s = Canary::State->new($t, workers => 3);

$s->load('canary canary 100%;');
$t->start();
ok($s->written(), 'written at first');

$disk->record();
is($s->rollback()->{written}, JSON::PP::true, 'a POST is answered');
my @events = map { "$_->[0] $_->[1]" } $disk->events();
is_deeply(
    [@events[0 .. 2]],
    ['fsync .file.tmp', 'rename file', 'fsync state'],
    'after file and folder are synced, in this order'
);

$disk->short();
is($s->resume('reason=' . 'x' x 400)->{written}, JSON::PP::true, 'cut short');
$disk->works();
$s->crash();
$t->start();
is($s->of('state'), 'active', 'the file is whole');
is($s->logged(qr/cannot be trusted/), 0, 'and trusted');

ok($s->written(), 'running');
$disk->full();
my $before = $t->read($s->file());
my $answer = $s->rollback();
is($answer->{written}, JSON::PP::false, 'no room: the answer says so');
like($answer->{error}, qr/No space left/, 'and why');
is($t->read($s->file()), $before, 'the last file is as it was');
is_deeply([glob $t->dir() . '/state/.*.tmp'], [], 'and nothing is left over');
$disk->works();
ok($s->written(), 'written again');

$disk->record();
$t->stop();
is(scalar(grep { $_->[0] eq 'rename' } $disk->events()),
    1, 'as nginx stops the file is written once');

$t->no_alerts();
done_testing();
