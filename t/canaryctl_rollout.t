#!/usr/bin/perl

# canaryctl run and the module's own gates, under load: a good canary goes
# through the whole plan, one that turns bad is rolled back and stops the run.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use Canary;
use Canary::Ctl;
use Canary::Load;

use JSON::PP ();

my $t = Canary->new();
my $ctl = Canary::Ctl->new(
    $t,
    split => "canary sliceB off;\n",
    upstream => <<'CONF',
        canary_window 10s;
        canary_rollback auto pause=0;
        canary_gate error_rate <= 5% min=20;
        canary_gate p95 <= 2s min=20;
        canary_fallback off;
CONF
    http => <<'CONF'
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200 old; }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / {
            if (-f %%DIR%%/broken) { return 503; }
            return 200 new;
        }
    }
CONF
);
$ctl->settings(stages => 's1:20%:2s s2:60%:2s s3:100%:2s');
$t->start();

my $hook = $t->write('hook', "#!/bin/sh\necho \$1 >>%%DIR%%/hook.log\n");
chmod 0755, $hook;

# a few hundred requests a second, until the command ends
sub run_under_load {
    my ($during, @args) = @_;

    my $pid = $ctl->spawn(@args);
    my %answers;
    my $next = 0;
    Canary::Load->new(
        $t->port(0),
        clients => 2,
        request => sub {
            select undef, undef, undef, 0.003;
            return "/?user=$_[0]";
        },
        answered => sub { $answers{$_[1] . $_[3]}++ }
    )->run(
        seconds => 60 * $t->slow(),
        until => sub { !-d "/proc/$pid" || is_zombie($pid) },
        tick => sub {
            return if time < $next;
            $next = time + 0.2;
            $during->();
        }
    );

    return ($ctl->finish($pid), \%answers);
}

sub is_zombie { return $t->read("/proc/$_[0]/stat") =~ /^.*\) Z /s }

my ($r, $answers) = run_under_load(sub { },
    'run', '--json', '--on-stage-end', $hook, '--interval', '0.2');
is($r->{status}, 0, 'a good canary: the plan is done') or diag($r->{err});
is($ctl->split(), "canary sliceB 100% stage=s3;\n", 'up to 100%');
is_deeply([sort keys %$answers], ['200new', '200old'], 'no client saw an error')
    or diag(explain($answers));
is($t->read('hook.log'), "s1\ns2\ns3\n", 'the hook at the end of each stage');
is($ctl->run('verdict')->{status}, 0, 'verdict: go');

my $status = $ctl->run('status');
like(
    $status->{out},
    qr/^pass +error_rate +<= 5% +0% +0% +\d+ of 20 +\S/m,
    'status shows a gate as it is'
) or diag($status->{out});
like(
    $status->{out},
    qr/^pass +p95 +<= 2 s +\S+ [mu]s +\S+ [mu]s +\d+ of 20 /m,
    'and the other one'
);

# once more; this time the canary breaks in the second stage
$ctl->run('set', 'off');
my ($broken, $rolled_back);
($r, $answers) = run_under_load(
    sub {
        my $split = $ctl->state();
        if (!$broken && ($split->{stage}{name} || '') eq 's2') {
            $t->write('broken', '');
            $broken = time;
        }
        $rolled_back ||= time if $split->{state} eq 'rolled_back';
    },
    'run',
    '--json',
    '--interval',
    '0.2'
);
is($r->{status}, 1, 'a bad canary: the run stops');
like(
    $r->{err},
    qr/stopped in stage "s2": rolled back: sliceB: error_rate <= 5% is broken/,
    'with the reason'
);
is($ctl->state()->{state}, 'rolled_back', 'nginx rolled it back by itself');
cmp_ok($rolled_back - $broken, '<', 5 * $t->slow(), 'within seconds');
like($ctl->split(), qr/60% stage=s2/, 'no further stage was begun');
is($ctl->run('verdict')->{status}, 1, 'verdict: rollback');
is($ctl->run('promote')->{status}, 1, 'promote: refused');

my @decisions =
    map { "$_->{stage} $_->{decision}" } $ctl->log('decisions.jsonl');
is_deeply(
    \@decisions,
    ['s1 go', 's2 go', 's3 go', 's1 go', 's2 rollback'],
    'each decision is recorded'
);

$t->no_alerts();

done_testing();
