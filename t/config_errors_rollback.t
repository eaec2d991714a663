use strict;
use warnings;

# Mistakes in canary_rollback.

use Test::More;
use Canary::Mistakes;

right("canary c1 5%; canary_rollback $_;")
    for 'auto', 'manual', 'auto false_alarm=1m', 'manual false_alarm=100y',
    'auto false_alarm=90d', 'auto pause=0', 'auto pause=0ms', 'auto pause=1ms',
    'auto pause=300ms', 'auto pause=1', 'manual pause=1s', 'auto pause=1s500ms',
    'auto pause=10s', 'auto pause=10000ms', 'auto fleet=1', 'auto fleet=10000',
    'auto fleet=20 pause=3s false_alarm=30d',
    'auto pause=3s false_alarm=30d fleet=20';

wrong('canary_rollback;', sprintf $arguments, 'canary_rollback');
wrong(
    'canary_rollback auto pause=1s fleet=2 false_alarm=1d pause=1s;',
    sprintf $arguments,
    'canary_rollback'
);
wrong("canary_rollback '$_';",
    "invalid value \"$_\", it must be \"auto\" or \"manual\"")
    for '', 'yes', 'AUTO', 'false_alarm=1d', 'pause=1s';

my $allowed = 'allowed here are "false_alarm=", "pause=" and "fleet="';
wrong("canary_rollback auto $_;", "invalid parameter \"$_\", $allowed")
    for qw(alarm=5d 90d manual pause PAUSE=1s fleets=2);

wrong(
    "canary_rollback auto false_alarm=$_;",
    "invalid \"false_alarm=$_\", it must be a time from 1m to 100y, such as"
        . ' 90d'
) for '', qw(0 59s 1s -1d soon 101y 100ms 99999999999999999999d);

wrong("canary_rollback auto pause=$_;",
    "invalid \"pause=$_\", it must be a time from 0 to 10s, such as 300ms")
    for '', qw(10001ms 11s 1m 10s1ms -1s 1.5s soon 99999999999999999999s);

wrong("canary_rollback auto fleet=$_;",
    "invalid \"fleet=$_\", it must be a number of machines from 1 to 10000")
    for '', qw(0 10001 -1 1.5 2s many 99999999999999999999);

wrong("canary_rollback auto $_ $_;", "duplicate parameter \"$_\"")
    for qw(false_alarm=1d pause=0 pause=1s fleet=2);
wrong('canary_rollback auto pause=1s fleet=2 pause=2s;',
    'duplicate parameter "pause=2s"');

wrong(
    "canary_rollback auto;\ncanary_rollback auto;@@",
    directive('canary_rollback', 'is duplicate')
);

$t->no_alerts();
done_testing();
