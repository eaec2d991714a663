#!/usr/bin/perl

# canaryctl watch on a terminal: colours, one screen that changes in place,
# another size, nginx that goes and comes back, and the end.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;
use Canary::Terminal qw(screen);

my $t = Canary->new();
my $ctl = Canary::Ctl->new(
    $t,
    upstream => join '',
    map { "canary_gate $_ <= 1s;\n" } qw(p50 p90 p95 p99)
);
$t->start();

my $env = $ctl->env();
%$env = (TERM => 'xterm', LC_ALL => 'C.UTF-8');

sub output {
    my ($pid) = @_;

    return $t->read($ctl->output($pid));
}

# its screen, once that matches
sub waits_for {
    my ($pid, $pattern, $rows, $columns, $name) = @_;

    my @lines;
    ok(
        $t->wait_for(
            sub {
                @lines = screen(output($pid), $rows, $columns);
                return "@lines" =~ $pattern;
            }
        ),
        $name
    ) or diag(join "\n", @lines);
    return @lines;
}

my $pid = $ctl->terminal('24 80', 'watch', '--count', '2', '--interval', '0.1');
plan skip_all => 'no script(1) for a terminal' if !defined $pid;
my $out = $ctl->finish($pid)->{out};
like($out, qr/\e\[33m\xe2\x80\xa6 \e\[0m\e\[1mNothing speaks/, 'colours');
is(scalar(() = $out =~ /\e\[2J/g), 1, 'the screen is cleared once');
is(scalar(() = $out =~ /\e\[H/g), 2, 'and then drawn over');
like($out, qr/\e\[\?25l.*\e\[\?25h/s, 'the cursor is back at the end');

$env->{NO_COLOR} = 1;
$out = $ctl->finish($ctl->terminal('24 80', 'watch', '--count', '1'))->{out};
like($out, qr/\e\[H/, 'NO_COLOR: still in place');
unlike($out, qr/\e\[[\d;]*m/, 'without colours');

delete $env->{NO_COLOR};
$env->{TERM} = 'dumb';
$out = $ctl->finish($ctl->terminal('24 80', 'watch', '--count', '1'))->{out};
unlike($out, qr/\e/, 'a terminal that can do nothing: plain text');

# whatever it was before, it is on one screen
$env->{TERM} = 'xterm';
$pid = $ctl->terminal('20 80', 'watch', '--interval', '0.2');
my @lines = waits_for($pid, qr/documents.*published/s, 20, 80, 'shown');
like($lines[0], qr/^documents \S+ sliceB +\d\d:\d\d:\d\d UTC$/, 'from the top');
is(scalar(grep { length > 79 } @lines), 0, 'the last column is left free');

$t->stop();
@lines = waits_for($pid, qr/No figures/, 20, 80, 'no nginx');
like(
    "@lines[0, 1]",
    qr/No figures for \d+ s, those below are of \d\d:\d\d:\d\d UTC: .*curl/,
    'since when and why'
);
is(scalar(grep { /^documents / } @lines), 1, 'below it, what was known');

$t->start();
@lines = waits_for($pid, qr/^documents/, 20, 80, 'it is back');
is(scalar(grep { /No figures/ } @lines), 0, 'as if it had not been away');

kill 'INT', $ctl->terminal_pid();
my $r = $ctl->finish($pid);
is($r->{status}, 0, 'ended by a signal');
like($r->{out}, qr/\e\[\?25h$/, 'the cursor is back');
is(($r->{out} =~ /.*\e\[\?7([lh])/s)[0], 'h', 'lines wrap again');

# another size is drawn at once, not at the next picture
$pid = $ctl->terminal('40 100', 'watch', '--interval', '600');
waits_for($pid, qr/published/, 40, 100, 'a large one');
my $before = length output($pid);
ok($ctl->terminal_size('9 40'), 'becomes small');
ok(
    $t->wait_for(
        sub {
            my $new = substr output($pid), $before;
            return 0 if $new !~ /\e\[\?7h/;
            @lines = screen($new, 9, 40);
            return 1;
        }
    ),
    'it is drawn anew'
);
like($lines[8], qr/ lines more$/, 'no more lines than there are');
like($lines[0], qr/^documents \S+ sliceB +\d\d:\d\d:\d\d UTC$/, 'from the top');
is(scalar(grep { length > 39 } @lines), 0, 'no wider');

kill 'TERM', $ctl->terminal_pid();
$r = $ctl->finish($pid);
is($r->{status}, 0, 'and that ends, too');
unlike($r->{out}, qr/Terminated|sleep/, 'nothing else is on the screen');

$t->no_alerts();

done_testing();
