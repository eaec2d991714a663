#!/usr/bin/perl

# canaryctl preflight: a rollback is rehearsed for real, measured, and taken
# back; not while users are on a canary, unless told to.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

use JSON::PP ();

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t,
    split => "canary sliceB 0% stage=s0;\ncanary sliceC 0%;\n");
$t->http_upstream($t->port($_->[0]), name => $_->[1])
    for [1, 'old'], [2, 'new'], [3, 'other'];
$t->start();
my $said = $ctl->said_url();

# what preflight says about the rollback
sub rollback {
    my (@args) = @_;

    my $r = $ctl->run('preflight', '--json', @args);
    my ($check) = grep { $_->{check} eq 'rollback' } @{$r->{json}{checks}};
    return ($check->{ok} ? 1 : 0, $check->{text}, $r);
}

# what a rehearsal must leave as it was
sub in_force {
    my $split = $ctl->state();

    return [@$split{qw(state reason generation)}, $split->{stage}{name},
        map { [@$_{qw(share configured_share)}] }
            @{$split->{variants}}{qw(sliceB sliceC)}];
}

# how many the metrics count
sub counted {
    my ($cause) = @_;

    my ($n) = $t->get('/canary/metrics')->{body} =~
        /^nginx_canary_rollbacks_total\{.*cause="$cause"\} (\d+)$/m;
    return $n;
}

sub rollbacks {
    return grep { $_->{event} eq 'rollback' } @{$ctl->state()->{journal}};
}

for my $set ('0%', 'off') {
    $ctl->run('set', $set, '--stage', 's0');
    my $before = in_force();
    my $began = $ctl->state()->{stage}{started_at};
    my $count = rollbacks();
    my $rehearsed = counted('rehearsal');

    my ($ok, $text, $r) = rollback('--by', 'ana');
    is($ok, 1, "$set: rehearsed") or diag(explain($r));
    like($text, qr/^in force in (\d+\.\d{3}) s(?:, more than .*;|,) re-armed$/,
        'and measured');
    my ($seconds) = $text =~ /in force in (\d+\.\d+)/;
    cmp_ok($r->{json}{rollback_seconds}, '==', $seconds, 'as a number too');

    is_deeply(in_force(), $before, 'all is as it was');
    my $kept = JSON::PP::decode_json($t->read('evidence/kept/preflight.json'));
    is_deeply(
        [
            $kept->{splits}{documents}{stage}{started_at},
            $kept->{splits}{documents}{state}
        ],
        [$began, $before->[0]],
        'the status before is kept'
    );
    is(scalar rollbacks(), $count + 1, 'it was done for real');
    my @last = @{$ctl->state()->{journal}}[-2, -1];
    is_deeply(
        [map { $_->{event} } @last],
        [qw(rollback resume)],
        'the journal has both halves'
    );
    like($_->{text}, qr/^by ana: rehearsal /, 'and says what it was') for @last;
    is(counted('rehearsal'), $rehearsed + 1, 'the metrics as well');
    is(counted('operator'), 0, 'which have no other');

    my $log = ($ctl->log())[-1];
    is_deeply(
        [@$log{qw(command reason result by)}],
        ['preflight', 'rehearsal of a rollback', 'done', 'ana'],
        'changes.log too'
    );
    cmp_ok($log->{seconds}, '==', $seconds, 'with the time that it took');
}

# nginx begins the stage anew when it is re-armed
{
    my $late = $t->port(8);
    $t->http_upstream(
        $late,
        body => sub {
            my ($request) = @_;
            my $r = $t->post("/control$request->{uri}", $request->{body});
            $ctl->say(stage => {started_at => time, elapsed => 0})
                if $request->{uri} =~ /resume/;
            return $r->{body};
        }
    );
    $ctl->settings(
        url => $said,
        control_url => "http://127.0.0.1:$late/"
    );
    my ($ok, $text) = rollback();
    is($ok, 1, 'a stage that began anew') or diag($text);
    $ctl->settings();
}

