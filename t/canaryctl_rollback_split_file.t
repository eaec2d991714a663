#!/usr/bin/perl

# canaryctl rollback: the split file says off in any case.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

use POSIX ();

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 5%;\n");
$t->start();
my $file = $ctl->split_file();
my $dir = $t->dir();

# what canaryctl did not write is kept, and written anew with all canaries
my $both = "canary sliceB 5%;\ncanary sliceC 12.5%;\n";
my @cases = (
    ['a block', "upstream x {\n$both}\n", 'canary sliceC 12.5%;'],
    ['another directive', "down;\n$both", 'canary sliceC 12.5%;'],
    ['an unbalanced quote', "canary sliceB '5%;\n", 'canary sliceC 12.5%;'],
    ['no canary in it', "nonsense;\n", 'canary sliceC 12.5%;'],
    ['nothing but an end', "canary sliceC 7% ;\n}", 'canary sliceC 7% ;'],
);
for my $case (@cases) {
    my ($name, $text, $other) = @$case;

    $t->post('/control/documents/resume', '');
    $t->write('split/documents.split', $both);
    $t->reload();
    $t->write('split/documents.split', $text);
    unlink "$file.rejected";

    my $r = $ctl->run('rollback');
    is($r->{status}, 0, "$name: done") or diag($r->{err});
    like($r->{err},
        qr/warning: .*written anew .*; it is kept as ".*\.rejected"$/m,
        'it says so');
    is($t->read("$file.rejected"), $text, 'what was there is kept');
    like($ctl->split(), qr/^canary sliceB off;$/m, 'the canary is off');
    like($ctl->split(), qr/^\Q$other\E$/m, 'the other one is as it was');
    is(
        $ctl->state()->{variants}{sliceC}{configured_share},
        $other =~ /12/ ? 0.125 : 0.07,
        'it serves'
    );
}

# neither a FIFO nor a folder in its place holds it up
for my $kind (qw(fifo folder)) {
    unlink $file, "$file.rejected";
    $kind eq 'fifo' ? POSIX::mkfifo($file, 0600) : mkdir $file;
    my $r = $ctl->run('rollback');
    is($r->{status}, 0, "a $kind: done") or diag($r->{err});
    like($ctl->split(), qr/^canary sliceB off;$/m, 'written anew');
    ok(-e "$file.rejected", 'what was there is kept');
}
rmdir "$file.rejected";

# no second file can be written: over the first one
my $full =
    $t->write('bin_mktemp', "#!/bin/sh\necho 'no space left' >&2\nexit 1\n");
chmod 0755, $full;
mkdir "$dir/bin";
rename $full, "$dir/bin/mktemp" or die "rename: $!\n";
$ctl->env()->{PATH} = "$dir/bin:$ENV{PATH}";
$t->write('split/documents.split', "# by hand\n$both");
my $inode = (stat $file)[1];
my $r = $ctl->run('rollback');
is($r->{status}, 0, 'no room for a second file: done') or diag($r->{err});
like($r->{err}, qr/warning: .*no space left; it was overwritten/, 'it says so');
is(
    $ctl->split(),
    "# by hand\ncanary sliceB off;\ncanary sliceC 12.5%;\n",
    'the same file says off'
);
is((stat $file)[1], $inode, 'the very same');
is($ctl->run('set', '0%')->{status}, 1, 'a change is refused');
is(
    $ctl->split(),
    "# by hand\ncanary sliceB off;\ncanary sliceC 12.5%;\n",
    'the file is as it was'
);
delete $ctl->env()->{PATH};

# no file at all, and no folder for one
unlink $file;
is($ctl->run('rollback')->{status}, 0, 'no split file: done');
like($ctl->split(), qr/^canary sliceB off;$/m, 'there is one');
$ctl->settings(split_file => '%%DIR%%/none/x.split');
$r = $ctl->run('rollback');
is($r->{status}, 0, 'no folder: rolled back all the same');
like($r->{err}, qr/warning: the split file is not changed: there is no folder/,
    'it says so');
$ctl->settings(split_file => '%%DIR%%/none/x.split', control_url => undef);
is($ctl->run('rollback')->{status}, 1, 'without a control_url: failed');

# settings for the split file are missing
for my $name (qw(split_file canary url)) {
    $ctl->settings($name => undef);
    $r = $ctl->run('rollback');
    is($r->{status}, 0, "no $name: rolled back all the same");
    like($r->{err}, qr/^canaryctl: warning: /m, 'with a warning');
    $ctl->settings($name => undef, control_url => undef);
    isnt($ctl->run('rollback')->{status}, 0, 'without a control_url: failed');
}

# an nginx that hangs
$t->write('hang', "#!/bin/sh\nexec sleep 60\n");
chmod 0755, "$dir/hang";
$ctl->settings(nginx => "$dir/hang", timeout => 1);
$r = $ctl->run('rollback');
is($r->{status}, 0, 'nginx -t hangs: rolled back all the same');
like($r->{err}, qr/says off, but the configuration test failed/, 'it says so');
is($ctl->state()->{state}, 'rolled_back', 'it is rolled back');

$t->no_alerts();

done_testing();
