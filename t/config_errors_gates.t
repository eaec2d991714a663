use strict;
use warnings;

# Mistakes in canary_gate and canary_window.

use Test::More;
use Canary::Mistakes;

# canary_gate

right("canary c1 5%; canary_gate $_;")
    for 'p50 <= 1us', 'p95 <= 1000s', 'p99 <= 1m min=1',
    'p999 <= 999ms min=1000000000', 'p90 <= 2500ms', 'error_rate <= 0%',
    'error_rate <= 99.9999%', 'error_rate <= 0.0001%',
    'error_rate not_worse', 'error_rate not_worse margin=0%',
    'abort_rate <= 2%', 'abort_rate not_worse margin=50% min=5',
    'retry_rate <= 99.9999%', 'retry_rate not_worse',
    'p95 not_worse min=5 margin=1000%', 'throughput >= 0.5r/s',
    'throughput >= 3000r/m';
right('canary c1 5%; canary_gate p95 <= 1s; canary_gate p95 not_worse;');
right('canary c1 5%; canary_gate p95 <= 1s; canary_gate p99 <= 1s;');
right('canary_gate p95 <= 1s;');

my $metrics =
      'it must be one of p50, p90, p95, p99, p999, error_rate, abort_rate,'
    . ' retry_rate, throughput, event:NAME, event:NAME/NAME, event:NAME:mean'
    . ' or a quantile as event:NAME:p95';

wrong('canary_gate p95;', sprintf $arguments, 'canary_gate');
wrong('canary_gate p95 <=;', directive('canary_gate', 'has no limit'));
wrong("canary_gate '$_' <= 1s;", "unknown metric \"$_\", $metrics")
    for '', 'p96', 'P95', 'p9', 'p9999', 'errors', 'error_rate ', 'aborted',
    'abort_rates', 'retries', 'event:', 'event', 'event:a b', 'event:a/',
    'event:/a', 'event:a/b/c', 'event:a:',
    'event:a:p96', 'event:a:max', 'event:a:error_rate', 'event:a:throughput',
    'event:caf\\xc3\\xa9';
wrong("canary_gate p95 '$_' 1s;",
    "invalid rule \"$_\", it must be \"<=\", \">=\" or \"not_worse\"")
    for '', '<', '=', '=<', '>', 'NOT_WORSE', 'worse';

for my $rule (
    ['p95', '>=', '"<=" or "not_worse"'],
    ['error_rate', '>=', '"<=" or "not_worse"'],
    ['abort_rate', '>=', '"<=" or "not_worse"'],
    ['retry_rate', '>=', '"<=" or "not_worse"'],
    ['throughput', '<=', '">="'],
    ['throughput', 'not_worse', '">="'],
    ['event:a', 'not_worse', '"<=" or ">="'],
    ['event:a/b', 'not_worse', '"<=" or ">="'],
    ['event:a:p95', '>=', '"<="'],
    ['event:a:mean', 'not_worse', '"<="']
    )
{
    my ($metric, $op, $allowed) = @$rule;
    wrong("canary_gate $metric $op 1;",
        "invalid rule \"$op\" for \"$metric\", it must be $allowed");
}

sub limit {
    my ($metric, $op, $allowed, @values) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    wrong("canary_gate $metric $op '$_';",
        "invalid limit \"$_\" for \"$metric\", it must be $allowed")
        for @values;
    return;
}

my $percents = 'with at most four decimals';
limit(
    'p95',
    '<=',
    'a time from 1us to 1000s of at most three significant digits',
    '',
    '5 ms',
    qw(0 0ms -1ms 1001ms 1234ms 1001s 1010s 17m 1.5s ms 5h 1e3ms),
    qw(18446744073709551617us 500msmin=5)
);
limit(
    'error_rate',
    '<=',
    "a percentage from 0% to less than 100% $percents",
    '',
    '1,5%',
    qw(100% 100.0001% 101% 1000% -1% .5% 5.% % 5 5%% 0.00001% 0x1% nan%),
    qw(99999999999999999999%)
);
limit(
    $_, '<=',
    "a percentage from 0% to less than 100% $percents",
    qw(100% -1% 5 500ms)
) for 'abort_rate', 'retry_rate';
limit('throughput', '>=', 'a rate such as 50r/s or 20r/m',
    '',
    qw(0 0r/s 0r/m 50 r/s -1r/s .5r/s 5.r/s 5r/h 50R/s 1r/s/s 0.0000001r/s));
