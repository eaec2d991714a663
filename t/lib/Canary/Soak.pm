package Canary::Soak;

# "make soak": load and every kind of trouble for a while, then what clients,
# nginx and the upstream servers say is compared.  main() returns the exit
# status: 1 if there is any finding.  Its settings are in scripts/dev/soak.  The
# storm is here; the page is t/page_browser.t; pauses are Canary::Soak::Pauses.

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Canary;
use Canary::Report;
use Canary::Soak::Chaos;
use Canary::Soak::Clients;
use Canary::Soak::Ledger;
use Canary::Soak::Pauses;
use Canary::Soak::Site;

use constant {
    CHECKPOINT => 30,    # seconds
    SAMPLES => 9,    # of memory, before anything is said of it
    GROWTH => 1024,    # KB, from the middle third to the last
};

my $site;
my $main = $$;

END { $site->kill_all() if $site && $$ == $main }


sub main {
    my $scenario = $ENV{SOAK_SCENARIO} || 'storm';
    return Canary::Soak::Pauses::main() if $scenario eq 'pauses';
    die "unknown SOAK_SCENARIO \"$scenario\", it must be \"storm\","
        . " \"page\" or \"pauses\"\n"
        if $scenario ne 'storm';

    my $seconds = $ENV{SOAK_SECONDS} || 600;
    my $seed = $ENV{SOAK_SEED} || time ^ $$;
    $seed = int $seed & 0x7fffffff;

    local $| = 1;
    print "soak: $seconds s, SOAK_SEED=$seed\n";
    srand $seed;

    $site = Canary::Soak::Site->new();
    $site->start();
    my $clients = Canary::Soak::Clients->new($site, $seed);
    my $ledger = Canary::Soak::Ledger->new($site, $clients);
    my $chaos = Canary::Soak::Chaos->new($site, $ledger);

    print 'soak: folder ', $site->t()->dir(), ', ',
        $site->can_fill() ? '' : 'no file system may be mounted, ',
        $site->{bypass} ? '' : 'no canary_bypass, ',
        join(', ', map { "$_ " . $site->t()->port($_) } 0), "\n";

    my $done = eval {
        $clients->start();
        _storm($seconds, $clients, $ledger, $chaos);
        1;
    };
    $ledger->finding("stopped: $@") if !$done;

    $clients->stop();
    $ledger->finish() if $done;
    _memory($ledger, $chaos);
    $site->stop();
    _alerts($ledger, $chaos);
    _summary($ledger, $chaos);

    return $ledger->findings() ? 1 : 0;
}


# each kind of event once, then whatever chance gives
sub _storm {
    my ($seconds, $clients, $ledger, $chaos) = @_;

    my $end = time + $seconds;
    my $next = time + CHECKPOINT;
    my @first = sort { rand() <=> 0.5 } $chaos->kinds();

    while (time < $end || @first) {
        my $kind = shift @first;
        $chaos->act($kind);
        sleep rand 1;

        next if time < $next && time < $end;

        $clients->pause();
        $ledger->checkpoint();
        $clients->resume();
        $next = time + CHECKPOINT;
    }

    # with all variants, so that all of them are shown
    $chaos->_load(
        documents => {blue => '10%', green => '10%'},
        rpc => {rpc_blue => '10%'}
    );
    $clients->pause();
    $ledger->checkpoint();

    return;
}


sub _memory {
    my ($ledger, $chaos) = @_;

    # a sanitizer keeps what was freed
    return if $ENV{ASAN_OPTIONS};

    for my $pid (sort { $a <=> $b } keys %{$chaos->{memory}}) {
        my @samples = @{$chaos->{memory}{$pid}};
        next if @samples < SAMPLES;

        my $third = int @samples / 3;
        for my $of (qw(master worker files)) {
            my @values = map { $_->{$of} } @samples;
            my $was = _median(@values[$third .. 2 * $third - 1]);
            my $is = _median(@values[-$third .. -1]);
            my $unit = $of eq 'files' ? 'files' : 'KB';

            $ledger->{numbers}{"memory $pid $of"} =
                "$values[0], $was, $is $unit in " . @samples . ' samples';
            $ledger->finding("$of of $pid grows: $was to $is $unit")
                if $is > $was + ($of eq 'files' ? 0 : GROWTH);
        }
    }

    return;
}


sub _median {
    my @values = sort { $a <=> $b } @_;

    return $values[@values / 2];
}


# lines of the error log that nothing here has brought about
sub _alerts {
    my ($ledger, $chaos) = @_;

    my $t = $site->t();
    my $log = $t->error_log();
    my $refused = $chaos->{done}{refuse} || 0;
    my %errors;

    for (split /\n/, $log) {
        next if /worker process (\d+) exited on signal 9/ && $t->{killed}{$1};
        next if /\[emerg\].*invalid share "101%"/ && $refused-- > 0;

        if (/\[(?:alert|crit|emerg)\]/) {
            $ledger->finding($_);
        } elsif (/\[(?:warn|error)\] \d+#\d+: (?:\*\d+ )?(.{60})/) {
            $errors{$1 =~ s/\d+/N/gr}++;
        }
    }

    $ledger->{numbers}{"log \"$_\""} = $errors{$_} for keys %errors;
    $ledger->finding($_) for $t->_sanitizer_reports($log);

    return;
}


sub _summary {
    my ($ledger, $chaos) = @_;

    my %numbers = (
        %{$ledger->{numbers}},
        map { ("event $_" => $chaos->{done}{$_}) } keys %{$chaos->{done}}
    );

    print "\n";
    printf "%-60s %s\n", $_, $numbers{$_} for sort keys %numbers;
    printf "%-60s %s\n", 'findings', scalar $ledger->findings();

    return;
}


1;
