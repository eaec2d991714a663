#!/usr/bin/perl

# What the renderers write is what others read: Prometheus' own parsers for
# metrics, jq for JSON.

use warnings;
use strict;

use Cwd qw(abs_path);
use Encode qw(decode FB_CROAK);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;
use Text::ParseWords qw(shellwords);

my $root = dirname(dirname(abs_path(__FILE__)));
my $tmp = tempdir('canary_render_XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $driver = "$tmp/render";

my @pictures = qw(sample gated events quiet rolled hostile full none);

system(
    shellwords($ENV{CC} || 'cc'),
    '-std=c99',
    '-Wall',
    '-Wextra',
    '-Werror',
    shellwords($ENV{CFLAGS} || '-O2 -g'),
    '-o',
    $driver,
    "$root/t/unit/driver/render.c",
    glob("$root/src/render/*.c"),
    "$root/src/pure/ngx_canary_hist.c",
    "$root/src/pure/ngx_canary_history.c",
    "$root/src/pure/ngx_canary_interval.c",
    shellwords($ENV{LDFLAGS} || ''),
    '-lm'
) == 0 or die 'the driver does not compile';

for my $picture (@pictures) {
    my $metrics = rendered('prometheus', $picture);

    my ($status, $said) = piped($metrics, 'promtool check metrics');
    is($status, 0, "$picture: promtool accepts the metrics");
    is($said, '', "$picture: promtool has nothing to say");

    ($status, $said) = openmetrics(rendered('openmetrics', $picture));
    is($status, 0, "$picture: Prometheus reads the OpenMetrics")
        or diag($said);

    ($status, $said) = piped(rendered('json', $picture), 'jq -e .splits');
    is($status, 0, "$picture: jq reads the JSON") or diag($said);
}

like(
    (piped(rendered('prometheus', 'sample') . 'x{', 'promtool check metrics'))
    [1],
    qr/./,
    'promtool would speak up'
);
isnt((openmetrics(rendered('openmetrics', 'sample') =~ s/# EOF//r))[0],
    0, 'Prometheus would refuse');

# jq and browsers mend what is no UTF-8: nothing may be left to mend

for my $format (qw(json prometheus openmetrics page state error)) {
    my $text = rendered($format, 'hostile');
    ok(eval { decode('UTF-8', $text, FB_CROAK); 1 }, "$format is UTF-8");
}

is(
    (piped(rendered('json', 'hostile'), 'jq -j ".splits|keys[0]"'))[1],
    "a\"b\\c\nd{e}<script>alert('x')</script>&"
        . "\xef\xbf\xbd" x 6
        . "\xe2\x82\xac\0z\x1b\x7f",
    'a hostile name survives JSON'
);

is(
    (piped(rendered('state'), 'jq -c "keys_unsorted"'))[1],
    qq(["split","state","reason","generation","changed","written"]\n),
    'members of an answer'
);
is((piped(rendered('error'), 'jq -r .error'))[1],
    "documents\n", 'text of an error');

done_testing();

###############################################################################

sub rendered {
    my ($format, @picture) = @_;

    open(my $pipe, '-|', $driver, $format, @picture) or die "$driver: $!";
    binmode $pipe;
    local $/;
    my $text = <$pipe>;
    close $pipe or die "$driver $format @picture: status $?";

    return $text;
}

# standard output and error of a command that reads a text

sub piped {
    my ($text, $command) = @_;

    open(my $file, '>', "$tmp/input") or die "$tmp/input: $!";
    binmode $file;
    print $file $text;
    close $file;

    my $said = `$command < $tmp/input 2>&1`;

    return ($? >> 8, $said);
}

# Prometheus reads OpenMetrics to fill a database; for that each sample needs a
# time, which the endpoint leaves to the scrape.

sub openmetrics {
    my ($text) = @_;

    $text =~ s/^([^#].*)$/$1 1763845812.123/mg;

    return piped($text,
        "promtool tsdb create-blocks-from openmetrics /dev/stdin $tmp/blocks");
}
