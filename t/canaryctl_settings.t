#!/usr/bin/perl

# canaryctl: settings from options, environment and file, never executed.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t);
$t->start();

my $dir = $t->dir();
my $good = $t->read('canaryctl.conf');
my $none = 'http://127.0.0.1:' . $t->port(9) . '/';
my $url = 'http://127.0.0.1:' . $t->port(0) . '/canary/';

$ctl->settings(url => $none);
is($ctl->run('status')->{status}, 1, 'the file is read');
$ctl->env()->{CANARYCTL_URL} = $url;
is($ctl->run('status')->{status}, 0, 'the environment goes before it');
is($ctl->run('status', '--url', $none)->{status},
    1, 'an option goes before both');
is($ctl->run("--url=$url", 'status')->{status}, 0, 'in either form and place');

$ctl->env()->{CANARYCTL_URL} = '';
is($ctl->run('status')->{status}, 2, 'an empty variable counts as set');
delete $ctl->env()->{CANARYCTL_URL};

$ctl->settings();
$ctl->env()->{CANARYCTL_CONF} = "$dir/canaryctl.conf";
is($ctl->run('status')->{status}, 0, 'the file from the environment');
delete $ctl->env()->{CANARYCTL_CONF};

$t->write(
    'canaryctl.conf',
    "\n# comment\n  \t\n" . join "\r\n",
    map { "  $_  # why" } split /\n/, $good
);
is($ctl->run('status')->{status},
    0, 'comments, blanks, CR, and no line feed at the end');

# whatever a value holds, a shell never sees it; as a path it is relative
chdir $dir or die "cannot change to $dir: $!\n";
for my $value (
    "\${x:=\$(touch $dir/executed)}`touch $dir/executed`",
    "; touch $dir/executed;",
    "x' ; touch $dir/executed ; '",
    "a[\$(touch $dir/executed)]"
    )
{
    for my $key (qw(url upstream canary split_file nginx timeout)) {
        $ctl->settings($key => $value);
        $ctl->run('set', '5%');
    }

    # those that a change gets by: once for all of them, as each takes a reload
    $ctl->settings(map { ($_ => $value) } qw(control_url stages evidence_dir));
    $ctl->run($_, $_ eq 'set' ? '5%' : ()) for qw(set promote resume);
}
ok(!-e "$dir/executed", 'no value of the file is executed');
chdir '/';

for my $line (
    'url=unquoted',
    'url="no end',
    "url='single'",
    'url="a" "b"',
    'url="a"; touch x',
    'export url="a"',
    'no_such_key="x"',
    '$(touch x)'
    )
{
    $t->write('canaryctl.conf', "# first\n$line\n");
    my $r = $ctl->run('status');
    is($r->{status}, 2, "line '$line' is a mistake");
    like($r->{err}, qr/canaryctl\.conf:2/, 'with file and line');
}

$t->no_alerts();

done_testing();
