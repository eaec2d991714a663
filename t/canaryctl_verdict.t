#!/usr/bin/perl

# canaryctl verdict: its exit status is the verdict.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

use JSON::PP ();

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t);
$t->http_upstream($t->port(1), name => 'old');
$t->start();

my $r = $ctl->run('verdict');
is($r->{status}, 3, 'without gates: pending');
like($r->{out}, qr/\Apending\n/, 'as it prints');

$t->post('/control/documents/rollback', 'by=ana&reason=too+slow');
$r = $ctl->run('verdict');
is($r->{status}, 1, 'rolled back: rollback');
like($r->{out}, qr/\Arollback\n/, 'as it prints');
like($r->{out}, qr/too slow/, 'with the reason');

# what gates say is served by a status of our own
my %split = (
    state => 'active',
    reason => '',
    verdict => 'go',
    generation => 7,
    gates => [
        {
            variant => 'sliceB',
            metric => 'p95',
            rule => '<=',
            limit => 0.5,
            status => 'pass',
            reason => "0.385 s of 0.5 s\e[31m"
        }
    ]
);
my $body = sub {
    my ($request) = @_;
    my ($verdict, $name) = $request->{uri} =~ m{^/(\w+)/(\w+)/};
    return JSON::PP::encode_json(
        {
            generation => 7,
            time => 1,
            splits => {$name => {%split, verdict => $verdict}}
        }
    );
};
$t->http_upstream($t->port(6), body => $body);

for my $case ([go => 0], [rollback => 1], [pending => 3]) {
    my ($verdict, $status) = @$case;
    my $url = 'http://127.0.0.1:%%PORT6%%/' . $verdict . '/documents/';

    $ctl->settings(url => $url);
    $r = $ctl->run('verdict');
    is($r->{status}, $status, "$verdict: exit status $status");
    like($r->{out}, qr/\A$verdict\n/, "$verdict is printed");
    like(
        $r->{out},
        qr/^pass sliceB p95 <= 500 ms: 0\.385 s of 0\.5 s/m,
        'with the reason of each gate'
    );
    unlike($r->{out}, qr/\e/, 'and without control characters');

    $r = $ctl->run('verdict', '--json');
    is($r->{status}, $status, "$verdict --json: the same exit status");
    is($r->{json}{verdict}, $verdict, 'and the verdict');
}

$ctl->settings(url => 'http://127.0.0.1:%%PORT6%%/go/another/');
$r = $ctl->run('verdict');
is($r->{status}, 1, 'a split that is not there: failed');
like($r->{err}, qr/no split "documents"/, 'it says so');
is($r->{out}, '', 'and prints no verdict');

$ctl->settings(url => 'http://127.0.0.1:%%PORT9%%/');
is($ctl->run('verdict')->{status}, 1, 'no answer: failed');

$t->no_alerts();

done_testing();
