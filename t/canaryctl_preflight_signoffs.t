#!/usr/bin/perl

# canaryctl preflight: on-call and sign-offs, from a file of lines
# role | name | date.

use strict;
use warnings;

use POSIX ();
use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 0%;\n");
$t->start();
$ctl->settings(signoffs => '%%DIR%%/signoffs');

my $today = POSIX::strftime('%Y-%m-%d', gmtime);
my $later = POSIX::strftime('%Y-%m-%d', gmtime(time + 3 * 86400));
my $oncall = "on-call | anna | $today\n";

# "ok" or "not", name and text of both checks
sub checks {
    my ($text) = @_;

    $t->write('signoffs', $text);
    my $r = $ctl->run('preflight', '--json');
    return map { ($_->{ok} ? 'ok' : 'not') . " $_->{name}: $_->{text}" }
        grep { $_->{check} =~ /^(?:on_call|sign_offs)$/ } @{$r->{json}{checks}};
}

is_deeply(
    [
        checks(
            "# who agreed\n\n  Product owner|ben b. |2026-01-31 # by mail\r\n"
                . "\tQuality  |  eve  |  $today  \n$oncall"
        )
    ],
    [
        "ok On-call rotation confirmed: on-call: anna, $today",
        'ok Sign-offs obtained (stakeholders: 2): Product owner: ben b.,'
            . " 2026-01-31; Quality: eve, $today"
    ],
    'all of them are there'
);

my ($call) = checks("On call engineer | anna | $today\nOnce | ben | $today\n");
is(
    $call,
    "ok On-call rotation confirmed: On call engineer: anna, $today",
    'on-call in other words'
);

my @wrong = (
    ["Owner | ben |\n", 'Owner: missing'],
    ["Owner | ben | \nQA | |\n", 'Owner: missing; QA: nobody is named'],
    ["Owner | | $today\n", 'Owner: nobody is named'],
    [
        "Owner | ben | 31.1.2026\n",
        'Owner: "31.1.2026" is no date such as 2026-01-31'
    ],
    [
        "Owner | ben | 2026-02-30\n",
        'Owner: "2026-02-30" is no date such as 2026-01-31'
    ],
    ["Owner | ben | $later\n", 'Owner: the date is still to come'],
    ["Owner | ben\n", 'Owner: not a line of role | name | date'],
    ["Owner | ben | $today | x\n", 'Owner: not a line of role | name | date'],
    ['', 'there is no stakeholder'],
);
for my $case (@wrong) {
    my ($lines, $text) = @$case;
    my ($ok, $signs) =
        checks($oncall . "QS | eve | $today\n" x !!$lines . $lines);
    like($signs, qr/^not .*: \Q$text\E$/, $text);
    like($ok, qr/^ok /, 'on-call is there');
}

($call) = checks("Owner | ben | $today\n");
is($call, 'not On-call rotation confirmed: no line is about on-call',
    'no on-call');
($call) = checks("on-call | anna |\n");
is($call, 'not On-call rotation confirmed: on-call: missing', 'no date');

# the sample that comes with it: eight stakeholders, none of them yet
my @sample = checks($t->read($t->_root() . '/conf.d/signoffs'));
like($sample[0], qr/^not .*: on-call: nobody is named$/, 'the sample');
like($sample[1], qr/^not Sign-offs obtained \(stakeholders: 8\): /, 'of eight');

for my $file ('%%DIR%%/no-such-file', '%%DIR%%', '/dev/null') {
    $ctl->settings(signoffs => $file);
    my $r = $ctl->run('preflight', '--json');
    my ($said) = grep { $_->{check} eq 'sign_offs' } @{$r->{json}{checks}};
    like($said->{text}, qr/" cannot be read$/, $file);
}
$ctl->settings();
my $r = $ctl->run('preflight', '--json');
like($r->{out}, qr/"signoffs\\" is not set"/, 'no file is set');

$t->no_alerts();

done_testing();
