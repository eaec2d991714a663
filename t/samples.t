use strict;
use warnings;

# Every sample of conf.d is what nginx, or canaryctl, takes as it is; a sample
# that is not tried here fails.

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use Test::More;
use Canary;

my $root = abs_path(dirname(__FILE__) . '/..');
my $t = Canary->new();
my $dir = $t->dir();

mkdir "$dir/$_" for qw(canary modules temp);
symlink $t->_module(), "$dir/modules/ngx_http_canary_module.so";

# where each sample stands in a configuration
my %around = (
    'demo.conf' => '',
    'documents.conf' => 'SAMPLE',
    'documents.split' =>
        'upstream sliceB_documents { server 127.0.0.1:%%PORT1%%; }'
        . ' upstream documents { server 127.0.0.1:%%PORT2%%; SAMPLE }',
    'events.conf' => 'SAMPLE',
    'log.conf' => 'SAMPLE access_log %%DIR%%/access.log canary;',
    'status.conf' => 'SAMPLE',
);

# the folders in it have tests of their own
my @samples = map { basename($_) } grep { -f } glob "$root/conf.d/*";
for my $name (@samples) {
    my $text = $t->read("$root/conf.d/$name");
    my $port = $t->port(0);
    $text =~ s/:8080\b/:$port/g;
    $t->write("canary/$name", $text);
}

for my $name (@samples) {
    next if $name =~ /^(?:(?:canaryctl|evidence-sources)\.conf|signoffs)$/;

    if (!defined $around{$name}) {
        fail("$name is tried");
        next;
    }

    my ($exit, $output);
    if ($name eq 'demo.conf') {
        $t->write('nginx.conf', $t->read("canary/$name"));
        ($exit, $output) = $t->test_config();

    } else {
        my $http = $around{$name} =~ s{SAMPLE}{include canary/$name;}r;
        ($exit, $output) = $t->test_config($http);
    }

    is($exit, 0, "$name: nginx takes it") or diag($output);
    unlike($output, qr/\[(?:warn|error|emerg)\]/, "$name: and says nothing");
}


# the http block of the README, and its split file
{
    my ($conf) = $t->read("$root/README.md") =~
        /^```nginx\nload_module .*?^http \{\n(.*?)^\}\n```$/ms;
    my $port = $t->port(0);
    $conf =~ s{\blisten 80;}{listen 127.0.0.1:$port;};
    $conf =~ s{/var/lib/nginx/canary/}{$dir/canary/};
    my ($exit, $output) = $t->test_config($conf);
    is($exit, 0, "README.md: nginx takes it") or diag($output);

    my ($shown) = $conf =~ /documents\.split;\s*# (.*)/;
    is($t->read("canary/documents.split"),
        "$shown\n", "README.md: the split file");
}

# settings that are wrong end canaryctl with 2, a server that is away with 1;
# collect-evidence.sh has the same settings
for my $command (qw(canaryctl collect-evidence.sh)) {
    my $conf = "$dir/canary/canaryctl.conf";
    delete local @ENV{grep { /^CANARYCTL_/ } keys %ENV};
    my $text = $t->read($conf);
    $text =~ s{"/etc/nginx/}{"$dir/}g;
    $text =~ s{"/var/log/nginx/}{"$dir/}g;
    $text =~ s{^#([a-z_]+=")}{$1}mg;
    $t->write($conf, $text);

    my $what = $command eq 'canaryctl' ? 'status' : 'stage1_5pct';
    my $output = `'$root/scripts/$command' --conf '$conf' $what 2>&1`;
    is($? >> 8, 1, "canaryctl.conf: $command takes it") or diag($output);
    like(
        $output,
        qr{http://127\.0\.0\.1:\d+/canary/status\.json},
        "canaryctl.conf: and $command asks its url"
    );
}

# who has to agree: nobody did yet
{
    my $canaryctl =
          "'$root/scripts/canaryctl' --conf '$dir/canary/canaryctl.conf'"
        . " --evidence-dir '$dir/evidence' --prometheus ''"
        . " --signoffs '$dir/canary/signoffs'";
    my $output = `$canaryctl preflight --json 2>&1`;
    like(
        $output,
        qr/"Sign-offs obtained \(stakeholders: 8\)","ok":false/,
        'signoffs: preflight takes it'
    );
}

$t->no_alerts();
done_testing();
