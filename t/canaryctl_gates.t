#!/usr/bin/perl

# canaryctl status: gates as a table, in the units of their metrics, with the
# reason; events; the time that the stage has left.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 5% stage=s1;\n");
$t->start();
my %settings = (url => $ctl->said_url(), stages => 's1:5%:2h s2:100%:1d');
$ctl->settings(%settings);

sub gate {
    my ($variant, $metric, $rule, $limit, $status, $actual, $window, $reason) =
        @_;

    return {
        variant => $variant,
        metric => $metric,
        rule => $rule,
        limit => $limit,
        status => $status,
        actual => $actual,
        window => $window,
        samples => 77,
        min => 400,
        evidence => 3.24,
        threshold => 7.6914,
        reason => $reason
    };
}

my @gates = (
    gate('sliceB', 'p95', '<=', 0.5, 'pending', 0.3854, 0.391, 'too few'),
    gate('sliceB', 'p99', '<=', 1.5, 'fail', 2, 0.00025, "11\e[31m of 77"),
    gate('sliceB', 'error_rate', '<=', 0.01, 'pass', 0.0028, undef, 'good'),
    gate('sliceB', 'error_rate', 'not_worse', 0.5, 'pass', 0, 0, 'no worse'),
    gate('sliceB', 'throughput', '>=', 50, 'pass', 125.678, 120, 'enough'),
    gate('sliceB', 'event:login', '<=', 0.3333333, 'pass', 0, 0.1, 'rare'),
    gate('sliceB', 'event:ok/all', '>=', 0.995, 'pass', 1, 1, 'all'),
    gate('sliceB', 'event:queue:p95', '<=', 500, 'pass', 12, 13.5, 'short'),
);
my %value = (count => 4, sum => 10, p95 => 4);
$ctl->say(
    gates => \@gates,
    verdict => 'rollback',
    stage => {elapsed => 60},
    events => {
        upload => {
            documents => {stage => {count => 31, unique => 17}},
            sliceB => {stage => {count => 3, unique => 2, value => \%value}}
        }
    }
);

my $r = $ctl->run('status');
is($r->{status}, 0, 'done') or diag($r->{err});

my @table = $r->{out} =~ /^((?:gate|fail|pass|pending) .*)$/mg;
is_deeply(
    [map { [split /  +/, $_] } @table],
    [
        [qw(gate metric limit actual window samples evidence reason)],
        [
            'pending',
            'p95',
            '<= 500 ms',
            '385.4 ms',
            '391 ms',
            '77 of 400',
            '3.2 of 7.7',
            'too few'
        ],
        [
            'fail',
            'p99',
            '<= 1.5 s',
            '2 s',
            '250 us',
            '77 of 400',
            '3.2 of 7.7',
            '11?[31m of 77'
        ],
        [
            'pass', 'error_rate', '<= 1%', '0.28%',
            '-', '77 of 400', '3.2 of 7.7', 'good'
        ],
        [
            'pass', 'error_rate', 'not_worse +50%', '0%',
            '0%', '77 of 400', '3.2 of 7.7', 'no worse'
        ],
        [
            'pass', 'throughput', '>= 50 r/s', '125.68 r/s',
            '120 r/s', '77 of 400', '-', 'enough'
        ],
        [
            'pass',
            'event:login',
            '<= 0.33 r/s',
            '0 r/s',
            '0.1 r/s',
            '77 of 400',
            '3.2 of 7.7',
            'rare'
        ],
        [
            'pass', 'event:ok/all', '>= 99.5%', '100%',
            '100%', '77 of 400', '3.2 of 7.7', 'all'
        ],
        [
            'pass', 'event:queue:p95', '<= 500', '12',
            '13.5', '77 of 400', '3.2 of 7.7', 'short'
        ],
    ],
    'a line for each gate'
);
is(
    scalar(
        grep { index($_, ' of 400') == index $table[1], ' of 400' }
            @table[1 .. $#table]
    ),
    8,
    'in columns'
);

like($r->{out}, qr/^upload +31 +3$/m, 'how often an event came');
like($r->{out}, qr/^ +users +17 +2$/m, 'of how many users');
like($r->{out}, qr/^ +mean +- +2\.5$/m, 'its mean');
like($r->{out}, qr/^ +p95 +- +4$/m, 'its p95');
like(
    $r->{out},
    qr/^stage s1, .*\(60 s\), 119 min 0 s of 2 h 0 min left$/m,
    'the time that is left'
);

# a status of a module that had no evidence in it
delete $_->{evidence} for @gates;
$ctl->say(gates => \@gates);
like(
    $ctl->run('status')->{out},
    qr/^fail .* 77 of 400 +- +11\?/m,
    'no evidence'
);

# with two canaries each line says whose it is
$gates[0]{variant} = 'sliceC';
$ctl->say(gates => \@gates, stage => {elapsed => 7200});
$r = $ctl->run('status');
like($r->{out}, qr/^pending +sliceC +p95 /m, 'two canaries: a column more');
like($r->{out}, qr/\(2 h 0 min\), its 2 h 0 min are over$/m, 'no time is left');

$ctl->say(gates => []);
unlike($ctl->run('status')->{out}, qr/^gate /m, 'no gates, no table');

$ctl->settings(%settings, stages => 'nonsense');
$r = $ctl->run('status');
is($r->{status}, 0, 'a plan that cannot be read stops no status');
like($r->{err}, qr/"nonsense" is not NAME:SHARE:TIME/, 'it is warned of');

$t->no_alerts();

done_testing();
