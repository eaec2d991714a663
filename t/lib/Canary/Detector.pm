package Canary::Detector;

# What the evidence of a gate must be, by the papers that it is of, from what
# status.json says was judged tick by tick: the oracle for whoever feeds the
# detector.  For streams of less than two minutes whose baseline has nothing
# bad: these are taken to come in clusters of nine.
#
#     my $watch = Canary::Detector->watch($t);  # before the stream begins
#     $watch->look() while ...;            # more often than once a second
#     $watch->gap() < 0.9 or ...           # else it has missed a tick
#     my $o = $watch->replay('documents', 0, limit => 0.01, pause => 1);
#     is($o->{evidence}, ...)              # log10, 0 at least
#     is($o->{held}, ...)                  # ticks that were cut
#
#     replay($split, $gate, %opts)   by the split's name and the gate's index
#         limit   part of the trials, or events a second, that may be bad;
#                 not of a pair: there it is what was expected by what came
#         stream  limit, pair or rate ('limit')
#         pause   of canary_rollback, in seconds (1)

use strict;
use warnings;

use List::Util qw(max min sum);
use Time::HiRes qw(time);

use constant RATIOS => (1.25, 1.5, 2, 4, 8, 32);
use constant STAKES => (0.03, 0.08, 0.2, 0.4, 0.7, 0.95);

# half as much again as clusters of nine, less what one alone pays
use constant DISPERSION => 1.5 * 9 - 0.6;

# what does not speak against the limit adds up to R = 1000 at most
use constant SILENT => 6.9;


sub watch {
    my ($class, $t) = @_;

    my $self = bless {t => $t, seen => [], gap => 0, last => time}, $class;
    $self->look();
    return $self;
}


sub look {
    my ($self) = @_;

    my $splits = $self->{t}->status()->{splits};
    push @{$self->{seen}}, {map { ($_ => $splits->{$_}{gates}) } keys %$splits};

    my $now = time;
    $self->{gap} = max($self->{gap}, $now - $self->{last});
    $self->{last} = $now;

    return $splits;
}


sub gap {
    my ($self) = @_;

    return $self->{gap};
}


sub replay {
    my ($self, $split, $index, %opts) = @_;

    my %o = (stream => 'limit', pause => 1, %opts);
    my @gates = map { $_->{$split}[$index] } @{$self->{seen}};
    @gates = grep { $_->{stream} == $gates[-1]{stream} } @gates;
    my $cap = $gates[-1]{threshold} * log(10) / ($o{pause} + 5);
    my @alternatives = $o{stream} eq 'pair' ? RATIOS : (RATIOS, STAKES);
    my %d = (
        r => [map { 0 } @alternatives],
        cap => $o{pause} ? $cap : 9**9**9,
        rate => 0,
        held => 0
    );

    my %last;
    for my $gate (@gates) {
        my ($n, $bad, $expected) = map { ($gate->{$_} || 0) - ($last{$_} || 0) }
            qw(trials bad expected);
        %last = %$gate;
        next if $n <= 0;
        my $limit = $o{stream} eq 'pair' ? $expected / $n : $o{limit};
        _tick(\%d, \%o, $n, $bad, $limit);
    }

    return {
        evidence => max(0, _evidence(\%d) / log 10),
        held => $d{held},
        counted => $d{held} * $cap / log(10)
    };
}


sub _tick {
    my ($d, $o, $n, $bad, $limit) = @_;

    my $most = $o->{stream} eq 'rate' ? $n : max($n, $d->{rate});
    my $more = sub {
        my ($ratio) = @_;
        return $o->{stream} eq 'rate'
            ? $limit * ($ratio - 1)
            : log(1 + ($ratio - 1) * $limit);
    };
    my @factors = map { $bad * log($_) - $n * $more->($_) } RATIOS;
    push @factors, map { log(1 + $_ * ($bad / $limit - $n) / $most) } STAKES
        if $o->{stream} ne 'pair';

    my $cut = 0;
    for my $i (0 .. $#factors) {
        my $factor = $factors[$i] / DISPERSION;
        $cut = 1 if $factor > $d->{cap};
        $factor = min($factor, $d->{cap});
        my $r = $d->{r}[$i];
        my $next = (1 + $r) * exp($factor);
        $next = max($r, min($next, exp(SILENT) - 1))
            if $factor <= 0 && $next > $r;
        $d->{r}[$i] = $next;
    }

    $d->{rate} += 0.01 * ($n - $d->{rate});
    $d->{held} += $cut;
    $d->{held} = 0 if _evidence($d) < 0;

    return;
}


sub _evidence {
    my ($d) = @_;

    my $mean = sum(@{$d->{r}}) / @{$d->{r}};
    return $mean > 0 ? log $mean : -708;
}


1;
