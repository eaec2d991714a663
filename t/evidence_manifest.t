#!/usr/bin/perl

# collect-evidence.sh verify: the manifest, its signature, and each file that
# no longer fits.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Evidence;

my $t = Canary->new();
my $ev = Canary::Evidence->new($t, split => "canary sliceB 20% stage=s1;\n");
my $dir = $t->dir();

$t->http_upstream($t->port(1), name => 'old');
$t->http_upstream($t->port(2), name => 'new');
$t->start();
$t->get("/?user=$_") for 1 .. 50;

my $r = $ev->collect('verify');
is($r->{status}, 1, 'nothing was collected yet');
like($r->{err}, qr/there is no ".*MANIFEST\.sha256"/, 'and it says so');

$ev->collect('s1');
is(system("cd '$dir/evidence' && sha256sum --quiet -c MANIFEST.sha256"),
    0, 'sha256sum takes the manifest');
my @listed = $t->read('evidence/MANIFEST.sha256') =~ /  (.*)$/mg;
is_deeply(
    [sort @listed],
    [grep { !/^MANIFEST/ } $ev->files()],
    'every file is in it'
);
$r = $ev->collect('verify');
is($r->{status}, 0, 'all as it was') or diag($r->{err});
like($r->{out}, qr/^signature: there is none\n\d+ files, all/, 'not signed');

# what people and canaryctl go on writing
$t->write("evidence/$_", "{}\n")
    for qw(changes.log decisions.jsonl incidents.jsonl preflight.json
    lessons.md);
is($ev->collect('verify')->{status}, 0, 'what lives on is not in it');

my %keys = (
    rsa => '-algorithm RSA -pkeyopt rsa_keygen_bits:2048',
    ec => '-algorithm EC -pkeyopt ec_paramgen_curve:P-256',
    ed25519 => '-algorithm ED25519',
);
for my $name (sort keys %keys) {
    system("openssl genpkey $keys{$name} -out '$dir/$name.pem' 2>'$dir/x' && "
            . "openssl pkey -in '$dir/$name.pem' -pubout -out '$dir/$name.pub'"
    );
}

my ($openssl) = `openssl pkeyutl -help 2>&1` =~ /(-rawin)/;
is($openssl, '-rawin', 'this OpenSSL signs with Ed25519');

for my $name (sort keys %keys) {
    unlink glob "$dir/evidence/*";
    $ev->settings(signing_key => "%%DIR%%/$name.pem");
    $ev->collect('s1');
    $ev->settings(public_key => "%%DIR%%/$name.pub");
    $r = $ev->collect('verify');
    is($r->{status}, 0, "$name: the signature fits") or diag($r->{err});
    like($r->{out}, qr/^signature: fits .*$name\.pub$/m, 'and it says so');

    $ev->settings();
    $r = $ev->collect('verify');
    is($r->{status}, 0, 'without a key the files are checked');
    like($r->{out}, qr/^signature: not checked/m, 'and that only');

    $ev->settings(
        public_key => '%%DIR%%/' . ($name eq 'ec' ? 'rsa' : 'ec') . '.pub');
    $r = $ev->collect('verify');
    is($r->{status}, 1, "$name: another key");
    like($r->{err}, qr/does not fit its signature/, 'does not fit');
}

# each mismatch is named; each starts from the same folder
my $manifest = $t->read('evidence/MANIFEST.sha256');
my $page = $t->read('evidence/s1.md');
my $first = (split /\n/, $manifest)[0];
my @cases = (
    [
        'a byte more', sub { $t->write('evidence/s1.md', "$page ") },
        'evidence/s1.md', qr/s1\.md was changed/
    ],
    [
        'a file that is gone',
        sub { unlink "$dir/evidence/s1.md" },
        'evidence/s1.md',
        qr/s1\.md is missing/
    ],
    [
        'a file too many',
        sub { $t->write('evidence/s2.json', '{}') },
        undef, qr/s2\.json is not in MANIFEST/
    ],
    [
        'a line less',
        sub {
            $t->write('evidence/MANIFEST.sha256',
                $manifest =~ s/^.*s1\.md\n//mr);
        },
        'evidence/MANIFEST.sha256',
        qr/s1\.md is not in .*does not fit its signature/s
    ],
    [
        'a line that is none',
        sub { $t->write('evidence/MANIFEST.sha256', "x\n$manifest") },
        'evidence/MANIFEST.sha256',
        qr/line 1 of .*does not fit its signature/s
    ],
    [
        'a path in a line',
        sub {
            $t->write('evidence/MANIFEST.sha256',
                $manifest . ('0' x 64) . "  ../nginx.conf\n");
        },
        'evidence/MANIFEST.sha256',
        qr/line \d+ of .*does not fit its signature/s
    ],
    [
        'a signature of something else',
        sub { $t->write('evidence/MANIFEST.sha256.sig', 'x' x 64) },
        'evidence/MANIFEST.sha256.sig',
        qr/does not fit its signature/
    ],
    [
        'no signature',
        sub { unlink "$dir/evidence/MANIFEST.sha256.sig" },
        'evidence/MANIFEST.sha256.sig',
        qr/is not signed/
    ],
);
$ev->settings(public_key => '%%DIR%%/rsa.pub');
for my $case (@cases) {
    my ($name, $change, $file, $message) = @$case;
    my $was = defined $file ? $t->read($file) : undef;
    $change->();
    $r = $ev->collect('verify');
    is($r->{status}, 1, $name);
    like($r->{err}, $message, 'is named');
    $t->write($file, $was) if defined $file;
    unlink "$dir/evidence/s2.json";
}
is($ev->collect('verify')->{status}, 0, 'as it was again');

# collecting anew does not cover it up
$t->write('evidence/s1.md', "$page ");
$ev->settings(signing_key => '%%DIR%%/rsa.pem');
is($ev->collect('s1')->{status}, 0, 'a stage is collected anew');
$r = $ev->collect('verify');
is($r->{status}, 1, 'what was changed before');
like($r->{err}, qr/s1\.md was changed/, 'is still known as changed');
$t->write('evidence/s1.md', $page);

$t->write('evidence/MANIFEST.sha256',
    $t->read('evidence/MANIFEST.sha256') =~ s/^.*s1\.md\n//mr);
my @before = $ev->files();
$r = $ev->collect('s1');
is($r->{status}, 1, 'a manifest that was changed');
like(
    $r->{err},
    qr/does not fit its signature, nothing is added/,
    'is not signed'
);
is_deeply([$ev->files()], \@before, 'and nothing is written');

$t->no_alerts();

done_testing();
