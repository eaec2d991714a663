package Canary::Terminal;

# What a terminal makes of text.
#
#     columns($text)       how many columns it takes: wide characters two, by
#                          Unicode's tables as perl has them
#     screen($bytes, $rows, $columns)
#                          the lines that are left on a screen of that size
#                          after such output, without colours; dies of a
#                          sequence that canaryctl has no business to send

use strict;
use warnings;

use Encode qw(decode);
use Exporter qw(import);

our @EXPORT_OK = qw(columns screen);


sub columns {
    my ($text) = @_;

    my $n = 0;
    for my $char (split //, $text) {
        next if $char =~ /[\p{Mn}\p{Me}\p{Cf}]/;
        $n += $char =~ /[\p{Ea=W}\p{Ea=F}]/ ? 2 : 1;
    }
    return $n;
}


sub screen {
    my ($bytes, $rows, $columns) = @_;

    my @lines = ('') x $rows;
    my ($row, $column, $wrap) = (0, 0, 1);
    my $down = sub {
        return if ++$row < $rows;
        $row--;
        shift @lines;
        push @lines, '';
    };

    my $text = decode('UTF-8', $bytes);
    while ($text =~ /\G(?:\e\[([?\d;]*)([A-Za-z])|(.))/gs) {
        my ($numbers, $letter, $char) = ($1, $2, $3);

        if (!defined $char) {
            my $what = "$numbers$letter";
            if ($what eq 'H') {
                ($row, $column) = (0, 0);
            } elsif ($what eq '2J') {
                @lines = ('') x $rows;
            } elsif ($what eq 'J') {
                $lines[$row] = substr $lines[$row], 0, $column;
                @lines[$row + 1 .. $rows - 1] = ('') x ($rows - $row - 1);
            } elsif ($what eq 'K') {
                # behind the last column, that one is cleared
                $column = $columns - 1 if $column >= $columns;
                if (length $lines[$row] > $column) {
                    $lines[$row] = substr $lines[$row], 0, $column;
                }
            } elsif ($what =~ /^\?7([lh])$/) {
                $wrap = $1 eq 'h';
            } elsif ($what !~ /^(?:\?25[lh]|[\d;]*m)$/) {
                die "ESC [ $what\n";
            }
        } elsif ($char eq "\n") {
            $down->();
        } elsif ($char eq "\r") {
            $column = 0;
        } elsif (ord $char < 32) {
            die sprintf "control character %d\n", ord $char;
        } else {
            if ($column >= $columns) {
                $column = $columns - 1;
                if ($wrap) {
                    $column = 0;
                    $down->();
                }
            }
            my $line = $lines[$row];
            $line .= ' ' x ($column - length $line)
                if length $line < $column;
            substr $line, $column, 1, $char;
            $lines[$row] = $line;
            $column++;
        }
    }

    s/ +$// for @lines;
    return @lines;
}


1;
