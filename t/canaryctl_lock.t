#!/usr/bin/perl

# canaryctl: one change at a time.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

use Fcntl qw(:flock);

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t);
$t->start();

my @pids = map { $ctl->spawn('set', "$_%") } 11 .. 14;
my @results = map { $ctl->finish($_) } @pids;
is_deeply(
    [map { $_->{status} } @results],
    [0, 0, 0, 0],
    'four at the same time take turns'
);

my %generations;
$generations{($_->{out} =~ /generation (\d+)/)[0]}++ for @results;
is(keys %generations, 4, 'each with a generation of its own');
my ($last) = sort {
    ($b->{out} =~ /generation (\d+)/)[0]
        <=> ($a->{out} =~ /generation (\d+)/)[0]
} @results;
my ($share) = $last->{out} =~ /-> (\d+%)/;
is($ctl->split(), "canary sliceB $share;\n", 'the last one is in the file');
is_deeply([$ctl->leftovers()], [], 'no other file is left');

# somebody holds the lock for good
open my $folder, '<', $t->dir() . '/split' or die "open: $!\n";
flock $folder, LOCK_EX or die "flock: $!\n";
$ctl->settings(timeout => 1);
my $generation = $ctl->generation();

my $r = $ctl->run('set', '50%');
is($r->{status}, 1, 'refused while another one is at it');
like($r->{err}, qr/another canaryctl/, 'it says so');
is($ctl->split(), "canary sliceB $share;\n", 'the split file is as it was');
is($ctl->generation(), $generation, 'nginx was not reloaded');

$r = $ctl->run('rollback');
is($r->{status}, 0, 'a rollback does not wait for ever');
like($r->{err}, qr/warning: another canaryctl/, 'it warns');
is($ctl->split(), "canary sliceB off;\n", 'and the split file says off');

$t->no_alerts();

done_testing();
