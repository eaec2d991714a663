package Canary::Soak::Decisions;

# Whether each request was decided as the shares, the latch and the publication
# of its time say: check($ledger), when all is over.
#
#   - the variant is the one that salt, key and shares of that load make
#   - between the answer to a rollback and the resume no request that started is
#     decided otherwise, nor reaches a canary's server
#   - no request that starts after the first answer of a generation is decided
#     by an older one

use strict;
use warnings;

use File::Temp qw(tempfile);
use List::Util qw(min);

use Canary::Soak::Clients;

use constant POINTS => 1_000_000;

my @splits = qw(documents rpc);


sub check {
    my ($ledger) = @_;

    my $points = _points();

    for my $record (values %{$ledger->{records}}) {
        next if ($record->{variant} || '') eq '' || !defined $record->{stage};
        _check_decision($ledger, $record, $points);
    }

    _check_latch($ledger);
    _check_order($ledger);

    return;
}


# the assignment is the one that these shares, this key and the latch make
sub _check_decision {
    my ($ledger, $record, $points) = @_;

    my ($id, $split, $why) = @$record{qw(id split assignment)};
    my ($number) = $record->{stage} =~ /^load(\d+)$/;
    my $load = defined $number ? $ledger->{site}->loads()->[$number] : undef;

    # a file without a canary has no stage
    $load = {$split => {}} if $split eq 'rpc' && $record->{stage} eq '';

    if (!$load) {
        $ledger->finding("$id was decided by \"$record->{stage}\","
                . ' which was never in force');
        return;
    }

    my %shares = %{$load->{$split}};
    my $variant = $split;
    my $expected;

    if ($record->{bypass}) {
        $expected = 'bypassed';
    } elsif ($split eq 'documents' && _latch($ledger, $record, 'surely')) {
        $expected = 'rolled_back';
    } elsif (!grep { $_ ne 'off' } values %shares) {
        $expected = 'off';
    } elsif ($record->{force} ne '') {
        ($expected, $variant) = ('forced', $record->{force});
    } elsif ($record->{key} eq '') {
        $expected = 'unkeyed';
    } else {
        $expected = 'split';
        $variant =
            _variant($split, \%shares, $points->{$split}{$record->{key}});
    }

    # a worker that drains takes a canary that it lacks for the baseline
    my $own = $ledger->{site}->born_under($record->{pid}, $number || 0);
    $variant = $split
        if $variant ne $split && $own && !defined $own->{$split}{$variant};

    if (   $why eq 'rolled_back'
        && $expected !~ /^(?:rolled_back|bypassed)$/
        && $split eq 'documents'
        && _latch($ledger, $record, 'maybe'))
    {
        ($expected, $variant) = ($why, $split);
    }

    $variant = 'nobody'
        if $ledger->{wrong} eq 'decision' && $id eq 'keepalive1.20';

    $ledger->{numbers}{"assignment $why"}++;
    $ledger->finding("$id is $why to $record->{variant}, not $expected to"
            . " $variant, by $record->{stage}")
        if $why ne $expected || $record->{variant} ne $variant;

    return;
}


# whether the split was surely, or maybe, rolled back during the request
sub _latch {
    my ($ledger, $record, $how) = @_;

    my $within = sub {
        my ($latch) = @_;
        my $until = $latch->{until} || 1e99;
        my $over = $latch->{over} || 1e99;

        return $how eq 'surely'
            ? $record->{start} > $latch->{surely} && $record->{seen} < $until
            : $record->{end} > $latch->{maybe} && $record->{start} < $over;
    };

    return scalar grep { $within->($_) } @{$ledger->{latches}};
}


# no request of the upstream servers either
sub _check_latch {
    my ($ledger) = @_;

    for my $record (values %{$ledger->{records}}) {
        next if !$record->{served} || $record->{split} ne 'documents';
        next if $record->{served} eq 'documents';
        next if !_latch($ledger, {%$record, seen => $record->{end}}, 'surely');
        $ledger->finding("$record->{id} reached $record->{served} after the"
                . ' answer to a rollback');
    }

    return;
}


# what starts after the first answer of a generation is not decided by an older
sub _check_order {
    my ($ledger) = @_;

    my (%first, %by_master);

    for my $record (values %{$ledger->{records}}) {
        next if !$record->{pid} || !$record->{generation};
        my $master = $ledger->{masters}{$record->{pid}} || 0;
        my $generation = $record->{generation};
        my $first = $first{$master}{$generation};

        push @{$by_master{$master}}, $record;
        next if $record->{result} ne 'whole';
        $first{$master}{$generation} = $record->{seen}
            if !$first || $first > $record->{seen};
    }

    for my $master (keys %by_master) {
        my ($soonest, %soonest) = (1e99);
        for my $generation (sort { $b <=> $a } keys %{$first{$master}}) {
            $soonest{$generation} = $soonest;
            $soonest = min($soonest, $first{$master}{$generation});
        }
        $ledger->{numbers}{generations} += keys %{$first{$master}};

        for my $record (@{$by_master{$master}}) {
            my $next = $soonest{$record->{generation}};
            next if !defined $next || $record->{start} <= $next;
            $ledger->finding("$record->{id} is of generation"
                    . " $record->{generation}, but a later one had answered");
        }
    }

    return;
}


# by docs of the split: canaries take their points from the two ends
sub _variant {
    my ($split, $shares, $point) = @_;

    my @names = sort keys %$shares;
    my @points = map {
        my $share = $shares->{$_};
        $share =~ /^([\d.]+)%$/ ? $1 * POINTS / 100 : 0
    } @names;

    return $names[0] if $names[0] && $point < $points[0];
    return $names[1] if $names[1] && $point >= POINTS - $points[1];
    return $split;
}


# the point of each key: XXH3 as its own library has it
sub _points {
    my %points;

    my ($source, $name) = tempfile(SUFFIX => '.c', UNLINK => 1);
    print {$source} <<'CODE';
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

int
main(int argc, char **argv)
{
    int       i, keys;
    char      key[32];
    uint64_t  hash, seed;

    keys = atoi(argv[argc - 1]);
    seed = XXH3_64bits(argv[1], strlen(argv[1]));

    for (i = 0; i < keys; i++) {
        sprintf(key, "user%d", i);
        hash = XXH3_64bits_withSeed(key, strlen(key), seed);
        printf("%s %" PRIu64 "\n", key, ((hash >> 32) * 1000000) >> 32);
    }

    return 0;
}
CODE
    close $source;

    my $program = $name =~ s/\.c$//r;
    system(qw(cc -o), $program, $name, '-lxxhash') and die "cc failed\n";

    for my $split (@splits) {
        my $keys = Canary::Soak::Clients::KEYS;
        open my $pipe, '-|', $program, $split, $keys or die "$program: $!\n";
        while (<$pipe>) {
            my ($key, $point) = split;
            $points{$split}{$key} = $point;
        }
        close $pipe;
    }
    unlink $program;

    return \%points;
}


1;
