#!/usr/bin/perl

# collect-evidence.sh: where figures come from, and how they are held against
# their targets.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Evidence;

my $t = Canary->new();
my $ev = Canary::Evidence->new(
    $t,
    split => "canary sliceB 50% stage=s1;\n",
    sources => ''
);
my $dir = $t->dir();
my $prometheus = 'http://127.0.0.1:' . $t->port(5);

# what Prometheus answers, by the query
my %answer = (
    one =>
        '{"resultType":"vector","result":[{"metric":{},"value":[1,"0.45"]}]}',
    scalar => '{"resultType":"scalar","result":[1,"12.5"]}',
    none => '{"resultType":"vector","result":[]}',
    two => '{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]},'
        . '{"metric":{},"value":[1,"2"]}]}',
    nan => '{"resultType":"vector","result":[{"metric":{},"value":[1,"NaN"]}]}',
    inf =>
        '{"resultType":"vector","result":[{"metric":{},"value":[1,"+Inf"]}]}',
    range => '{"resultType":"matrix","result":[]}',
);
my $empty = '{"resultType":"matrix","result":[]}';
$t->http_upstream($t->port(1), name => 'old');
$t->http_upstream($t->port(2), name => 'new');
$t->http_upstream(
    $t->port(5),
    status => sub { $_[0]{uri} =~ /query=wrong/ ? 400 : 200 },
    body => sub {
        my ($query) = $_[0]{uri} =~ /query=([^&]*)/;
        return '<html>' if $query eq 'html';
        return '{"status":"error","errorType":"bad_data","error":"no good"}'
            if $query eq 'wrong';
        my $data = $answer{$query} || $empty;
        return qq({"status":"success","data":$data});
    }
);
$t->start();
$t->get("/?user=$_") for 1 .. 100;
my $seen = $t->seen($t->port(2));

$t->write('tool', "#!/bin/sh\n" . <<'SH');
case $1 in
value) echo "${2-}" ;;
args) echo "$#"; printf '%s\n' "$@" > "$(dirname "$0")/args" ;;
fail) echo "no database" >&2; exit 3 ;;
hang) exec sleep 30 ;;
esac
SH
chmod 0755, "$dir/tool";

# section, target, kind, expression => status, actual
my @rows = (
    ["= $seen", 'status', '.variants[$variant].stage.requests', 'pass', $seen],
    ['-', 'status', '.variants[$variant].stage.requests', 'recorded', $seen],
    ['> 0', 'status', '.variants[$baseline].stage.requests | . * 0', 'fail', 0],
    ['<= 385ms', 'status', '0.385', 'pass', '385ms'],
    ['<= 384.9 ms', 'status', '0.385', 'fail', '385ms'],
    ['>= 100/min', 'status', '100 / 60', 'pass', '100/min'],
    ['>= 100/min', 'status', '1.6', 'fail', '96/min'],
    ['>= 57%', 'status', '0.57', 'pass', '57%'],
    ['>= 100%', 'status', '0.9999999', 'fail', '99.99999%'],
    ['≥ 99.5%', 'status', '0.995', 'pass', '99.5%'],
    ['55-65%', 'status', '0.55', 'pass', '55%'],
    ['55-65%', 'status', '0.6501', 'fail', '65.01%'],
    ['<= 500 events', 'status', '12', 'pass', '12 events'],
    ['<= 90/100', "command", "$dir/tool value 47", 'pass', '47/100'],
    ['>= TLS 1.2', "command", "$dir/tool value TLSv1.3", 'pass', 'TLS 1.3'],
    ['>= TLS 1.2', "command", "$dir/tool value TLSv1.1", 'fail', 'TLS 1.1'],
    ['<= 30ms', "command", "$dir/tool value 28.5", 'pass', '28.5ms'],
    ['= 4', "command", "$dir/tool args \$(touch $dir/executed) ;x", 'pass', 4],
    ['<= 85%', 'prometheus', 'one', 'pass', '45%'],
    ['<= 10', 'prometheus', 'scalar', 'fail', '12.5'],
);

