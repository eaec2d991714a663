#!/usr/bin/perl

# canaryctl promote: two at the same time begin one stage, not two.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

use Fcntl qw(:flock);

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 5% stage=s1;\n");
$t->start();
my @plan = map { "s$_:" . 5 * $_ . '%:1h' } 1 .. 9;
$ctl->settings(stages => "@plan");
my @force = ('--force', '--reason', 'x');

# both have seen stage 1 when the first gets the lock
for my $n (1 .. 3) {
    open my $folder, '<', $t->dir() . '/split' or die "open: $!\n";
    flock $folder, LOCK_EX or die "flock: $!\n";
    my @pids = map { $ctl->spawn('promote', @force) } 1 .. 2;
    ok(
        $t->wait_for(
            sub {
                2 == grep { waits($_) } @pids;
            }
        ),
        'both wait'
    );
    close $folder;

    my @results = map { $ctl->finish($_) } @pids;
    is_deeply([sort map { $_->{status} } @results], [0, 1], 'one wins');
    my ($lost) = grep { $_->{status} } @results;
    my $stage = 's' . ($n + 1);
    like(
        $lost->{err},
        qr/somebody else began "$stage" meanwhile$/m,
        'the other is told'
    );
    is($ctl->state()->{stage}{name}, $stage, 'no stage is skipped');
}

# one that began before the other one's stage does not go on from there
{
    my @pids = map { $ctl->spawn('promote', @force) } 1 .. 3;
    is(scalar(grep { $ctl->finish($_)->{status} == 0 } @pids),
        1, 'of three that start together, one wins');
    is($ctl->state()->{stage}{name}, 's5', 'no stage is skipped');
}

# a share that somebody else set while it waited
{
    open my $folder, '<', $t->dir() . '/split' or die "open: $!\n";
    flock $folder, LOCK_EX or die "flock: $!\n";
    my $pid = $ctl->spawn('promote', @force);
    ok($t->wait_for(sub { waits($pid) }), 'it waits');
    $t->write('split/documents.split', "canary sliceB 1% stage=s5;\n");
    $t->reload();
    close $folder;
    is($ctl->finish($pid)->{status}, 1, 'the share moved: refused');
    is($ctl->split(), "canary sliceB 1% stage=s5;\n", 'it is as it was');
}

# the stage that is meant, by name
my $r = $ctl->run('promote', @force, '--to', 's5');
is($r->{status}, 1, '--to the stage under way: refused');
like(
    $r->{err},
    qr/not promoted, the next stage is "s6", not "s5"$/m,
    'it says which is next'
);
is($ctl->run('promote', @force, '--to', 's7')->{status}, 1, 'the one after');
$r = $ctl->run('promote', @force, '--to', 'x');
is($r->{status}, 2, 'one that is not in the plan: wrong usage');
is($ctl->run('promote', @force, '--to', 's6')->{status}, 0, 'the next one');
is($ctl->state()->{stage}{name}, 's6', 'it serves');

$t->no_alerts();

done_testing();

# whether it waits for the lock
sub waits {
    my ($pid) = @_;

    my $children = $t->read("/proc/$pid/task/$pid/children");
    return grep { $t->read("/proc/$_/cmdline") =~ /^flock\0/ }
        split / /, $children;
}
