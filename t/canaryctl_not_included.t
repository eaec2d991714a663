#!/usr/bin/perl

# canaryctl set: a split file that nginx does not read is an error.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new(
    $t,
    settings => {
        split_file => '%%DIR%%/evidence/other',
        timeout => 2 * $t->slow()
    }
);
$t->write('evidence/other', "canary sliceB 1%;\n");
$t->start();

my $r = $ctl->run('set', '50%');

is($r->{status}, 1, 'failed');
like($r->{err}, qr/include/, 'the message says what to look at');
is($t->read('evidence/other'), "canary sliceB 1%;\n", 'it is as it was');
is($ctl->state()->{variants}{sliceB}{configured_share},
    0.05, 'so is the share');

$ctl->settings(
    url => 'http://127.0.0.1:%%PORT9%%/canary/',
    timeout => 2 * $t->slow()
);
my $generation = $ctl->generation();
$r = $ctl->run('set', '50%');
is($r->{status}, 1, 'without a status nothing is begun');
is($ctl->split(), "canary sliceB 5%;\n", 'the split file is as it was');
is($ctl->generation(), $generation, 'nginx was not reloaded');

$t->no_alerts();

done_testing();
