#!/usr/bin/perl

# canaryctl resume: re-arms a split that is rolled back.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

use JSON::PP ();

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 100% stage=s1;\n");
$t->http_upstream($t->port(1), name => 'old');
$t->http_upstream($t->port(2), name => 'new');
$t->start();

$t->post('/control/documents/rollback', '');
is($ctl->variant('a'), 'old', 'rolled back before');

my $r = $ctl->run('resume', '--reason', 'mended', '--by', 'ana');
is($r->{status}, 0, 'resumed');
like(
    $r->{out},
    qr/resumed in \d+\.\d{3} s, active, sliceB has 100%$/m,
    'with the share that is in force'
);
is($ctl->variant('a'), 'new', 'the canary serves again');

my ($event) = grep { $_->{event} eq 'resume' } @{$ctl->state()->{journal}};
like($event->{text}, qr/ana/, 'the journal tells who');
like($event->{text}, qr/mended/, 'and why');

# what the stage held before is kept, each time
my $kept = sub {
    return JSON::PP::decode_json($t->read("evidence/kept/$_[0].json"))
        ->{splits}{documents};
};
is($kept->('s1')->{state}, 'rolled_back', 'the status before is kept');
my $first = $kept->('s1')->{stage}{started_at};
is($kept->('s1')->{variants}{sliceB}{stage}{requests},
    0, 'with the figures of the stage');
$t->write('split/documents.split', "canary sliceB 50%;\n");
$t->reload();
$t->write('split/documents.split', "canary sliceB 100% stage=s1;\n");
$t->reload();
$t->post('/control/documents/rollback', '');
is($ctl->run('resume')->{status}, 0, 'the same stage once more');
is($kept->('s1.1')->{stage}{started_at}, $first, 'the first is still there');
isnt($kept->('s1')->{stage}{started_at}, $first, 'beside the second');

$r = $ctl->run('resume');
is($r->{status}, 0, 'resume of an active split is no error');
like($r->{out}, qr/was not rolled back/, 'but it says so');

$ctl->settings(upstream => 'nothing');
$r = $ctl->run('resume');
is($r->{status}, 1, 'an unknown split is refused');
like($r->{err}, qr/404/, 'with the status of the answer');

$ctl->settings(control_url => undef);
is($ctl->run('resume')->{status}, 2, 'it needs a control_url');

$t->no_alerts();

done_testing();