my @rates = (
    qw(0r/s 0r/m 5 0.5 5r/h 5r r/m -1 -1r/m 00 0.0 .5r/m 5.r/m 1e3r/s),
    qw(5R/M 5r/m/m 0.0000001r/s 1.2345678r/m 0.000059r/m),
    qw(99999999999999999999r/s),
    '5 r/m',
    '1,5r/s'
);
limit('event:a', '<=', 'a rate such as 20r/m or 50r/s, or 0', @rates);
limit('event:a', '>=', 'a rate such as 20r/m or 50r/s, or 0', @rates, '0');

# a lost decimal makes another limit: none is cut
my @parts = ('1,5%', qw(5 .5% 5.% -1% 99.99999% 0.00001% 1.234567% 100.0001%));
limit('event:a/b', '>=', "a percentage above 0%, up to 100%, $percents",
    @parts, qw(0% 0.0000% 101%));
limit('event:a/b', '<=', "a percentage from 0% to less than 100% $percents",
    @parts, qw(100% 100.0000%));
limit(
    $_,
    '<=',
    'a number from 0.001 to 1000000 of at most three significant digits',
    '',
    qw(0 0.0001 0.0005 0.9999 30.55 1234 1.234 123400 1000001 1e3 -1 5ms),
    '1,5',
    qw(.5 5. 0x10 5%)
) for 'event:a:p95', 'event:a:mean';

wrong("canary_gate p95 <= 1s min=$_;",
    "invalid \"min=$_\", it must be a number of samples from 1 to 1000000000")
    for '', qw(0 -1 1.5 abc 1000000001 99999999999999999999 1k);
wrong(
    "canary_gate p95 not_worse margin=$_;",
    "invalid \"margin=$_\", it must be a percentage from 0% to 1000% with at"
        . ' most four decimals'
) for '', qw(-1% 50 1000.0001% .5% 5.% 0.00001% %);
wrong("canary_gate p95 <= 1s $_;",
    "invalid parameter \"$_\", allowed here is \"min=\"")
    for qw(max=5 margin=5% 5 MIN=5);
wrong("canary_gate p95 not_worse $_;",
    "invalid parameter \"$_\", allowed here are \"margin=\" and \"min=\"")
    for qw(max=5 5%);
wrong("canary_gate p95 $_->[0] $_->[1];", "duplicate parameter \"$_->[1]\"")
    for ['<= 1s min=5', 'min=5'], ['not_worse margin=1%', 'margin=2%'],
    ['not_worse min=5 margin=1%', 'min=6'];

for my $pair (
    ['p95 <= 1s', 'p95 <= 2s'],
    ['p95 <= 1s', 'p95 <= 1s min=5'],
    ['p95 not_worse', 'p95 not_worse margin=5%'],
    ['throughput >= 1r/s', 'throughput >= 60r/m']
    )
{
    my ($gate) = $pair->[1] =~ /^(\S+ \S+)/;
    wrong("canary_gate $pair->[0];\ncanary_gate $pair->[1];@@",
        "duplicate gate \"$gate\"");
}

my @many = map { "canary_gate event:e$_ <= 1r/s;\n" } 1 .. 33;
wrong(join('', @many) =~ s/\n\z/@@/r,
    'too many gates with "event:e33", at most 32 are allowed');


# canary_window

right("canary c1 5%; canary_window $_;") for qw(10s 24h 1440m 10 1h30m);

wrong('canary_window 10s 10s;', sprintf $arguments, 'canary_window');
wrong("canary_window '$_';",
    "invalid window \"$_\", it must be a time from 10s to 24h")
    for '', qw(0 9s 9 9999ms 24h1s 25h 2d -10s 10x soon 1.5m),
    '99999999999999999999s';
wrong(
    "canary_window 10s;\ncanary_window 10s;@@",
    directive('canary_window', 'is duplicate')
);

$t->no_alerts();
done_testing();
