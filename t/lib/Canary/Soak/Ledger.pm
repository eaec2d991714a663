package Canary::Soak::Ledger;

# What clients, nginx and the upstream servers say of the same requests, and
# whether they agree.
#
#     my $ledger = Canary::Soak::Ledger->new($site, $clients);
#     $ledger->killed($pid, sub { ... });    a SIGKILL, done by the sub
#     $ledger->latched(sub { ... });         set by the sub; unlatched(sub ...)
#     $ledger->upgraded($time);              counters go on from a state file
#     $ledger->checkpoint();                 counts; nobody must be under way
#     $ledger->finish();                     all that was decided
#     $ledger->finding($text), findings()
#     $ledger->{numbers}                     for the summary
#
# A request that was under way when its worker was killed may have been counted
# and not logged: so much the counts may differ, and by nothing else.

use strict;
use warnings;

use List::Util qw(max sum0);
use Time::HiRes qw(clock_gettime sleep CLOCK_MONOTONIC);

use Canary;
use Canary::Soak::Decisions;
use Canary::Soak::Tail;

use constant {
    SECOND => 1,    # by which a kill and the end of a request may be apart
    WRITE => 6,    # seconds; the state file is at most so old
    MOST_FINDINGS => 50,
};

my %canaries = (documents => [qw(blue green)], rpc => [qw(rpc_blue)]);
my %split_of = map {
    my $split = $_;
    map { $_ => $split } $split, @{$canaries{$split}}
} keys %canaries;

my @figures = qw(requests forced errors aborted 1xx 2xx 5xx none);


sub new {
    my ($class, $site, $clients) = @_;

    my $self = bless {
        site => $site,
        clients => $clients,
        tail => Canary::Soak::Tail->new($site->t()->dir()),
        origin => Canary::Soak::Tail->new($site->{origin}->dir()),
        records => {},
        logged => {},
        served => {},
        counted => {},    # by master, then "split variant figure"
        base => {},
        kills => [],
        latches => [],
        masters => {},
        findings => [],
        numbers => {checkpoints => 0, lost => 0},
        wrong => $ENV{SOAK_WRONG} || '',
    }, $class;

    return $self;
}


sub now {
    return clock_gettime(CLOCK_MONOTONIC);
}


sub finding {
    my ($self, $text) = @_;

    push @{$self->{findings}}, $text;
    print "FINDING: $text\n" if @{$self->{findings}} <= MOST_FINDINGS;

    return;
}


sub findings {
    my ($self) = @_;

    return @{$self->{findings}};
}


sub killed {
    my ($self, $code) = @_;

    my $from = now();
    $code->();
    push @{$self->{kills}}, [$from - SECOND, now() + SECOND];

    return;
}


# in force from the moment that this returns
sub latched {
    my ($self, $code) = @_;

    my $latch = {maybe => now()};
    push @{$self->{latches}}, $latch;
    $code->();
    $latch->{surely} = now();

    return;
}


sub unlatched {
    my ($self, $code) = @_;

    my $latch = $self->{latches}[-1];
    $latch->{until} = now();
    $code->();
    $latch->{over} = now();

    return;
}


sub upgraded {
    my ($self, $time) = @_;

    $self->{upgrade} = $time;

    return;
}


sub checkpoint {
    my ($self) = @_;

    my @before = $self->findings();
    my ($counters, @wrong);

    # the last of them may still be written down
    for (1 .. 100) {
        $self->_take();
        $counters = $self->_counters();
        @wrong = $self->_compare($counters);
        last if !@wrong;
        sleep 0.05;
    }

    $self->finding("counts: $_") for @wrong;
    $self->{numbers}{checkpoints}++;
    $self->{numbers}{'figures compared'} = keys %$counters;
    $self->{numbers}{lost} += $self->{lost};
    $self->_rebase($counters);

    return;
}


