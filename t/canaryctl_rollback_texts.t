#!/usr/bin/perl

# canaryctl rollback: no text and no setting keeps it from happening.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 5%;\n");
$t->start();
my $dir = $t->dir();
my $good = $t->read('canaryctl.conf');

# rolls back from the location alone, which takes no reload
sub roll_back {
    my ($name, @args) = @_;

    my $r = $ctl->run('rollback', '--remote', @args);
    is($r->{status}, 0, "$name: done") or diag($r->{err});
    my $split = $ctl->state();
    is($split->{state}, 'rolled_back', 'it is rolled back');
    $t->post('/control/documents/resume', '');
    return ($r->{err}, $split->{reason});
}

my ($err, $reason) = roll_back('two lines', '--reason', "two\nlines");
is($reason, 'by root: two lines', 'the reason in one line') if $> == 0;
like($err, qr/warning: "reason" has control characters/, 'it says so');

($err, $reason) = roll_back('U+0085', '--by', "a\xc2\x85b", '--reason', 'x');
is($reason, 'by a b: x', 'a blank in its place');
like($err, qr/warning: "by" has control characters/, 'it says so');

($err, $reason) = roll_back('not UTF-8', '--by', 'ana', '--reason', "a\xff");
is($reason, "by ana: a\x{fffd}", 'what it stands for');
like($err, qr/is not UTF-8/, 'it says so');

($err, $reason) = roll_back('1.5 KB', '--by', 'ana', '--reason', 'x' x 1536);
like($reason, qr/^by ana: x{500,}$/, 'cut');
like($err, qr/"reason" is too long, it is recorded up to its byte 1\d\d\d$/m,
    'it says so');

# 3 bytes for each byte, and none of them is half a character
($err, $reason) = roll_back(
    'long and odd',
    '--by',
    "\xc3\xbc" x 300,
    '--reason',
    "\xe2\x82\xac" x 900
);
like($reason, qr/^by \x{fc}{32}: \x{20ac}+$/, 'both cut between characters');

($err, $reason) = roll_back('100 KB', '--reason', "\n\xff" x 50_000);
like($err, qr/warning: "reason"/, 'it says so');

# settings
for my $line (
    'no_such_key="x"', 'nonsense',
    "url='x'", 'timeout="never"',
    'stages="nonsense"', 'canary="a b;"'
    )
{
    $t->write('canaryctl.conf', "$line\n$good");
    roll_back("line '$line'");
}
$t->write('canaryctl.conf', $good);
roll_back('--timeout 0', '--timeout', '0');

# an evidence folder that is none
$ctl->settings(evidence_dir => '%%DIR%%/nginx.conf');
($err) = roll_back('a file for evidence_dir');
like($err, qr/warning: .*changes\.log" cannot be written/, 'it says so');

# what is missing in cron: PATH, HOME, a proxy that leads nowhere
$ctl->settings();
my $none = 'http://127.0.0.1:' . $t->port(9);
%{$ctl->env()} = (http_proxy => $none, ALL_PROXY => $none, no_proxy => 'x');
roll_back('a proxy of the environment');
%{$ctl->env()} = (PATH => '/usr/bin:/bin', HOME => '/no/such/folder');
$ctl->settings(
    nginx => 'nginx -p %%DIR%% -e %%DIR%%/ctl.log -c ' . '%%DIR%%/nginx.conf')
    if !$ENV{TEST_NGINX_BINARY};
my $r = $ctl->run('rollback');
is($r->{status}, 0, 'PATH of cron');
is($r->{err}, '', 'nginx is found');
%{$ctl->env()} = ();

# jq is missing: bash alone
$ctl->settings();
$ctl->run('resume');
mkdir "$dir/bin" or die "mkdir: $!\n";
for my $path (glob '/usr/bin/* /bin/*') {
    my ($name) = $path =~ m{([^/]+)$};
    symlink $path, "$dir/bin/$name" if $name ne 'jq' && !-e "$dir/bin/$name";
}
%{$ctl->env()} = (PATH => "$dir/bin");
$t->write('split/documents.split', "canary sliceB 5%;\n");
$r = $ctl->run('rollback', '--reason', "a\nb \xe2\x82\xac", '--by', 'ana');
is($r->{status}, 0, 'no jq: done') or diag($r->{err});
like($r->{err}, qr/warning: "jq" is not installed/, 'it says so');
ok((grep { $_->{text} eq 'by ana: a?b ???' } @{$ctl->state()->{journal}}),
    'in plain letters');
is($ctl->split(), "canary sliceB off;\n", 'the split file says off');
is($ctl->run('set', '5%')->{status}, 1, 'other commands are refused');
%{$ctl->env()} = ();

$t->no_alerts();

done_testing();
