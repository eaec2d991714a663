use strict;
use warnings;

# A load re-arms a split that is rolled back only if it changes the shares to
# 0%: "off" does not, nor does the same split again, nor a restart.

use Test::More;
use Canary;
use Canary::State;

my $t = Canary->new();
my $s = Canary::State->new($t, force => '');

my $both = "canary canary 5%%;\ncanary other %s;\n";

# what was in force, what is loaded, and whether that re-arms
my @loads = (
    ['canary canary 5%;', 'canary canary 0%;', 1, 'a share, then 0%'],
    ['canary canary 5%;', 'canary canary off;', 0, 'a share, then off'],
    ['canary canary 5%;', 'canary canary 50%;', 0, 'another share'],
    ['canary canary 5%;', '', 0, 'no canary'],
    ['', 'canary canary 0%;', 1, 'no canary, then 0%'],
    ['canary canary off;', 'canary canary 0%;', 1, 'off, then 0%'],
    ['canary canary off;', 'canary canary 5%;', 0, 'off, then a share'],
    ['canary canary 0%;', 'canary canary 0%;', 0, '0% again'],
    [
        'canary canary 0%;',
        'canary canary 0% stage=a;', 0, '0% in another stage'
    ],
    ['canary canary 0%;', 'canary other 0%;', 1, 'another canary at 0%'],
    [sprintf($both, '0%'), sprintf($both, 'off'), 0, 'one of two off'],
    [
        sprintf($both, '5%'),
        "canary canary off;\ncanary other 0%;",
        1,
        'one of two off, the other 0%'
    ],
    [
        "canary canary off;\ncanary other 0%;",
        "canary other 0%;\ncanary canary off;",
        0,
        'the same in another order'
    ]
);

$s->load('');
$t->start();

for my $case (@loads) {
    my ($before, $load, $armed, $name) = @$case;

    $s->resume();
    $s->load($before);
    $s->rollback('reason=slow');
    is($s->of('state'), 'rolled_back', "$name: rolled back");
    my $lines = $s->logged(qr/\[warn\].*is re-armed/);
    $s->load($load);

    if ($armed) {
        isnt($s->of('state'), 'rolled_back', "$name: re-armed");
        is($s->of('journal')->[-1]{event}, 'rearmed', "$name: in the journal");
        is($s->logged(qr/\[warn\].*is re-armed/), $lines + 1, "$name: logged");

    } else {
        is($s->of('state'), 'rolled_back', "$name: stays rolled back");
        is($s->of('reason'), 'slow', "$name: for the same reason");
    }
}

# what was in force before a restart is in the state file

$s->load('canary canary 0%;');
for my $case (
    ['canary canary 0%;', 'rolled_back', 'the same split'],
    ['canary canary 5%;', 'rolled_back', 'another share'],
    ['canary canary off;', 'rolled_back', 'off'],
    ['canary canary 0%;', 'active', 'off before, now 0%']
    )
{
    my ($load, $state, $name) = @$case;

    if ($s->of('state') ne 'rolled_back') {
        $s->rollback('reason=slow');
    }
    $t->stop();
    $s->load($load);
    $t->start();
    is($s->of('state'), $state, "restart, $name: $state");
}

# a load that stays rolled back is an error, unless it asks for nothing

$s->load('canary canary 5%;');
$s->rollback('reason=slow');

for my $case (['5%', 1], ['7%', 1], ['off', 0]) {
    my ($share, $n) = @$case;
    my $stays = qr/\[error\].*"baseline" is rolled back and stays so.*"0%"/;
    my $lines = $s->logged($stays);
    $s->load("canary canary $share;");
    is($s->logged($stays), $lines + $n, "$share: $n line in the error log");
}

is(
    $s->logged(qr/\[error\].*"baseline" was rolled back: slow/),
    $s->logged(qr/was rolled back/),
    'a rollback is an error as well'
);
is(
    $s->logged(qr/\[warn\].*"baseline" was resumed/),
    $s->logged(qr/was resumed/),
    'and that it was resumed a warning'
);

$t->no_alerts();
done_testing();