# reads what was written since
sub _take {
    my ($self) = @_;

    my $t = $self->{site}->t();
    my $log = $t->error_log();
    while ($log =~ /\] (\d+)#\d+: start worker process (\d+)/g) {
        $self->{masters}{$2} = $1;
    }

    for my $record ($self->{clients}->records()) {
        $self->{records}{$record->{id}} = $record;
        $self->{recent}{$record->{id}} = $record;
    }

    for my $line ($self->{tail}->lines('soak.log')) {
        my ($id, $msec, $decided, $status, $addr, $statuses, $header) =
               $line =~ /^(\S*) (\S+) (.*) (\d+) "(.*)" "(.*)" "(.*)"$/
            or $self->finding("access log: $line"), next;
        my %l;
        @l{qw(pid generation variant assignment stage)} = split / /, $decided,
            5;
        @l{qw(id msec status addr statuses header)} =
            ($id, $msec, $status, $addr, $statuses, $header);
        push @{$self->{logged}{$id}}, \%l;
        $self->_count(\%l);
    }

    for my $line ($self->{origin}->lines('origin.log')) {
        my ($id, $name) = split / /, $line;
        push @{$self->{served}{$id}}, $name;
    }

    return;
}


# adds one passage to what its master must have counted
sub _count {
    my ($self, $l) = @_;

    return if $l->{addr} eq '-' || $l->{addr} eq '';

    my $split = $split_of{$l->{variant}};
    if (!defined $split) {
        $self->finding("passed on without a variant: $l->{id}");
        return;
    }

    my $master = $self->{masters}{$l->{pid}} || 0;
    my $counted = $self->{counted}{$master} ||= {};
    my $why = $l->{assignment};

    if ($why =~ /^(?:unkeyed|bypassed)$/) {
        $counted->{"$split $why"}++;
    } elsif ($why eq 'forced') {
        $counted->{"$l->{variant} forced"}++;
    } else {
        my ($status) = $l->{statuses} =~ /(\d+)\s*$/;
        my $left = $l->{status} == 499 && $l->{header} eq '-';
        my $class =
              $left || !$status ? 'none'
            : $status =~ /^([125])/ ? "$1xx"
            : 'other';

        $counted->{"$l->{variant} requests"}++;
        $counted->{"$l->{variant} event"}++
            if $split eq 'documents' && $l->{id} !~ /^tunnel/;
        $counted->{"$l->{variant} $class"}++;
        $counted->{"$l->{variant} errors"}++ if $class eq '5xx';
        $counted->{"$l->{variant} aborted"}++ if $left;
    }

    # what is lost by an upgrade at most
    if ($self->{upgrade} && $l->{msec} > $self->{upgrade} - WRITE) {
        $self->{at_risk}++;
    } elsif (!$self->{upgrade}) {
        push @{$self->{times}}, $l->{msec};
    }

    return;
}


# what the module says, as _count() names it
sub _counters {
    my ($self) = @_;

    my $splits = $self->{site}->t()->status()->{splits};
    my %counters;

    for my $split (keys %canaries) {
        for my $why (qw(unkeyed bypassed)) {
            $counters{"$split $why"} = $splits->{$split}{$why};
        }
        for my $name (keys %{$splits->{$split}{variants}}) {
            my $total = $splits->{$split}{variants}{$name}{total};
            $counters{"$name event"} =
                $splits->{$split}{events}{hit}{$name}{total}{count};
            for my $figure (@figures) {
                $counters{"$name $figure"} =
                      $figure =~ /xx|none/
                    ? $total->{responses}{$figure}
                    : $total->{$figure};
            }
        }
    }

    # figures that this build does not have
    delete $counters{$_} for grep { !defined $counters{$_} } keys %counters;

    return \%counters;
}


