#!/usr/bin/perl

# All gates pass, and yet there is no go, as clients give up too many of the
# canary's requests: canaryctl says why.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 5% stage=s1;\n");
$t->start();
$ctl->settings(
    url => $ctl->said_url(),
    stages => 's1:5%:10m s2:25%:10m'
);

my $why = 'no go: clients gave up 12% of the requests to sliceB in the stage,'
    . " more than 5% and twice the baseline's 1%";
my %held = (
    verdict => 'pending',
    reason => $why,
    stage => {elapsed => 600},
    gates => [
        {
            variant => 'sliceB',
            metric => 'p95',
            rule => '<=',
            limit => 0.5,
            status => 'pass',
            reason => 'good'
        }
    ]
);
my $before = $ctl->split();
$ctl->say(%held);

my $r = $ctl->run('status');
like($r->{out}, qr/ verdict pending$/m, 'status: the verdict');
like($r->{out}, qr/^reason: \Q$why\E$/m, 'status: why');

$r = $ctl->run('verdict');
is($r->{status}, 3, 'verdict: pending');
is(
    $r->{out},
    "pending\n$why\npass sliceB p95 <= 500 ms: good\n",
    'verdict: why, and the gates'
);
is($ctl->run('verdict', '--json')->{json}{reason}, $why, 'verdict as JSON');

$r = $ctl->run('promote');
is($r->{status}, 3, 'promote: refused for now');
like($r->{err}, qr/not promoted yet, the verdict is pending: \Q$why\E$/m,
    'promote: why');
is($ctl->split(), $before, 'promote: the split file is as it was');

$r = $ctl->run('decide', 'go', '--why', 'known clients');
is($r->{status}, 0, 'decide: people may') or diag($r->{err});
like($r->{err}, qr/the verdict is not go: \Q$why\E$/m, 'decide: warned');

# with a gate that is pending the gate says it
$held{gates}[0]{status} = 'pending';
$ctl->say(%held, reason => '');
$r = $ctl->run('promote');
like(
    $r->{err},
    qr/the verdict is pending: sliceB p95 <= 500 ms: good$/m,
    'promote: nothing held back'
);
unlike($ctl->run('decide', 'go', '--why', 'x')->{err},
    qr/not go/, 'decide: nothing to warn of');

# what is said of a rollback is no such reason
$ctl->say(%held, state => 'rolled_back', reason => 'by ana');
$r = $ctl->run('verdict');
like(
    $r->{out},
    qr/\Arollback\nrolled back: by ana\npending /,
    'verdict: rolled back'
);

$t->no_alerts();

done_testing();
