#!/usr/bin/perl

# canaryctl set: changes the canary's own line and nothing else.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t);
$t->start();

my @cases = (
    [
        'comments and spacing stay',
        "# by hand\n\n\tcanary  sliceB\t5% ;   # the new one\n# end\n",
        "# by hand\n\n\tcanary  sliceB\t7% ;   # the new one\n# end\n"
    ],
    [
        'a line in a comment is none',
        "# canary sliceB 1%;\ncanary sliceB 5%; # canary sliceB 2%;\n",
        "# canary sliceB 1%;\ncanary sliceB 7%; # canary sliceB 2%;\n"
    ],
    [
        'another canary stays',
        "canary sliceC 3% stage=s;\ncanary sliceB 5% stage=s;\n",
        "canary sliceC 3% stage=s;\ncanary sliceB 7%;\n"
    ],
    [
        'quotes are understood',
        qq(canary "sliceB" '5%' "stage=a b";\ncanary 'sliceC' 1%;\n),
        qq(canary "sliceB" 7%;\ncanary 'sliceC' 1%;\n)
    ],
    [
        'a stage, odd spacing and a note',
        qq( canary "sliceB"  5%  stage=stage1_5pct ;   # note\n),
        qq( canary "sliceB"  7% ;   # note\n)
    ],
    [
        'a missing line is added',
        "# none yet\ncanary sliceC 1%;\n",
        "# none yet\ncanary sliceC 1%;\ncanary sliceB 7%;\n"
    ],
    ['an empty file is filled', '', "canary sliceB 7%;\n"],
);

for my $case (@cases) {
    my ($name, $before, $after) = @$case;

    $t->write('split/documents.split', $before);
    my $r = $ctl->run('set', '7%');
    is($r->{status}, 0, "$name: done") or diag($r->{err});
    is($ctl->split(), $after, $name);
}

# the file is canaryctl's: what else is in it is refused by its line
for my $case (
    ['another directive', "canary sliceB 5%;\ncanary_salt 'x';\n", 2],
    ['one word', "# a\n\ncanary sliceB 5%;\ndown;\n", 4],
    ['a block', "upstream x {\ncanary sliceB 5%;\n}\n", 1],
    ['an end', "canary sliceB 5%; }\n", 1],
    ['an include', "canary sliceB 5%;\ninclude x.split;\n", 2],
    ['two on a line', "canary sliceB 5%; canary sliceC 1%;\n", 1],
    ['one on two lines', "canary sliceC 1%;\ncanary sliceB\n 5%;\n", 2],
    ['an open quote', "canary sliceB '5%;\n", 1],
    )
{
    my ($name, $text, $line) = @$case;
    $t->write('split/documents.split', $text);
    my $r = $ctl->run('set', '7%');
    is($r->{status}, 1, "$name: refused");
    like($r->{err}, qr/documents\.split" line $line: only comments and /,
        'by its line');
    is($ctl->split(), $text, 'it is as it was');
}

unlink $ctl->split_file();
is($ctl->run('set', '8%')->{status}, 0, 'a missing file: done');
is($ctl->split(), "canary sliceB 8%;\n", 'it is created');
is((stat $ctl->split_file())[2] & 07777, 0644, 'readable for all');

# the file that nginx includes may be a link to one under version control
$t->write('real.split', "canary sliceB 5%;\n");
unlink $ctl->split_file();
symlink $t->dir() . '/real.split', $ctl->split_file() or die "symlink: $!\n";
is($ctl->run('set', '9%')->{status}, 0, 'a symbolic link: done');
ok(-l $ctl->split_file(), 'it is still a link');
is($t->read('real.split'), "canary sliceB 9%;\n", 'its target is changed');

$t->no_alerts();

done_testing();