# what differs between the counters and the log, more than it may
sub _compare {
    my ($self, $counters) = @_;

    my $master = $self->{site}->t()->master();
    my $counted = $self->{counted}{$master} || {};
    my @old = grep { $_ != $master } keys %{$self->{counted}};
    my @wrong;

    $self->{lost} = $self->_lost();

    for my $name (sort keys %$counters) {
        my $base = $self->{base}{$name} || 0;
        my $logged = $counted->{$name} || 0;
        my $more = $counters->{$name} - $base - $logged;
        my ($low, $high) = (0, $self->{lost});

        $more-- if $self->{wrong} eq 'counts' && $name eq 'blue requests';

        if ($self->{upgrade}) {
            my $was = sum0(map { $self->{counted}{$_}{$name} || 0 } @old);
            my $recent =
                grep { $_ > $self->{upgrade} - WRITE } @{$self->{times} || []};
            $more -= $was;
            $low = -($recent + ($self->{at_risk} || 0));
            $self->{numbers}{upgrade_lost} =
                max(-$more, $self->{numbers}{upgrade_lost} || 0);
        }

        push @wrong,
            "$name: counted $counters->{$name}, from $base on $logged"
            . " were logged, $low to $high more may have been"
            if $more < $low || $more > $high;
    }

    return @wrong;
}


# requests that reached an upstream and no log: those of a killed worker
sub _lost {
    my ($self) = @_;

    my $lost = 0;

    for my $record (values %{$self->{recent}}) {
        next if $self->{logged}{$record->{id}};
        next if !$self->{served}{$record->{id}};
        $lost++;
    }

    return $lost;
}


sub _rebase {
    my ($self, $counters) = @_;

    for my $record (values %{$self->{recent}}) {
        $self->_check_record($record);
    }

    # a variant that is not shown now keeps what it has
    for my $name (keys %$counters) {
        $self->{base}{$name} = $counters->{$name};
        delete $_->{$name} for values %{$self->{counted}};
    }

    @$self{qw(recent times)} = ({}, []);
    delete @$self{qw(upgrade at_risk)};

    return;
}


# one request: what became of it, by all three
sub _check_record {
    my ($self, $record) = @_;

    my ($id, $result) = @$record{qw(id result)};
    my @logged = @{$self->{logged}{$id} || []};
    my @served = @{$self->{served}{$id} || []};
    my $killed =
        grep { $record->{start} <= $_->[1] && $record->{end} >= $_->[0] }
        @{$self->{kills}};

    $self->{numbers}{"requests $record->{kind}"}++;
    $self->{numbers}{"result $result, $record->{kind}"}++;

    $self->finding("$id is $result") if $result =~ /^(?:late|refused)$/;
    $self->finding("$id was cut without a kill")
        if $result eq 'cut' && !$killed;

    # a connection that is kept may be closed before a request comes
    $self->finding("$id was closed without a kill")
        if $result eq 'closed'
        && $record->{kind} !~ /^(?:keepalive|rpc|http2)$/
        && !$killed;
    $self->finding("$id is logged and has no answer, without a kill")
        if $result eq 'closed' && @logged && !$killed;
    $self->finding("$id has no line in the log, without a kill")
        if !@logged && (@served || $result eq 'whole') && !$killed;
    $self->finding("$id has @{[scalar @logged]} lines in the log")
        if @logged > 1;
    $self->finding("$id was served @{[scalar @served]} times: @served")
        if @served > 1 || (!@served && $result eq 'whole');

    my $l = $logged[0];
    if ($l && $record->{pid}) {
        my @differ = grep { $l->{$_} ne $record->{$_} }
            qw(pid generation variant assignment stage);
        $self->finding("$id: @differ of answer and log differ") if @differ;
    }
    if ($l && @served && $served[0] ne $l->{variant}) {
        $self->finding("$id: $l->{variant} decided, $served[0] served");
    }

    # what is enough for finish()
    if ($l) {
        $record->{$_} = $l->{$_}
            for qw(pid generation variant assignment stage);
    }
    $record->{served} = $served[0];

    delete $self->{logged}{$id};
    delete $self->{served}{$id};

    return;
}


sub finish {
    my ($self) = @_;

    Canary::Soak::Decisions::check($self);

    return;
}


1;
