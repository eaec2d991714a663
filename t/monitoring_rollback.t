#!/usr/bin/perl

# A rollback by an alert: Prometheus sees a canary that is worse than its
# baseline, Alertmanager tells canary-webhook, and that calls canaryctl.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Rollout;

# without a gate the module itself rolls nothing back
my $t = Canary->new();
my $roll = Canary::Rollout->new($t, stages => 's1:50%:1h', hold => '1s');
my $ctl = $roll->ev()->ctl();
my $monitoring = $roll->monitoring();
$roll->start();

is($ctl->run('set', '50%', '--stage', 's1')->{status}, 0, 'a stage begins');
$roll->load(3);
is($roll->state()->{state}, 'active', 'all is well');

$roll->break();
ok($roll->load(60, sub { $roll->state()->{state} eq 'rolled_back' }),
    'a canary that is worse comes out of traffic');

ok(
    $t->wait_for(
        sub {
            grep { $_->{command} eq 'rollback' } $ctl->log();
        },
        20
    ),
    'canaryctl did it'
);
my ($log) = grep { $_->{command} eq 'rollback' } $ctl->log();
is($log->{by}, 'alertmanager', 'by the alert');
like(
    $log->{reason},
    qr/^alert CanaryErrorsWorse: sliceB fails [\d.]+% of its/,
    'with its summary'
);
like($ctl->split(), qr/^canary sliceB off;/, 'in the split file too');

my $before = $t->seen($t->port(2));
$roll->load(2);
is($t->seen($t->port(2)), $before, 'no request reaches the canary');
ok($t->wait_for(sub { $monitoring->told('CanaryErrorsWorse') }, 20),
    'the people on call were told as well');

$t->no_alerts();

done_testing();