# a module that is older, and still in memory, knows no cause
{
    my $old = $t->port(4);
    $t->http_upstream(
        $old,
        status => sub { $_[0]{body} =~ /cause=/ ? 400 : 200 },
        body => sub {
            my ($request) = @_;
            return '{"error":"unknown field"}' if $request->{body} =~ /cause=/;
            return $t->post("/control$request->{uri}", $request->{body})
                ->{body};
        }
    );
    $ctl->settings(control_url => "http://127.0.0.1:$old/");
    my ($ok, $text) = rollback('--by', 'ana');
    is($ok, 1, 'an older module') or diag($text);
    is(counted('operator'), 1, 'counts it as any other');
    my @last = @{$ctl->state()->{journal}}[-2, -1];
    like(
        $_->{text},
        qr/^by ana: rehearsal /,
        "its $_->{event} says what it was"
    ) for @last;
    is($ctl->state()->{state}, 'active', 're-armed');
    $ctl->settings();
}

# users are on a canary, be it another one of the split
$t->write('split/documents.split',
    "canary sliceB 0% stage=s0;\ncanary sliceC 100%;\n");
$t->reload();
is($ctl->variant('x'), 'other', 'a canary serves');
my $count = rollbacks();
my ($ok, $text) = rollback();
is($ok, 0, 'a live canary: not rehearsed');
is($text, 'not rehearsed, sliceC has 100%; --rehearse does it all the same',
    'why');
is(scalar rollbacks(), $count, 'nothing was rolled back');

($ok, $text) = rollback('--rehearse');
is($ok, 1, '--rehearse: rehearsed');
is(scalar rollbacks(), $count + 1, 'for real');
is($ctl->variant('x'), 'other', 'the canary serves again');
is($ctl->state()->{state}, 'active', 'it is active again');

# somebody else's rollback is never taken back
$t->post('/control/documents/rollback', 'by=ben&reason=slow');
($ok, $text) = rollback('--rehearse');
is($ok, 0, 'rolled back already: not rehearsed');
is($text, 'not rehearsed, it is rolled back: by ben: slow', 'why');
is($ctl->state()->{state}, 'rolled_back', 'it stays rolled back');

# also when the status did not show it yet
$ctl->settings(url => $said);
$ctl->say(state => 'active');
($ok, $text) = rollback('--rehearse');
is($ok, 0, 'rolled back in between: not rehearsed');
is($text, 'somebody else rolled back meanwhile', 'why');
is($ctl->state()->{reason}, 'by ben: slow', 'it stays rolled back');
$ctl->say();
$t->post('/control/documents/resume', '');

# the control location is missing, away, or another one
$ctl->settings(control_url => undef);
($ok, $text) = rollback('--rehearse');
is("$ok $text", '0 not rehearsed, "control_url" is not set', 'no control_url');
for my $url ('http://127.0.0.1:%%PORT9%%/',
    'http://127.0.0.1:%%PORT0%%/canary/')
{
    $ctl->settings(control_url => $url);
    ($ok, $text) = rollback('--rehearse');
    is($ok, 0, "control_url $url");
    like($text, qr{^http://127\.0\.0\.1:\d+/}, 'why');
    is($ctl->state()->{state}, 'active', 'it is active');
}

# it answers, but too late: what is in force is taken back
my $late = $t->port(7);
$t->http_upstream(
    $late,
    body => sub {
        my ($request) = @_;
        my $r = $t->post("/control$request->{uri}", $request->{body});
        if ($request->{uri} =~ /rollback/) {
            $t->write('posted', '');
            sleep 8;
        }
        return $r->{body};
    }
);
$ctl->settings(control_url => "http://127.0.0.1:$late/");
($ok, $text) = rollback('--rehearse');
is($ok, 0, 'no answer in time');
is($ctl->state()->{state}, 'active', 're-armed all the same');

# interrupted in between
unlink $t->dir() . '/posted';
my $pid = $ctl->spawn('preflight', '--rehearse');
ok($t->wait_for(sub { -e $t->dir() . '/posted' }), 'rolled back');
is($ctl->state()->{state}, 'rolled_back', 'for real');
kill 'TERM', $pid;
is($ctl->finish($pid)->{status}, 1, 'interrupted');
is($ctl->state()->{state}, 'active', 're-armed');

is($ctl->run('preflight', '--force')->{status}, 2, 'an unknown option');

$t->no_alerts();

done_testing();
