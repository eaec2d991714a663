#!/usr/bin/perl

# docs/metrics.md has a row for each metric and for each member of status.json,
# and none for anything else.

use warnings;
use strict;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;
use Text::ParseWords qw(shellwords);

# headings of docs/metrics.md by the level of the table of metrics

my %heading = (
    snapshot => 'Top level',
    split => 'A split',
    gate => 'A gate',
    variant => 'A variant',
    figures => 'Figures',
    event => 'An event',
    journal => 'The journal',
    metrics => 'Metrics',
);

my $root = dirname(dirname(abs_path(__FILE__)));
my $tmp = tempdir('canary_docs_XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $driver = "$tmp/render";

system(
    shellwords($ENV{CC} || 'cc'),
    '-std=c99',
    '-Wall',
    '-Wextra',
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

my (%key, %metric);

for (rendered('table')) {
    chomp;
    my ($level, $key, $name, $type, $labels) = split /\t/;

    $level = 'split' if $level eq 'stage';

    $key{$level}{$key} = 1 if $key ne '-';
    $metric{$name} = [$type, $labels] if $name ne '-';
}

my %docs = documented("$root/docs/metrics.md");

# the members that status.json really has, by level

my $status = decode_json(join '', rendered('json', 'events'));
my $split = $status->{splits}{documents};
my $variant = $split->{variants}{sliceB_documents};
my $event = $split->{events}{document_upload}{sliceB_documents};
my %rendered = (
    snapshot => members($status, 'splits'),
    split => members($split, qw(gates variants events journal)),
    gate => members($split->{gates}[0]),
    variant => members($variant, qw(total stage window)),
    figures => members($variant->{window}),
    event => members($event->{window}),
    journal => members($split->{journal}[0]),
);

for my $level (sort keys %rendered) {
    is_deeply([sort keys %{$docs{$level} || {}}],
        $rendered{$level}, "status.json: $heading{$level}");
}

for my $level (sort keys %key) {
    is_deeply([grep { !$docs{$level}{$_} } sort keys %{$key{$level}}],
        [], "table of metrics: $heading{$level}");
}

is_deeply(
    [sort keys %{$docs{metrics}}],
    [sort keys %metric],
    'every metric, and no other'
);

for my $name (sort keys %metric) {
    my ($type, $labels) = @{$docs{metrics}{$name} || ['', '']};
    is($type, $metric{$name}[0], "$name: type");
    is(join(' ', $labels =~ /`(\w+)`/g), $metric{$name}[1], "$name: labels");
}

# what is scraped is what the table says

my %scraped = map { /^# TYPE (\S+) (\S+)/ ? ($1 => $2) : () }
    rendered('prometheus', 'events');

is_deeply(
    \%scraped,
    {map { $_ => $metric{$_}[0] } keys %metric},
    'a scrape has every metric of the table'
);

done_testing();

###############################################################################

sub rendered {
    my (@args) = @_;

    open(my $pipe, '-|', $driver, @args) or die "$driver: $!";
    my @lines = <$pipe>;
    close $pipe or die "$driver @args: status $?";

    return @lines;
}

# the paths of an object's members; those named are not descended into

sub members {
    my ($object, @leaves) = @_;
    my @paths;

    for my $key (keys %$object) {
        if (ref $object->{$key} eq 'HASH' && !grep { $_ eq $key } @leaves) {
            push @paths, map { "$key.$_" } @{members($object->{$key})};

        } else {
            push @paths, $key;
        }
    }

    return [sort @paths];
}

# level => { first column => [other columns] } of the tables under headings

sub documented {
    my ($path) = @_;
    my (%rows, $level);
    my %level = reverse %heading;

    open(my $file, '<', $path) or die "$path: $!";

    while (<$file>) {
        if (/^#+ (.*)$/) {
            $level = $level{$1};

        } elsif ($level && /^\| `([^`]+)` \| (.*) \|$/) {
            fail("$1 is there twice") if $rows{$level}{$1};
            $rows{$level}{$1} = [split / \| /, $2];
        }
    }

    return %rows;
}
