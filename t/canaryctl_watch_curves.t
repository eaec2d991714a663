#!/usr/bin/perl

# canaryctl watch: its curves, of a history whose course is known.

use strict;
use warnings;
use utf8;

use Encode qw(decode);
use JSON::PP ();
use List::Util qw(max sum0);
use Test::More;

use Canary;
use Canary::Ctl;

binmode $_, ':utf8'
    for Test::More->builder->output,
    Test::More->builder->failure_output;

my @UTF8 = split //, '▁▂▃▄▅▆▇█';
my @ASCII = split //, '_.-:=+*#';

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t);
mkdir $t->dir() . '/told' or die "told: $!\n";
$ctl->settings(url => 'file://%%DIR%%/told', upstream => undef);

# evidence of 7.7 rolls back
sub gate {
    my ($metric, $text, $evidence) = @_;

    return {
        variant => 'new',
        metric => $metric,
        text => $text,
        rule => '<=',
        limit => 1,
        status => 'pending',
        actual => 0.5,
        baseline => 0.25,
        samples => 5,
        min => 10,
        evidence => $evidence,
        threshold => 7.7
    };
}

my %status = (
    generation => 3,
    time => 1763816402,
    splits => {
        old => {
            state => 'active',
            verdict => 'pending',
            generation => 3,
            sentence => 'Nothing speaks against the canary.',
            mood => {word => 'pending', class => 'wait', rank => 4},
            stage => {name => 's1', elapsed => 100},
            gates => [
                gate('p95', 'p95 <= 1s', 1.5),
                gate('p99', 'p99 <= 2s', 3),
                gate('error_rate', 'error_rate <= 1%', 5)
            ],
            variants => {
                old => {role => 'baseline', share => 0.75},
                new => {role => 'canary', share => 0.25}
            }
        }
    }
);
$t->write('told/status.json', JSON::PP::encode_json(\%status));

# points of a series; each of a variant is [errors, samples, p99]
sub series {
    my ($first, $step, $old, $new) = @_;

    my $n = @$new;
    return {
        step => $step,
        t => [map { $first + $_ * $step } 0 .. $n - 1],
        length => [($step) x $n],
        variants => {
            map {
                my ($name, $points) = @$_;
                $name => {
                    errors => [map { $_->[0] } @$points],
                    samples => [map { $_->[1] } @$points],
                    p95 => [(0.001) x $n],
                    p99 => [map { $_->[2] } @$points]
                }
            } ['old', $old],
            ['new', $new]
        }
    };
}

# what is shown of these two series: { TITLE => { canary => CURVE, .. } }
sub curves {
    my (%history) = @_;

    $t->write('told/history.json', JSON::PP::encode_json(\%history));
    my $r = $ctl->run('watch', '--count', '1');
    is($r->{status}, 0, 'a picture') or diag($r->{err});

    my (%curves, $title);
    for (split /\n/, decode('UTF-8', $r->{out})) {
        if (/^(\S.*), (last .*), up to (.*)$/) {
            $title = $1;
            $curves{$title} = {over => $2, top => $3};
        } elsif ($title && /^  (canary|baseline) *? {2}(\S.*?)  (\S.*)$/) {
            $curves{$title}{$1} = $2;
            $curves{$title}{"$1 now"} = $3;
        }
    }
    return \%curves;
}

# the step of $value where the highest is that of $top: none for nothing, one
# for all up to a seventh of the top, and so on
sub step {
    my ($value, $top) = @_;

    return (grep { $value * 7 <= $_ * $top } 0 .. 7)[0];
}

# A young stage: a column for each second.  70 errors of 1000 are the top, so
# each 10 of them are a step.
my @errors = (0, 1, 10, 11, 25, 35, 45, 55, 65, 69, 70, 0, 5);
my @new = map { [$_, 1000, 0.001 * (1 + $_)] } @errors;
my @old = map { [35, 1000, 0.02] } @errors;
$new[4] = [0, 0, undef];
my $young = series(1763816300, 1, \@old, \@new);
my $hour = series(1763812800, 10, [([1, 10, 1]) x 20], [([1, 10, 1]) x 20]);

for my $case (['C', \@ASCII], ['C.UTF-8', \@UTF8]) {
    my ($locale, $glyphs) = @$case;

    $ctl->env()->{LC_ALL} = $locale;
    my $curves = curves(stage => $young, hour => $hour);
    my $rate = $curves->{'error rate'};
    is($rate->{over}, 'last 13 s', "$locale: the stage, as it is young");
    is($rate->{top}, '7%', 'the highest of both sides');
    is(
        $rate->{canary},
        join('', map { $_->[1] ? $glyphs->[step($_->[0], 70)] : ' ' } @new),
        'the canary: a step up for the least error, blank for no request'
    );
    is($rate->{baseline}, $glyphs->[4] x 13, 'the baseline: half as high');
    is($rate->{'canary now'}, '0.5%', 'and the last one');

    my $worst = $curves->{'p99 <= 2s'};
    ok($worst, 'the latency gate with the most evidence')
        or diag(join ', ', keys %$curves);
    is($worst->{top}, '~71 ms', 'about as high');
    is(
        $worst->{canary},
        join('', map { $_->[1] ? $glyphs->[step(1 + $_->[0], 71)] : ' ' } @new),
        'its course'
    );
}

# An older one: the last hour, as many points to a column as it takes, which
# are summed; of quantiles the greatest.
my $n = 360;
@new = map {
    [$_ % 5 + int($_ / 7) % 23, 100 + $_ % 41, 0.1 + $_ % 3 + int($_ / 7) % 19]
} 0 .. $n;
@old = map { [($_ * 11) % 7, 200, 0.5] } 0 .. $n;

# the first second of the hour falls on the beginning of a column of 7
my $first = 70 * 25197000;

sub older {
    my ($from) = @_;

    my ($to, $at) = ($from + $n - 1, $first + 10 * $from);
    my $stage = series($at, 16, [([1, 10, 1]) x $n], [([1, 10, 1]) x $n]);
    return curves(
        stage => $stage,
        hour => series($at, 10, [@old[$from .. $to]], [@new[$from .. $to]])
    );
}

my $curves = older(0);
my $rate = $curves->{'error rate'};
is($rate->{over}, 'last hour', 'the last hour, as the stage is older');

my (@rates, @greatest);
for (my $i = 0; $i < $n; $i += 7) {
    my @points = grep { defined } @new[$i .. ($i + 6 < $n ? $i + 6 : $n - 1)];
    push @rates, sum0(map { $_->[0] } @points) / sum0(map { $_->[1] } @points);
    push @greatest, max(map { $_->[2] } @points);
}
my $top = max(@rates);
is(
    $rate->{canary},
    join('', map { $UTF8[step($_, $top)] } @rates),
    'seven points are a column: errors by samples'
);
$top = max(@greatest);
is(
    $curves->{'p99 <= 2s'}{canary},
    join('', map { $UTF8[step($_, $top)] } @greatest),
    'quantiles: the greatest of them'
);

# a point later, what was drawn stays as it was
my $later = older(1)->{'error rate'}{canary};
is(
    substr($later, 1, -1),
    substr($rate->{canary}, 1, -1),
    'columns stay while time goes on'
);

$t->write('told/history.json', '<html>404</html>');
my $r = $ctl->run('watch', '--count', '1');
is($r->{status}, 0, 'no history');
like($r->{out}, qr/p99 <= 2s/, 'the rest is there');
unlike($r->{out}, qr/, up to /, 'without curves');

done_testing();
