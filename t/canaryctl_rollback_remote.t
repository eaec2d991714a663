#!/usr/bin/perl

# canaryctl rollback --remote: from any machine, with control_url alone.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new(
    $t,
    split => "canary sliceB 5%;\n",
    http => <<'CONF'
    server {
        listen 127.0.0.1:%%PORT4%%;
        location /canary/         { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
);
$t->start();
my $at = 'http://127.0.0.1:' . $t->port(0) . '/control';
my $other = 'http://127.0.0.1:' . $t->port(4) . '/canary/control';

unlink $t->dir() . '/canaryctl.conf';
my @cases = (
    ['a name', '--control-url', $at, '--upstream', 'documents'],
    ['the address of the split', '--control-url', "$at/documents"],
    ['the only split there is', '--control-url', "$other/"],
);
for my $case (@cases) {
    my ($name, @args) = @$case;
    my $r = $ctl->run('rollback', '--remote', @args, '--reason', 'slow');
    is($r->{status}, 0, "$name: done") or diag($r->{err});
    like(
        $r->{err},
        qr/warning: settings file .* cannot be read$/,
        'without settings'
    );
    like($r->{out}, qr/^documents: rolled back in \d+\.\d{3} s/, 'it says so');
    is($ctl->state()->{state}, 'rolled_back', 'it is rolled back');
    $t->post('/control/documents/resume', '');
}
is($ctl->split(), "canary sliceB 5%;\n", 'the split file is as it was');

$ctl->env()->{CANARYCTL_CONTROL_URL} = "$at/documents/";
is($ctl->run('rollback', '--remote')->{status}, 0, 'by the environment');
is($ctl->state()->{state}, 'rolled_back', 'it is rolled back');
delete $ctl->env()->{CANARYCTL_CONTROL_URL};
$t->post('/control/documents/resume', '');

is($ctl->run('rollback', '--remote')->{status}, 2, 'no control_url');

# answers that are none
$t->http_upstream($t->port(5), body => '<html>200</html>');
for my $url (
    "$at/nothing",
    "http://127.0.0.1:" . $t->port(5) . '/',
    "http://127.0.0.1:" . $t->port(9) . '/',
    "https://127.0.0.1:" . $t->port(0) . '/control/documents'
    )
{
    my $r = $ctl->run('rollback', '--remote', '--control-url', $url);
    is($r->{status}, 1, "$url: failed");
    like($r->{err}, qr/^canaryctl: not rolled back: http/m, 'it says so');
}
is($ctl->state()->{state}, 'active', 'nothing was rolled back');

$t->no_alerts();

done_testing();
