#!/usr/bin/perl

# canaryctl set: a reload that only the master refuses is undone.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

use IO::Socket::INET;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t,
    settings => {timeout => 5 * $t->slow(), control_url => undef});
$t->start();

my $generation = $ctl->generation();

# the configuration test does not mind a port in use
my $taken = IO::Socket::INET->new(
    LocalAddr => '127.0.0.1',
    LocalPort => $t->port(5),
    Listen => 1
) or die "listen: $!\n";
$t->write('extra/taken.conf', 'server { listen 127.0.0.1:%%PORT5%%; }');
is(($t->test_config())[0], 0, 'nginx -t accepts the configuration');

my $r = $ctl->run('set', '50%');

is($r->{status}, 1, 'refused');
like($r->{err}, qr/bind\(\)|could not bind/, 'with the reason of the log');
is($ctl->split(), "canary sliceB 5%;\n", 'the split file is as it was');
is_deeply([$ctl->leftovers()], [], 'no other file is left');
is($ctl->generation(), $generation, 'the old generation serves');

$r = $ctl->run('rollback');
is($r->{status}, 1, 'rollback without a control_url: refused');
is($ctl->split(), "canary sliceB off;\n", 'but the split file says off');

# an attempt to bind takes nginx up to 2.5 s, and each signal starts one
close $taken;
ok(
    $t->wait_for(
        sub {
            my $r = $ctl->run('set', '50%', '--force', '--reason', 'x');
            return $r->{status} == 0;
        },
        20
    ),
    'accepted once the port is free'
);

$t->no_alerts(allow => qr/bind\(\)|still could not bind/);

done_testing();
