#!/usr/bin/perl

# canaryctl set: refused by a mistake elsewhere, nothing is changed.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $text = "# kept\r\ncanary sliceB 5%;\ncanary sliceC 1%;\t\n\n#end";
my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => $text);
$t->start();

my $generation = $ctl->generation();
my @before = (stat $ctl->split_file())[1, 2, 4, 5, 9];
$ctl->break_config();

my $r = $ctl->run('set', '50%');

is($r->{status}, 1, 'refused');
like($r->{err}, qr/no_such_directive/, 'with the message of nginx');
like($r->{err}, qr/extra\/broken\.conf:1/, 'and the place');
is($r->{out}, '', 'nothing on standard output');
is($ctl->split(), $text, 'the split file is as it was, byte for byte');
is_deeply([(stat $ctl->split_file())[1, 2, 4, 5, 9]],
    \@before, 'the very same file, mode, owner and time');
is_deeply([$ctl->leftovers()], [], 'no other file is left');
is($ctl->generation(), $generation, 'nginx was not reloaded');

$ctl->mend_config();
is($ctl->run('set', '50%')->{status}, 0, 'done once it is mended');

unlink $ctl->split_file();
$ctl->break_config();
is($ctl->run('set', '50%')->{status}, 1, 'refused without a file before');
ok(!-e $ctl->split_file(), 'there is still none');

$t->no_alerts();

done_testing();
