package Canary::Chart;

# A chart of the page, read back: its paths are turned into values by the
# labels of its axes, as somebody who looks at it does.
#
#     my $chart = Canary::Chart->new($page, 'errors-hour', near => time);
#     $chart->path('curve v1')     its stretches, of [x, y] each, in the units
#                                  of the labels: seconds, fractions, powers of
#                                  ten; a time of day is the one closest to
#                                  "near"; log => 1 has both axes logarithmic
#     $chart->slack($axis, $at)    what a unit of the drawing is worth there;
#                                  'x' or 'y'
#     $chart->top()                the value at the upper edge
#     $chart->caption()            as text
#     $chart->marks()              [x, name or undef] of the dotted lines
#
# new() dies where labels are not beside the lines that they name, or are not
# evenly on their axis.

use strict;
use warnings;

use List::Util qw(max min);

# pixels from a line to the foot of its label: above it, or below at the top
use constant {ABOVE => 4, BELOW => 12};

my %units = ('&micro;s' => 1e-6, ms => 1e-3, s => 1);


sub new {
    my ($class, $page, $id, %opts) = @_;

    my ($figure) = $page =~ m{(<figure [^>]*\bid="$id".*?</figure>)}s
        or die "no chart \"$id\"\n";
    my ($top, $height, $wide, $high, $plot) =
        $figure =~ m{<svg\ y="(\d+)"\ height="(\d+)"
            \ viewBox="0\ 0\ (\d+)\ (\d+)"[^>]*>(.*?)</svg>}xs
        or die "no plot in \"$id\"\n";

    my $self = bless {
        id => $id,
        figure => $figure,
        plot => $plot,
        wide => $wide,
        high => $high,
        %opts
    }, $class;

    my @texts = map { _text($_) } $figure =~ m{<text (.*?</text>)}g;
    my @lines = map { $_->[0][1] } $self->_stretches('grid');

    my @y = grep { !defined $_->{x} && !defined $_->{dx} } @texts;
    for my $label (@y) {
        my ($line) = grep {
            my $at = $top + $_ * $height / $high;
            abs($at - ABOVE - $label->{y}) <= 1
                || abs($at + BELOW - $label->{y}) <= 1
        } @lines;
        die "\"$label->{text}\" of \"$id\" is beside no line\n"
            if !defined $line;
        $label->{at} = $line;
    }
    $self->{y} = $self->_axis(@y);

    my @x = grep { ($_->{class} || '') eq 'mid' } @texts;
    $_->{at} = $_->{x} / 100 * $wide for @x;
    $self->{x} = $self->_axis(@x);

    return $self;
}


sub path {
    my ($self, $class) = @_;

    return map {
        [map { [$self->_value('x', $_->[0]), $self->_value('y', $_->[1])] } @$_]
    } $self->_stretches($class);
}


sub slack {
    my ($self, $axis, $value) = @_;

    my ($from, $scale) = @{$self->{$axis}};

    return $self->{log} ? $value * (exp(abs $scale) - 1) : abs $scale;
}


sub top {
    my ($self) = @_;

    return $self->_value('y', 0);
}


sub caption {
    my ($self) = @_;

    my ($text) = $self->{figure} =~ m{<figcaption>(.*?)</figcaption>}s;
    $text =~ s/<.*?>//g;

    return _plain($text);
}


sub marks {
    my ($self) = @_;

    my @marks;
    while (
        $self->{figure} =~ m{<line\ class="mark"[^>]*\ x1="([\d.]+)%"[^>]*>
            (?:<text[^>]*>(.*?)</text>)?}xg
        )
    {
        push @marks,
            [
            $self->_value('x', $1 / 100 * $self->{wide}),
            defined $2 ? _plain($2) : undef
            ];
    }

    return @marks;
}


# a text's attributes, and its text
sub _text {
    my ($element) = @_;

    my ($attributes, $text) = $element =~ m{^([^>]*)>(.*)</text>};
    my %label = $attributes =~ /(\w+)="([^"%]*)%?"/g;

    return {%label, text => $text};
}


sub _plain {
    my ($html) = @_;

    my %entities = (lt => '<', gt => '>', amp => '&', quot => '"');
    $html =~ s/&(lt|gt|amp|quot);/$entities{$1}/g;

    return $html;
}


# [value at 0, what a unit adds], on a logarithmic axis of the logarithm
sub _axis {
    my ($self, @labels) = @_;

    die "fewer than two labels in \"$self->{id}\"\n" if @labels < 2;

    for my $label (@labels) {
        $label->{value} = $self->_read($label->{text});
        $label->{value} = log $label->{value} if $self->{log};
    }

    my ($first, @more) = sort { $a->{at} <=> $b->{at} } @labels;
    my $last = $more[-1];
    my $scale =
        ($last->{value} - $first->{value}) / ($last->{at} - $first->{at});
    my $from = $first->{value} - $first->{at} * $scale;

    for my $label (@labels) {
        my $off = abs($from + $label->{at} * $scale - $label->{value});
        die "\"$label->{text}\" of \"$self->{id}\" is beside its place\n"
            if $off > 1.5 * abs $scale;
    }

    return [$from, $scale];
}


# a label's value
sub _read {
    my ($self, $text) = @_;

    return $1 if $text =~ /^10\^([\d.]+)$/;
    return $1 / 100 if $text =~ /^([\d.]+)%$/;
    return $1 * $units{$2} if $text =~ /^([\d.]+) (\S+)$/ && $units{$2};

    my ($hours, $minutes, $seconds) = $text =~ /^(\d\d):(\d\d)(?::(\d\d))?$/
        or die "\"$text\" is no label of an axis\n";
    my $time = $hours * 3600 + $minutes * 60 + ($seconds || 0);

    return $time + 86_400 * sprintf '%.0f',
        (($self->{near} || 0) - $time) / 86_400;
}


sub _value {
    my ($self, $axis, $at) = @_;

    my ($from, $scale) = @{$self->{$axis}};
    my $value = $from + $at * $scale;

    return $self->{log} ? exp $value : $value;
}


# M x y begins one, pairs behind l are steps, h0 makes a point a dot
sub _stretches {
    my ($self, $class) = @_;

    my ($path) = $self->{plot} =~ m{<path class="$class" d="([^"]*)"/>}
        or die "no \"$class\" in \"$self->{id}\"\n";
    my @stretches;

    while ($path =~ /\G(?:M(\d+) (\d+)|[l ]?(-?\d+)[ ]?(-?\d+)|(h0|z))/gc) {
        if (defined $1) {
            push @stretches, [[$1, $2]];

        } elsif (defined $3) {
            my $last = $stretches[-1][-1];
            push @{$stretches[-1]}, [$last->[0] + $3, $last->[1] + $4];
        }
    }
    die "\"$class\" of \"$self->{id}\" is no path: $path\n"
        if (pos($path) || 0) < length $path;

    for (map { @$_ } @stretches) {
        die "\"$class\" of \"$self->{id}\" leaves its plot\n"
            if min(@$_) < 0
            || $_->[0] > $self->{wide}
            || $_->[1] > $self->{high};
    }

    return @stretches;
}


1;
