package Canary::Soak::Tail;

# The lines that were added to files of a folder.
#
#     my $tail = Canary::Soak::Tail->new($dir);
#     my @lines = $tail->lines('access.log');    whole ones, since the last call

use strict;
use warnings;


sub new {
    my ($class, $dir) = @_;

    return bless {dir => $dir, read => {}}, $class;
}


sub lines {
    my ($self, $name) = @_;

    open my $in, '<', "$self->{dir}/$name" or return;
    seek $in, $self->{read}{$name} || 0, 0;
    my $text = do { local $/ = undef; <$in> };
    $text = '' if !defined $text;
    $text = substr $text, 0, 1 + rindex $text, "\n";
    $self->{read}{$name} += length $text;

    return split /\n/, $text;
}


1;
