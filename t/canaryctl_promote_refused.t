#!/usr/bin/perl

# canaryctl promote: no step further with a bad canary; what --force overrules.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

use JSON::PP ();

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 5% stage=s1;\n");
$t->start();
my %plan = (
    url => $ctl->said_url(),
    stages => 's1:5%:10m s2:25%:10m s3:100%:1d'
);
$ctl->settings(%plan);

my $before = $ctl->split();
my $generation = $ctl->generation();

$ctl->say(
    verdict => 'rollback',
    stage => {elapsed => 600},
    gates => [
        {
            variant => 'sliceB',
            metric => 'p95',
            rule => '<=',
            limit => 0.5,
            status => 'fail',
            reason => '31 of 200 above 500 ms'
        }
    ]
);
my $r = $ctl->run('promote');
is($r->{status}, 1, 'the verdict is rollback: refused');
like(
    $r->{err},
    qr/verdict is rollback: sliceB p95 <= 500 ms: 31 of 200 above 500 ms$/m,
    'with the reason'
);

# a reason for each force
for my $args (['--force'], ['--force', '--reason', '']) {
    is($ctl->run('promote', @$args)->{status}, 2, "no reason: @$args");
}
is($ctl->run('promote', '--reason', 'x')->{status},
    1, 'a reason alone overrules nothing');

# the latch cannot be overruled
$t->post('/control/documents/rollback', 'by=ben&reason=timeouts');
$ctl->say();
for my $more ([], ['--force', '--reason', 'x']) {
    $r = $ctl->run('promote', '--json', @$more);
    is($r->{status}, 1, "rolled back: refused @$more");
    like(
        $r->{err},
        qr/is rolled back: by ben: timeouts; "canaryctl resume" re-arms it$/m,
        'with the reason, and what to do'
    );
    is($r->{json}{state}, 'rolled_back', 'the state as JSON');
}
$t->post('/control/documents/resume', '');

is($ctl->split(), $before, 'the split file is as it was');
is($ctl->generation(), $generation, 'nginx was not reloaded');

$ctl->say(verdict => 'pending', stage => {elapsed => 1});
$r = $ctl->run('promote', '--json', '--force', '--reason', 'a fix is urgent');
is($r->{status}, 0, 'forced, pending and too early');
is($ctl->split(), "canary sliceB 25% stage=s2;\n", 'the next stage');
my $last = ($ctl->log())[-1];
is($last->{reason}, 'a fix is urgent', 'the log has the reason');
is($last->{forced}, JSON::PP::true, 'and that it was forced');

# plans that cannot be read
$generation = $ctl->generation();
my @plans = (
    [undef, qr/"stages" is not set/],
    [' ', qr/no stage in it/],
    ['s1', qr/"s1" is not NAME:SHARE:TIME/],
    ['s1:5%', qr/"s1:5%" is not NAME:SHARE:TIME/],
    ['s1:5%:2h:x', qr/"s1:5%:2h:x" is not/],
    ['s1:5%:2', qr/"s1:5%:2" is not/],
    ['s1:5%:2w', qr/"s1:5%:2w" is not/],
    ['s1:5%:0m', qr/invalid time "0m" of stage "s1"/],
    ['s1:5:2h', qr/invalid share "5" of stage "s1"/],
    ['s1:101%:2h', qr/invalid share "101%"/],
    ['s1:off:2h', qr/invalid share "off"/],
    ['s1:0.0%:2h', qr/invalid share "0.0%"/],
    ['s1;:5%:2h', qr/invalid stage "s1;"/],
    ['s1:5%:2h s1:10%:2h', qr/stage "s1" stands twice/],
);
for my $case (@plans) {
    my ($plan, $error) = @$case;
    $ctl->settings(%plan, stages => $plan);
    $r = $ctl->run('promote');
    is($r->{status}, 2, 'plan ' . (defined $plan ? "\"$plan\"" : 'not set'));
    like($r->{err}, $error, 'it says what is wrong');
}
is($ctl->generation(), $generation, 'nothing was changed');

# a stage that the plan does not know would begin it anew
$ctl->settings(%plan);
$r = $ctl->run('set', '10%', '--stage', 'S1');
is($r->{status}, 0, 'set --stage with another name');
like($r->{err}, qr/warning: stage "S1" is not in the plan/, 'is warned of');
is($ctl->run('set', '10%', '--stage', 's2')->{err},
    '', 'one of the plan is not');

# answers that are none
$ctl->settings(%plan, canary => 'sliceC');
$r = $ctl->run('promote');
is($r->{status}, 1, 'a canary that is not in the split: failed');
like($r->{err}, qr/no canary "sliceC" in the split "documents"/, 'it says so');
$ctl->settings(%plan, url => 'http://127.0.0.1:%%PORT9%%/');
is($ctl->run('promote')->{status}, 1, 'no status: failed');

$t->no_alerts();

done_testing();