# the same with what is then missing
my @errors = (
    ['status', '.no_such', qr/not one number, but null/],
    ['status', '.variants', qr/not one number/],
    ['status', '.a, .b', qr/not one number/],
    ['status', '1, 2', qr/not one number/],
    ['status', '.[', qr/error/],
    ['event', 'no_such', qr/no event "no_such"/],
    ['command', "$dir/tool fail", qr/exit status 3: no database/],
    ['command', "$dir/tool value", qr/no number in its output ""/],
    ['command', "$dir/tool hang", qr/no answer in \d+ s/],
    ['command', "$dir/none", qr/exit status 127/],
    ['prometheus', 'none', qr/no sample/],
    ['prometheus', 'two', qr/2 samples, not one/],
    ['prometheus', 'nan', qr/no number/],
    ['prometheus', 'inf', qr/no number/],
    ['prometheus', 'range', qr/a matrix, not one number/],
    ['prometheus', 'html', qr/no answer of Prometheus/],
    ['prometheus', 'wrong', qr/no good/],
);

my $text = '';
for my $n (0 .. $#rows) {
    my ($target, $kind, $expression) = @{$rows[$n]};
    $text .= "analytics | row $n | $target | $kind | $expression\n";
}
for my $n (0 .. $#errors) {
    my ($kind, $expression) = @{$errors[$n]};
    $text .= "security|error $n|<= 1|$kind|$expression\r\n";
}
$ev->sources($text);
$ev->settings(prometheus => $prometheus);

my $r = $ev->collect('s1');
is($r->{status}, 3, 'written, and not complete') or diag($r->{err});
my $doc = $ev->doc('s1');
my %analytics = $ev->table($ev->page('s1'), 'Analytics Metrics');

for my $n (0 .. $#rows) {
    my ($target, $kind, $expression, $status, $actual) = @{$rows[$n]};
    my $row = $doc->{analytics}[$n];
    is(
        "$row->{status} $row->{actual}",
        "$status $actual",
        "$kind '$expression' against '$target'"
    );
    is($analytics{"row $n"}{Actual}, $actual, 'and on the page');
}
for my $n (0 .. $#errors) {
    my ($kind, $expression, $error) = @{$errors[$n]};
    my $row = $doc->{security}[$n];
    is($row->{status}, 'n/a', "$kind '$expression' has no figure");
    like($row->{error}, $error, 'and says why');
    ok((grep { $_ eq "error $n: $row->{error}" } @{$doc->{missing}}),
        'and is missing');
}

ok(!-e "$dir/executed", 'no command goes through a shell');
is(
    $t->read('args'),
    "args\n\$(touch\n$dir/executed)\n;x\n",
    'it is split at blanks'
);

my ($query) =
    map { $_->{uri} =~ /query=one&time=([\d.]+)/ } $t->requests($t->port(5));
is($query, $doc->{times}{end}, 'Prometheus is asked for the end of the stage');

# which alerts
$ev->settings(prometheus => $prometheus, alert_labels => "team='docs'");
# names in a query
$ev->sources('resources | R | - | prometheus | '
        . 'x{a="$upstream",b="$variant",c="$baseline"}[$duration]');
$ev->collect('s1');
my ($sent) = grep { /query=x%7b/i } map { $_->{uri} } $t->requests($t->port(5));
$sent =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
like(
    $sent,
    qr/query=x\{a="documents",b="sliceB",c="documents"\}\[\d+s\]&/,
    'names and the duration are put into a query'
);

my ($alerts) = grep { /ALERTS/ && /team/ }
    map { s/%([0-9A-Fa-f]{2})/chr hex $1/ger }
    map { $_->{uri} } $t->requests($t->port(5));
like(
    $alerts,
    qr/query=ALERTS\{alertstate="firing",team='docs'\}&/,
    'alerts are asked for by their labels'
);

$t->no_alerts();

done_testing();
