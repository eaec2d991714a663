#!/usr/bin/perl

# canaryctl run: stops with the reason when the split is rolled back, or taken
# over by somebody else; told to stop, it goes on later where the split is.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

use JSON::PP ();

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB off;\n");
my $dir = $t->dir();
$t->start();

my $hook = $t->write('hook', <<'SH');
#!/bin/sh
echo "$1 $CANARY_VERDICT" >>%%DIR%%/hook.log
[ ! -e %%DIR%%/hang ] || exec sleep 60
SH
chmod 0755, $hook;

$ctl->settings(
    url => $ctl->said_url(),
    stages => 's1:5%:1s s2:25%:1h s3:100%:1s',
    on_stage_end => $hook
);
$ctl->say(verdict => 'go');

# interrupted while it waits, by each signal
for my $signal (qw(INT TERM HUP)) {
    my ($pid, $out) = start();
    ok($t->wait_for(sub { $t->read($out) =~ /"stage":"s2"/ }), 'in stage s2');
    kill $signal, $pid;
    my $r = $ctl->finish($pid);
    is($r->{status}, 1, "$signal ends it");
    like(
        $r->{err},
        qr/interrupted in stage "s2"; started again, it goes on/,
        'it says where, and what to do'
    );
    is($ctl->split(), "canary sliceB 25% stage=s2;\n", 'the split stays');
}
is($t->read('hook.log'), "s1 go\n", 'the stage before ended once');

# killed, and started again when the time is over meanwhile
{
    my ($pid, $out) = start();
    ok($t->wait_for(sub { $t->read($out) =~ /"stage":"s2"/ }), 'in stage s2');
    kill 'KILL', $pid;
    $ctl->finish($pid);

    $ctl->say(verdict => 'pending', stage => {elapsed => 3600});
    ($pid, $out) = start();
    ok($t->wait_for(sub { $t->read($out) =~ /"left":0/ }), 'its time is over');
    is($ctl->state()->{stage}{name}, 's2', 'but there is no verdict');
    $ctl->say(verdict => 'go', stage => {elapsed => 3600});
    is($ctl->finish($pid)->{status}, 0, 'with one, it goes on to the end');
    is($ctl->split(), "canary sliceB 100% stage=s3;\n", 'all stages');
    is($t->read('hook.log'), "s1 go\ns2 go\ns3 go\n", 'each ended once');
}

# a hook that hangs can be interrupted
{
    $ctl->run('set', '5%', '--stage', 's1');
    $ctl->say(verdict => 'go');
    $t->write('hang', '');
    my ($pid, $out) = start();
    ok($t->wait_for(sub { $t->read('hook.log') =~ /(?:s1 go\n.*){2}/s }),
        'the hook hangs');
    kill 'TERM', $pid;
    is($ctl->finish($pid)->{status}, 1, 'TERM ends the run');
    ok(
        $t->wait_for(
            sub {
                !grep { $t->read($_) =~ /^sleep\x{0}60\x{0}/ }
                    map { "/proc/$_/cmdline" } processes();
            }
        ),
        'and the hook'
    );
    unlink "$dir/hang";
    is($ctl->split(), "canary sliceB 5% stage=s1;\n", 'the split stays');
}

# also if TERM comes when the hook runs, but the run has not noted that yet
{
    unlink "$dir/hook.log";
    $t->write('hang', '');
    $ctl->env()->{BASH_ENV} = $t->write('late', <<'SH');
set -o functrace
trap 'case $BASH_COMMAND in
hook_pid=\$! | wait\ \$!*)
    if [[ $FUNCNAME == run_hook ]]; then
        while [[ ! -s %%DIR%%/hook.log ]]; do sleep 0.05; done
        kill -TERM $$
    fi ;;
esac' DEBUG
SH
    my ($pid) = start();
    is($ctl->finish($pid)->{status}, 1, 'TERM ends the run');
    ok(-s "$dir/hook.log", 'the hook was under way');
    ok(
        $t->wait_for(
            sub {
                !grep { $t->read($_) =~ /^sleep\x{0}60\x{0}/ }
                    map { "/proc/$_/cmdline" } processes();
            },
            5
        ),
        'and ended with it'
    );
    delete $ctl->env()->{BASH_ENV};
    unlink "$dir/hang";
}

