package Canary::Files;

# Whole files, as bytes.
#
#     read_file($path)           the text
#     write_file($path, @text)   through another name, so that nobody sees half
#                                of it; makes the folders
#
# Both die if it does not work.

use strict;
use warnings;

use Exporter qw(import);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempfile);

our @EXPORT_OK = qw(read_file write_file);


sub read_file {
    my ($path) = @_;

    open my $in, '<:raw', $path or die "$path: $!\n";
    local $/ = undef;
    my $text = <$in>;
    close $in;

    return defined $text ? $text : '';
}


sub write_file {
    my ($path, @text) = @_;

    make_path(dirname($path));
    my ($out, $new) = tempfile("$path.XXXXXX");
    binmode $out;
    print {$out} @text;
    close $out or die "$new: $!\n";
    chmod 0644, $new;
    rename $new, $path or die "$path: $!\n";
    return;
}


1;
