#!/usr/bin/perl

# canaryctl watch: no line is wider than 80 columns, and nothing that others
# wrote reaches the terminal as more than text, whatever splits are called.

use strict;
use warnings;
use utf8;

use Encode qw(decode encode);
use JSON::PP ();
use Test::More;

use Canary;
use Canary::Ctl;
use Canary::Terminal qw(columns);

binmode $_, ':utf8'
    for Test::More->builder->output,
    Test::More->builder->failure_output;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t);
mkdir $t->dir() . '/told' or die "told: $!\n";
$ctl->settings(url => 'file://%%DIR%%/told', upstream => undef);

# a split of which every text is one of @names, in turn
sub split_of {
    my ($rank, @names) = @_;

    my ($old, $new, $other) = map { $names[$_ % @names] . $_ } 0 .. 2;
    my $text = join ' ', @names;
    my @gates = map {
        {
            variant => $_,
            metric => "event:$text",
            text => "$text <= 1",
            rule => '<=',
            limit => 1,
            status => $text,
            actual => 123456.789,
            baseline => 0.000123456,
            samples => 5,
            min => 10,
            evidence => 123.4,
            threshold => 7.7
        }
    } $new, $other;

    return (
        $old,
        {
            state => 'active',
            verdict => 'pending',
            generation => 123456789,
            reason => $text,
            sentence => "In doubt: $text, " x 9,
            mood => {word => $text, class => 'warn', rank => $rank},
            stage => {name => $text, elapsed => 1e9},
            gates => \@gates,
            journal => [{time => 1, event => $text, text => $text}],
            variants => {
                $old => {role => 'baseline', share => 0.7},
                $new => {role => 'canary', share => 0.1},
                $other => {role => $text, share => 0.2},
            }
        }
    );
}

sub shown {
    my (%splits) = @_;

    my %points = (errors => [1], samples => [3], p95 => [0.5]);
    my %series = (
        step => 1,
        t => [0],
        length => [1],
        variants => {map { %{$_->{variants}} } values %splits}
    );
    $_ = \%points for values %{$series{variants}};

    $t->write(
        'told/status.json',
        JSON::PP::encode_json(
            {generation => 1, time => 2e9, splits => \%splits}
        )
    );
    $t->write('told/history.json', JSON::PP::encode_json({hour => \%series}));

    my $r = $ctl->run('watch', '--count', '1');
    is($r->{status}, 0, 'shown') or diag($r->{err});
    return decode('UTF-8', $r->{out}, Encode::FB_CROAK);
}

sub fits {
    my ($text, $name) = @_;

    my @wide = grep { columns($_) > 80 } split /\n/, $text;
    is_deeply(\@wide, [], "$name: at most 80 columns");
    unlike($text, qr/[^\n\P{C}]|\p{Zl}|\p{Zp}/, "$name: nothing but text");
    return;
}

my %names = (
    'long' => ['w' x 255],
    'wide' => ['漢' x 85, '한국어' x 28, "\x{1f600}" x 60],
    'wide by half' => [map { 'a' x $_ . '宽' x 80 } 0 .. 2],
    'combining' => ["e\x{301}" x 85, "a" . "\x{489}" x 100, "\x{301}" x 80],
    'emoji of a kind' => ["\x{2764}\x{fe0f}" x 40, "\x{1f1e9}\x{1f1ea}" x 30],
    'commands' => ["\e[2J\e]0;x\a\r\n", "\x{9b}31m\x{7f}", "\t\t\0"],
    'turned around' => ["\x{202e}abc\x{2066}", "\x{200b}\x{feff}"],
    'of nobody' => ["\x{e000}\x{378}\x{fffe}", "\x{10ffff}", "\x{2028}x"],
    'nothing' => [''],
    'expressions' => ['\\(1)"$x`id`', '%s%n', "'"]
);

for my $locale ('C.UTF-8', 'C') {
    $ctl->env()->{LC_ALL} = $locale;

    for my $name (sort keys %names) {
        next if $locale eq 'C' && $name !~ /^(?:wide|commands)$/;
        my $text = shown(split_of(5, @{$names{$name}}));
        fits($text, "$name, $locale");
        like($text, qr/, up to 33\.3%$/m, 'all of it is there');
        unlike($text, qr/[^\n -~]/, 'in ASCII') if $locale eq 'C';
    }

    # the same, in one line each
    my $text = shown(map { split_of(ord, @{$names{$_}}) } sort keys %names);
    fits($text, "overview, $locale");
    is(scalar(() = $text =~ /\n/g), 3 + keys %names, 'a line for each');
}

# All characters that take two columns, by perl's tables: never counted as one.
# What canaryctl's jq does not know is shown as "?".
my @wide;
for my $code (0x1100 .. 0x1faff, 0x20000 .. 0x20010) {
    next if $code >= 0x3500 && $code < 0xa400 && $code % 64;
    next if $code >= 0xac00 && $code < 0xf900 && $code % 64;
    next if $code >= 0xd800 && $code < 0xe000;
    push @wide, chr $code if chr($code) =~ /[\p{Ea=W}\p{Ea=F}]/;
}
cmp_ok(scalar @wide, '>', 1500, 'many wide characters');

my @rows =
    map {
    join '',
        grep { defined }
        @wide[15 * $_ .. 15 * $_ + 14]
    } 0 .. $#wide / 15;
my %splits;
for my $i (0 .. $#rows) {
    my ($name, $split) = split_of(1, 'x');
    $split->{mood}{word} = 'off';
    $splits{$rows[$i] . 'x' x 30 . $i} = $split;
}
$ctl->env()->{LC_ALL} = 'C.UTF-8';
my $text = shown(%splits);
fits($text, 'wide characters');
my @rows_shown = grep { /off/ } split /\n/, $text;
is(scalar @rows_shown, scalar @rows, 'a line for each');
my @over =
    grep { !/^(.*…) * \d+% [+] / || columns($1) > 15 + 33 } @rows_shown;
is_deeply(\@over, [], 'names are cut at 33 columns');

# and letters of one column are not counted as two, nor are their accents
my $letters = 'Größe Ελληνικά Кириллица';
my ($name, $split) = split_of(1, $letters . "e\x{301}" x 6);
$text = shown($name => $split, other => $split);
like($text, qr/\Q$name\E/, 'a name of letters is whole');

done_testing();
