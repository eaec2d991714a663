use strict;
use warnings;

# docs/directives.md has a section for each directive of the module, for each
# variable, and for nothing else; it quotes every message of the configuration
# and its examples are valid.

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;
use Canary;

my $root = abs_path(dirname(__FILE__) . '/..');
my $t = Canary->new();
my $docs = $t->read("$root/docs/directives.md");

my @source =
    $t->read("$root/ngx_canary_module.c") =~ /ngx_string\("(canary\w*)"\)/g;
my @sections = $docs =~ /^### (canary\w*)$/mg;

ok(@source > 10, 'the module has directives');
is_deeply(\@sections, [sort @source], 'each directive, alphabetically');

for my $name (@sections) {
    my $section = section($name);
    for my $row (qw(syntax default context)) {
        like($section, qr/^\| \*\*$row\*\* \| .+ \|$/m, "$name: $row");
    }
    like($section, qr/^```nginx$/m, "$name: example");
}


# variables: what the code registers, a prefix with a name behind it

my $code = $t->read("$root/src/http/ngx_canary_variables.c");
my ($prefix) = $code =~ /define NGX_CANARY_PREFIX\s+"(\w+)"/;
my @variables = $code =~ /^    \{ ngx_string\("(canary\w+)"\)/mg;
my @documented = $docs =~ /^\| `\$(canary_\w+)` \|/mg;

ok(@variables > 5, 'the module has variables');
is_deeply(
    [sort @documented],
    [sort @variables, "${prefix}NAME"],
    'each variable'
);


# messages: the text up to the first value is enough to find them by

my $messages = 0;
for my $file (glob "$root/src/http/ngx_canary_conf*.c $root/src/http/*vari*.c")
{
    my $text = $t->read($file);
    while ($text =~
        /NGX_LOG_EMERG,\s*cf(?:->log)?,\s*0,\s*((?:"(?:\\.|[^"\\])*"\s*)+)/g)
    {
        message($1, "");
    }
    while ($text =~ /return\s+((?:"(?:\\.|[^"\\])*"\s*)+);/g) {
        message($1, q([^`\n]*));
    }
}
ok($messages > 30, "$messages messages were found");


# examples

for my $name (@sections) {
    my $n = 0;
    for my $example (section($name) =~ /^```nginx\n(.*?)^```$/msg) {
        my ($exit, $output) = $t->test_config(around($example));
        is($exit, 0, "$name: example " . ++$n . ' is valid') or diag($output);
    }
}

$t->no_alerts();
done_testing();

###############################################################################

sub section {
    my ($name) = @_;

    my ($section) = $docs =~ /^### $name\n(.*?)(?=^##|\z)/ms;
    return defined $section ? $section : '';
}

# a format of C, with * for each value, is quoted as code
sub message {
    my ($literals, $prefix) = @_;

    my $text = join '', $literals =~ /"((?:\\.|[^"\\])*)"/g;
    $text =~ s/\\(.)/$1/g;
    $text =~ s/ in %s:%ui$//;

    my @parts = map { quotemeta s/%%/%/gr }
        split /%(?:V|d|ui|uD|04uD|s|\*s)/, $text, -1;
    my $pattern = join '[^`\n]+?', @parts;
    $messages++;

    return like($docs, qr/`$prefix$pattern`/, "message: $text");
}

# the upstreams that examples name, and what stands around theirs
sub around {
    my ($example) = @_;

    $example =~ s/\.\.\.//g;
    $example =~ s{/var/lib/nginx/canary/}{%%DIR%%/}g;
    return
          $example =~ /^\s*upstream documents /m ? others() . $example
        : $example =~ /^(?:server|log_format|map|proxy_cache_path) /m
        ? others() . documents('') . $example
        : $example =~ /^location /m ? others()
        . documents('')
        . "server { listen 127.0.0.1:%%PORT0%%; $example }"
        : others() . documents($example);
}

sub others {
    return join "\n",
        map { "upstream $_ { server 127.0.0.1:%%PORT1%%; }" }
        qw(sliceB_documents sliceC_documents);
}

sub documents {
    my ($body) = @_;

    my $canary = $body =~ /^canary /m ? '' : 'canary sliceB_documents 5%;';
    return "upstream documents { server 127.0.0.1:%%PORT2%%; $canary $body }";
}
