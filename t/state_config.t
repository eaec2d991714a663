use strict;
use warnings;

# Each mistake in canary_state is one line with file and line; a test of the
# configuration, a signal and a reload that is refused touch no state file.

use Test::More;
use Canary;
use Canary::State;

my $t = Canary->new();
my $dir = $t->dir();
my $s = Canary::State->new($t, file => "$dir/state/good");

mkdir "$dir/folder" or die "mkdir: $!\n";
symlink "$dir/state", "$dir/alias" or die "symlink: $!\n";

wrong(["canary_state $dir/nowhere/file;"],
    "the folder of state file \"$dir/nowhere/file\" does not exist");
wrong(["canary_state $dir/nginx.conf/file;"],
    "the folder of state file \"$dir/nginx.conf/file\" does not exist");
wrong(["canary_state $dir/folder;"],
    "state file \"$dir/folder\" is a folder, it must be a file");
wrong(["canary_state $dir/folder/;"],
    "state file \"$dir/folder/\" is a folder, it must be a file");
wrong(["canary_state folder;"],
    "state file \"$dir/folder\" is a folder, it must be a file");
wrong(['canary_state "";'], '"canary_state" directive has an empty file name');
wrong(["canary_state $dir/state/a;\ncanary_state $dir/state/b;"],
    '"canary_state" directive is duplicate');
wrong(['canary_state;'],
    'invalid number of arguments in "canary_state" directive');
wrong(['canary_state a b;'],
    'invalid number of arguments in "canary_state" directive');

my $long = 'x' x 248;
wrong(["canary_state $dir/state/$long;"],
          "state file \"$dir/state/$long\" has a name that is too long,"
        . ' at most 247 bytes are allowed');
for my $name (qw(a.bad a.bad.7 .a.tmp .a.lock ..tmp ..lock)) {
    wrong(["canary_state $dir/state/$name;"],
              "state file \"$dir/state/$name\" has a name that is kept for what"
            . ' lies beside a state file, it must not end in ".bad" or'
            . ' ".bad.N", nor begin with "." and end in ".tmp" or ".lock"');
}
for my $same ("$dir/state/a", "$dir//state/./a", "$dir/alias/a", 'state/a') {
    my $path = $same =~ m{^/} ? $same : "$dir/$same";
    wrong(
        ["canary_state $dir/state/a;", "canary_state $same;"],
        "state file \"$path\" is that of split \"split1\" already,"
            . ' each must have its own'
    );
}

for my $valid (
    ["canary_state $dir/state/a;", "canary_state $dir/state/b;"],
    ["canary_state $dir/state/a;", "canary_state $dir/state/a.tmp;"],
    ["canary_state $dir/state/a;", "canary_state $dir/state/a.lock;"],
    ["canary_state $dir/state/.lock;", "canary_state $dir/state/.tmp;"],
    ['canary_state relative;'],
    ["canary_state $dir/state/bad;"],
    ["canary_state $dir/state/a.badge;"],
    ["canary_state $dir/state/a.7;"],
    ["canary_state $dir/state/" . 'x' x 247 . ';']
    )
{
    my ($exit, $output) = $t->test_config(splits(@$valid));
    is($exit, 0, 'valid') or diag($output);
}
ok(!-e "$dir/relative" && !-e "$dir/state/a", 'a test makes no file');

# beside an nginx that runs, and beside a file that cannot be trusted

$s->load('canary canary 100%;');
my $before = look();
my ($exit) = $t->test_config();
is($exit, 0, 'a test of a configuration with a state file');
is(look(), $before, 'without a file it makes none');

$t->start();
$s->rollback();
$t->stop();
$before = look();
is(($t->test_config())[0], 0, 'a test');
is(look(), $before, 'leaves the file as it is');

my $good = $t->read($s->file());
$t->write($s->file(), 'nonsense');
$before = look();
is(($t->test_config())[0], 0, 'a test with a damaged file');
is(look(), $before, 'leaves that as it is as well');
open my $out, '>:raw', $s->file() or die;
print {$out} $good;
close $out;

$t->start();
ok($s->written(), 'running');
$t->write('split', 'canary canary 200%;');
ok(!$t->reload(), 'a reload is refused');
is($s->of('state'), 'rolled_back', 'and changes nothing');
ok($s->written(), 'the file is written as before');

$t->no_alerts(allow => qr/200%/);
done_testing();

###############################################################################

sub splits {
    my (@states) = @_;

    my $n = 0;
    my @splits = map {
        $n++;
        "upstream split$n { server 127.0.0.1:%%PORT1%%; canary c 1%;\n$_\n}\n";
    } @states;

    return "upstream c { server 127.0.0.1:%%PORT2%%; }\n@splits"
        . 'server { listen 127.0.0.1:%%PORT0%%; }';
}

# the last of the directives is the one that is wrong
sub wrong {
    my ($states, $message) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my ($status, $output) = $t->test_config(splits(@$states));
    my @lines = split /\n/, $t->read('test.conf');
    my ($line) = grep { $lines[$_ - 1] =~ /^canary_state/ }
        reverse 1 .. @lines;

    my @emerg = grep { /\[emerg\]/ } split /\n/, $output;
    is_deeply(
        \@emerg,
        ["nginx: [emerg] $message in $dir/test.conf:$line"],
        substr $message,
        0, 70
    );
    is($status, 1, 'refused');
    return;
}

# all that is in the folder: names, times and contents
sub look {
    return join "\n",
        map { join ' ', $_, (stat)[1, 9], unpack('%32C*', $t->read($_)) }
        sort glob "$dir/state/*";
}
