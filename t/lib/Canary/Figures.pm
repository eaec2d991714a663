package Canary::Figures;

# What a split has counted since it was last asked.
#
#     my $f = Canary::Figures->new($t, 'documents');
#     $t->get('/');
#     $f->counted('a success', canary => { requests => 1, '2xx' => 1,
#         timed => 1 });
#     $f->nothing('a cache hit');
#
# A figure that is not named must not have changed, of no variant: something
# that is counted twice, or late, fails here or at the next question.
#
# Of a variant: requests, errors, fallbacks, aborted, retries, forced, 1xx ..
# 5xx, none, and timed, the number of latencies.  Of the split: unkeyed and
# bypassed.
#
#     success($n), failure($n)    the figures of n requests: answered 200 in
#                                 time, or without an answer
#     latency($variant)           its latency figures, since the start

use strict;
use warnings;

use Test::More;


sub new {
    my ($class, $t, $split) = @_;

    return bless {t => $t, split => $split, before => {}}, $class;
}


sub success {
    my ($n) = @_;

    return {requests => $n, '2xx' => $n, timed => $n};
}


sub failure {
    my ($n) = @_;

    return {requests => $n, errors => $n, none => $n, timed => $n};
}


sub counted {
    my ($self, $label, %expected) = @_;

    my %want;
    for my $variant (keys %expected) {
        if (!ref $expected{$variant}) {
            $want{$variant} = $expected{$variant};
            next;
        }
        for my $name (keys %{$expected{$variant}}) {
            my $value = $expected{$variant}{$name};
            $want{"$variant $name"} = $value if $value;
        }
    }

    # a passage may be counted a moment after the client has its answer
    my (%now, %change);
    $self->{t}->wait_for(
        sub {
            %now = $self->_figures();
            %change = map { ($_ => $now{$_} - ($self->{before}{$_} || 0)) }
                keys %now;
            delete @change{grep { !$change{$_} } keys %change};
            return _text(%change) eq _text(%want);
        },
        5
    );
    $self->{before} = {%now};

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is(_text(%change), _text(%want), $label);
}


sub nothing {
    my ($self, $label) = @_;

    # time for what must not come
    select undef, undef, undef, 0.2;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return $self->counted($label);
}


sub latency {
    my ($self, $variant) = @_;

    my $split = $self->{t}->status()->{splits}{$self->{split}};
    return $split->{variants}{$variant}{total}{latency};
}


sub _figures {
    my ($self) = @_;

    my $split = $self->{t}->status()->{splits}{$self->{split}};
    my %now = map { ($_ => $split->{$_}) } qw(unkeyed bypassed);

    for my $variant (keys %{$split->{variants}}) {
        my $total = $split->{variants}{$variant}{total};
        for my $name (qw(requests errors fallbacks aborted retries forced)) {
            $now{"$variant $name"} = $total->{$name};
        }
        for my $class (keys %{$total->{responses}}) {
            $now{"$variant $class"} = $total->{responses}{$class};
        }
        $now{"$variant timed"} = $total->{latency}{count};
    }

    return %now;
}


sub _text {
    my %figures = @_;

    return join ', ', map { "$_ $figures{$_}" } sort keys %figures;
}


1;