# rolled back by the control location
{
    $ctl->run('set', '25%', '--stage', 's2');
    $ctl->say(verdict => 'go');
    my ($pid, $out) = start();
    ok($t->wait_for(sub { $t->read($out) =~ /"stage":"s2"/ }), 'in stage s2');
    $ctl->say();
    $t->post('/control/documents/rollback', 'by=ben&reason=timeouts');
    my $r = $ctl->finish($pid);
    is($r->{status}, 1, 'a rollback ends it');
    like(
        $r->{err},
        qr/stopped in stage "s2": rolled back: by ben: timeouts$/m,
        'with the reason'
    );
    my $last = (map { JSON::PP::decode_json($_) } split /\n/, $r->{out})[-1];
    is_deeply(
        [@$last{qw(event result stage state)}],
        ['end', 'failed', 's2', 'rolled_back'],
        'also as JSON'
    );
    like($t->read('hook.log'), qr/^s2 rollback\n\z/m, 'the hook is told');
    like($ctl->split(), qr/25% stage=s2/, 'the split file is as it was');
    is(
        ($ctl->log())[-1]{error},
        'stopped in stage "s2": rolled back: by ben: timeouts',
        'changes.log has it'
    );
    is_deeply(
        [@{($ctl->log('decisions.jsonl'))[-1]}{qw(decision reason)}],
        ['rollback', 'rolled back: by ben: timeouts'],
        'and decisions.jsonl'
    );

    # it does not begin anew by itself
    $r = $ctl->run('run', '--interval', '0.1');
    is($r->{status}, 1, 'started again while it is rolled back: refused');
    is($ctl->state()->{state}, 'rolled_back', 'it stays so');
    $t->post('/control/documents/resume', '');
}

# rolled back by the verdict, where nginx leaves it to the operator
{
    my ($pid, $out) = start();
    ok($t->wait_for(sub { $t->read($out) =~ /"stage":"s2"/ }), 'in stage s2');
    $ctl->say(
        verdict => 'rollback',
        gates => [
            {
                variant => 'sliceB',
                metric => 'error_rate',
                rule => '<=',
                limit => 0.01,
                status => 'fail',
                reason => '9 of 40'
            }
        ]
    );
    my $r = $ctl->finish($pid);
    is($r->{status}, 1, 'the verdict ends it');
    like(
        $r->{err},
        qr/in stage "s2": sliceB error_rate <= 1%: 9 of 40$/m,
        'with the reason'
    );
}

# somebody else sets the canary off; promotes; restarts nginx
{
    $ctl->say(verdict => 'go');
    my ($pid, $out) = start();
    ok($t->wait_for(sub { $t->read($out) =~ /"stage":"s2"/ }), 'in stage s2');
    $ctl->run('rollback');
    my $r = $ctl->finish($pid);
    is($r->{status}, 1, 'a rollback by canaryctl ends it');
    like(
        $r->{err},
        qr/"s2": (?:somebody else ended it, .* off|rolled back)/,
        'it does not begin anew'
    );
    is($ctl->split(), "canary sliceB off;\n", 'it stays off');

    $ctl->run('resume');
    $ctl->run('set', '25%', '--stage', 's2');
    ($pid, $out) = start();
    ok($t->wait_for(sub { $t->read($out) =~ /"stage":"s2"/ }), 'in stage s2');
    $t->stop();
    ok($t->wait_for(sub { $t->read($out) =~ /"event":"lost"/ }), 'no status');
    $t->start();
    ok($t->wait_for(sub { $t->read($out) =~ /"event":"found"/ }), 'and again');
    is($ctl->run('promote', '--force', '--reason', 'x')->{status},
        0, 'somebody else promotes');
    is($ctl->finish($pid)->{status}, 0, 'it goes on from there');
}

# a configuration that is broken elsewhere
{
    $ctl->run('set', '5%', '--stage', 's1');
    $ctl->break_config();
    my $r = $ctl->run('run', '--interval', '0.1');
    is($r->{status}, 1, 'a stage that cannot be begun: failed');
    like($r->{err}, qr/stage "s2" is not begun: .*no_such_directive/s, 'why');
    is($ctl->split(), "canary sliceB 5% stage=s1;\n", 'the split stays');
    $ctl->mend_config();
}

$t->no_alerts();

done_testing();

# run in the background: its pid, and the file of its output
sub start {
    my $pid = $ctl->spawn('run', '--json', '--interval', '0.1');
    return ($pid, $ctl->output($pid));
}

# those that were started with a setting of this test
sub processes {
    my @pids;
    for my $stat (glob '/proc/[0-9]*/stat') {
        my ($pid) = $stat =~ /(\d+)/;
        push @pids, $pid if $t->read("/proc/$pid/environ") =~ /\Q$dir\E/;
    }
    return @pids;
}
