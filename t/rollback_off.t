use strict;
use warnings;

# A rollback that goes on to load "off" ends no stage: its name, its figures and
# what its gates have seen stay to be read, on the page as in the status, over
# reloads and restarts, until it is re-armed or another share is loaded.

use Test::More;

use Canary;
use Canary::State;

my $t = Canary->new();
my $s = Canary::State->new(
    $t,
    workers => 2,
    force => '',
    more => <<'CONF'
        canary_rollback manual;
        canary_gate error_rate <= 1% min=1;
        canary_errors 5xx if=$arg_e;
CONF
);

$s->load("canary canary 50% stage=half;\ncanary other off stage=half;");
$t->start();

# so many that the canary answered, and so many of them badly
my $good = $s->canary(40);
my $bad = bad(20);
my %sent = (canary => $good + $bad, baseline => 60 - $good - $bad);
ok($t->wait_for(sub { gate()->{trials} == $sent{canary} }), 'all are judged');

my $stage = $s->of('stage');
$s->rollback('reason=slow');
$s->load("canary canary off;\ncanary other off;");
my $seen = gate();
shows('off', \%sent);
is($s->of('journal')->[-1]{event}, 'published', 'which the journal has');
is($seen->{bad}, $bad, 'the gate saw what was bad');
cmp_ok($seen->{evidence}, '>', 0, 'as evidence');

my $n = @{$s->of('journal')};
$sent{baseline} += 10 - $s->canary(10);
is($s->canary(3), 0, 'no request reaches the canary');
$sent{baseline} += 3;
$s->load("canary canary off;\ncanary other off;");
shows('loaded again', \%sent);
is(scalar @{$s->of('journal')}, $n, 'which is nothing to tell');

$s->restart();
shows('restarted', \%sent);
ok($s->written(), 'written');
$s->crash();
$t->start();
shows('crashed', \%sent);

# another share begins a stage, though it is not in force

$s->load("canary canary 5% stage=few;\ncanary other off stage=few;");
is(stage_requests('canary'), 0, 'another share begins a stage');
is($s->of('stage')->{name}, 'few', 'under its own name');
cmp_ok($s->of('stage')->{started_at},
    '>', $stage->{started_at}, 'as it is loaded');

# with several canaries, those that stay are as they were

$s->resume();
$s->load("canary canary 50% stage=s;\ncanary other 50% stage=s;");
$s->canary(30);
%sent = map { $_ => stage_requests($_) } qw(canary other);
is($sent{canary} + $sent{other}, 30, 'two canaries');
$stage = $s->of('stage');
$s->rollback('reason=slow');
$s->load("canary canary off;\ncanary other 50% stage=s;");
is(stage_requests($_), $sent{$_}, "one of two off: $_ has its requests")
    for sort keys %sent;
is($s->of('stage')->{started_at}, $stage->{started_at}, 'the stage goes on');

$s->load("canary other off;\ncanary canary off;");
is(stage_requests($_), $sent{$_}, "both off: $_ has its requests")
    for sort keys %sent;
is($s->of('stage')->{name}, 's', 'the stage has its name');

# "off" under another name is a stage of its own

$s->load("canary canary off stage=t;\ncanary other off stage=t;");
is(stage_requests('canary'), 0, 'another name begins a stage');

# re-armed, it begins anew

$s->load("canary canary 100% stage=all;\ncanary other off stage=all;");
$s->resume();
is($s->canary(5), 5, 'in traffic again');
$s->rollback('reason=slow');
$s->load("canary canary off;\ncanary other off;");
is(stage_requests('canary'), 5, 'rolled back, and off');
$s->resume();
ok($t->wait_for(sub { stage_requests('canary') == 0 }),
    'resumed, it begins anew');
is(gate()->{trials}, 0, 'and so does the gate');
$n = @{$s->of('journal')};
$s->load("canary canary off;\ncanary other off;");
is(scalar @{$s->of('journal')}, $n, 'the same again is nothing to tell');

# nor does "off" keep a stage that nobody rolled back

$s->load("canary canary 100% stage=all;\ncanary other off stage=all;");
is($s->canary(5), 5, 'in traffic again');
$s->load("canary canary off;\ncanary other off;");
is(stage_requests('canary'), 0, 'off without a rollback is a stage');

$t->no_alerts(allow => qr/stays so|rolled back/);
done_testing();

###############################################################################

# each of so many users once, badly; how many reached the canary
sub bad {
    my ($n) = @_;

    return scalar grep { $t->get("/?e=1&k=$_")->{body} eq 'canary' } 1 .. $n;
}

sub gate {
    return $s->of('gates')->[0];
}

sub stage_requests {
    my ($name) = @_;

    return $s->of('variants')->{$name}{stage}{requests};
}

# status and page tell what was counted in the stage that was rolled back
sub shows {
    my ($when, $requests) = @_;

    is($s->of('state'), 'rolled_back', "$when: rolled back");
    is_deeply(
        [@{$s->of('stage')}{qw(name started_at)}],
        [@$stage{qw(name started_at)}],
        "$when: the stage, and when it began"
    );
    is(stage_requests($_), $requests->{$_}, "$when: requests of $_")
        for sort keys %$requests;

    my $gate = gate();
    cmp_ok(abs($gate->{actual} - $bad / $requests->{canary}),
        '<', 1e-6, "$when: the figure of the gate");
    is_deeply(
        [@$gate{qw(status trials bad stream)}],
        [@$seen{qw(status trials bad stream)}],
        "$when: its state, and what it has seen"
    );
    cmp_ok(
        abs($gate->{evidence} - $seen->{evidence}),
        '<',
        0.1 * $seen->{evidence},
        "$when: its evidence"
    );

    my $page = $t->get('/canary/')->{body};
    like($page, qr{<p class="dim">half for}, "$when: the page names the stage");
    like(
        $page,
        qr{<p class="reason">[^<]*[\d.]+% in the stage},
        "$when: a tile says why"
    );

    my ($figure) = $page =~ m{<p class="figures"><b class="v1">([\d.]+)%</b>};
    cmp_ok(abs(($figure || 0) - 100 * $bad / $requests->{canary}),
        '<=', 0.05, "$when: a tile has the canary's figure");
    return;
}
