#!/usr/bin/perl

# canaryctl set: the new share serves when the command ends.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t);
$t->http_upstream($t->port(1), name => 'old');
$t->http_upstream($t->port(2), name => 'new');
$t->start();

chmod 0640, $ctl->split_file();
my $uid = $> == 0 ? 65534 : $>;
chown $uid, -1, $ctl->split_file();

my $before = $ctl->generation();
my $r = $ctl->run('set', '100%');

is($r->{status}, 0, 'done');
is($r->{err}, '', 'nothing to complain about');
is($ctl->variant('a'), 'new', 'the next request goes to the canary');

my $split = $ctl->state();
is($split->{variants}{sliceB}{configured_share}, 1, 'the share serves');
is($split->{generation}, $before + 1, 'it was reloaded once');
like($r->{out}, qr/\bsliceB 5% -> 100%/, 'the change is told');
like($r->{out}, qr/\bgeneration $split->{generation}\b/,
    'so is the generation');
like($r->{out}, qr/\bin \d+\.\d{3} s$/m, 'and the time that it took');

is($ctl->split(), "canary sliceB 100%;\n", 'the split file says so');
my ($mode, $owner) = (stat $ctl->split_file())[2, 4];
is($mode & 07777, 0640, 'the mode of the file is kept');
is($owner, $uid, 'and its owner');
is_deeply([$ctl->leftovers()], [], 'no other file is left');

is($ctl->run('set', '0.0001%')->{status}, 0, 'four decimals are possible');
is($ctl->state()->{variants}{sliceB}{configured_share}, 0.000001, 'and exact');

is($ctl->run('set', 'off')->{status}, 0, 'so is off');
is($ctl->state()->{state}, 'off', 'which nginx serves');

$t->no_alerts();

done_testing();
