use strict;
use warnings;

# Splits with different salts are independent, splits with the same salt pick
# the same users; the default salt is the upstream's name.

use Test::More;
use Canary;

my $keys = 4000;

# chi-square of one degree of freedom is above this once in 10,000
my $critical = 15.137;

my %share = (
    one => 50,
    two => 50,
    narrow => 5,
    wide => 25,
    named => 50,
    same => 50,
    small => 5
);
my %salt = (
    named => 'canary_salt one;',
    same => 'canary_salt pepper;',
    small => 'canary_salt pepper;'
);

my $t = Canary->new();

my $upstreams = '';
for my $name (sort keys %share) {
    $upstreams .= <<"CONF";
    upstream $name {
        server 127.0.0.1:%%PORT1%%;
        canary canary $share{$name}%;
        canary_key \$arg_k;
        ${\ ($salt{$name} || '')}
    }
CONF
}
my $variants = join ' ', map { "\$canary_variant_$_" } sort keys %share;

$t->conf(<<"CONF");
    upstream canary { server 127.0.0.1:%%PORT1%%; }
$upstreams
    server {
        listen 127.0.0.1:%%PORT0%%;
        keepalive_requests 1000000;
        location / { return 200 "$variants"; }
    }
CONF
$t->start();

my $client = $t->client();
my %in = map { $_ => [] } keys %share;

for my $n (1 .. $keys) {
    my @answer = split / /, $client->get("/?k=user-$n")->{body};
    for my $name (sort keys %share) {
        push @{$in{$name}}, shift @answer eq 'canary' ? 1 : 0;
    }
}

for my $name (sort keys %share) {
    my $p = $share{$name} / 100;
    my $n = grep { $_ } @{$in{$name}};
    cmp_ok(
        abs($n - $keys * $p),
        '<=',
        4 * sqrt($keys * $p * (1 - $p)),
        "$name: its share"
    );
}

sub chi_square {
    my ($x, $y) = @_;

    my (@cell, @row, @column);
    for my $n (0 .. $keys - 1) {
        my ($i, $j) = ($in{$x}[$n], $in{$y}[$n]);
        $cell[$i][$j]++;
        $row[$i]++;
        $column[$j]++;
    }

    my $sum = 0;
    for my $i (0, 1) {
        for my $j (0, 1) {
            my $expected = $row[$i] * $column[$j] / $keys;
            $sum += (($cell[$i][$j] || 0) - $expected)**2 / $expected;
        }
    }
    return $sum;
}

for my $pair (
    [qw(one two)], [qw(one same)],
    [qw(one narrow)], [qw(two wide)],
    [qw(narrow wide)], [qw(narrow small)],
    [qw(wide same)]
    )
{
    my ($x, $y) = @$pair;
    cmp_ok(chi_square($x, $y), '<', $critical, "$x and $y: independent");
}

is_deeply($in{named}, $in{one}, 'the salt of another: the same users');
cmp_ok(chi_square(qw(named one)),
    '>', $critical, 'which the statistic would have seen');

my @left = grep { $in{small}[$_] && !$in{same}[$_] } 0 .. $keys - 1;
is(@left, 0, 'the same salt: 5% are among the 50%');

$t->no_alerts();
done_testing();
