#!/usr/bin/perl

# collect-evidence.sh: pictures of the status page and of configured ones.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Evidence;

my $t = Canary->new();
my $ev = Canary::Evidence->new($t, split => "canary sliceB 20% stage=s1;\n");
my $dir = $t->dir();
my $url = 'http://127.0.0.1:' . $t->port(5);

$t->http_upstream($t->port(1), name => 'old');
$t->http_upstream($t->port(2), name => 'new');
$t->http_upstream(
    $t->port(5),
    headers => {'Content-Type' => 'text/html'},
    status => sub { $_[0]{uri} =~ /missing/ ? 404 : 200 },
    body => '<title>a board</title><h1>a board</h1>'
);
$t->start();
$t->get("/?user=$_") for 1 .. 50;

# width and height as the PNG has them; undef if it is none
sub size {
    my ($name) = @_;

    my $bytes = $t->read("evidence/$name");
    return if $bytes !~ /\A\x89PNG\r\n\x1a\n....IHDR(....)(....)/s;
    return join ' x ', unpack 'NN', $1 . $2;
}

$ev->settings(grafana => "$url/a Datadog=$url/b?x=1");
my $r = $ev->collect('s1');
is($r->{status}, 0, 'complete, with three pictures') or diag($r->{err});
my $doc = $ev->doc('s1');
is_deeply(
    [map { "$_->{name} $_->{file}" } @{$doc->{screenshots}}],
    [
        'Status page s1.dashboard.png',
        'Grafana 1 s1.page-1.png',
        'Datadog s1.page-2.png'
    ],
    'with their names'
);
is(size($_), '1280 x 2400', "$_ is a picture")
    for map { $_->{file} } @{$doc->{screenshots}};
isnt(
    $t->read('evidence/s1.dashboard.png'),
    $t->read('evidence/s1.page-1.png'),
    'of different pages'
);
cmp_ok(length $t->read('evidence/s1.dashboard.png'),
    '>', 20_000, 'the status page is not empty');
like(
    $ev->page('s1'),
    qr/^- \[x\] Datadog .*!\[Datadog\]\(s1\.page-2\.png\)$/m,
    'the page shows them'
);
is(
    $t->status()->{splits}{documents}{variants}{documents}{total}{requests} +
        $t->status()->{splits}{documents}{variants}{sliceB}{total}{requests},
    50,
    'a look at the status page is no request to a variant'
);

$ev->settings(grafana => "$url/missing http://user:s3cret\@127.0.0.1:1/x");
$r = $ev->collect('s1');
is($r->{status}, 3, 'pages that cannot be had: not complete');
my @errors = map { $_->{error} || () } @{$ev->doc('s1.2')->{screenshots}};
like($errors[0], qr/404/, 'an error page is no picture');
like($errors[1], qr/onnect/, 'nor is one of chromium itself');
unlike($r->{err} . $ev->page('s1.2') . $t->read('evidence/s1.2.json'),
    qr/s3cret/, 'a password in an address is not shown');

# a PATH with all that is needed, but no browser
mkdir "$dir/bin";
for my $folder (reverse grep { -d } split /:/, $ENV{PATH}) {
    for my $tool (glob "$folder/*") {
        my ($name) = $tool =~ m{([^/]+)$};
        next if $name =~ /chrom/;
        unlink "$dir/bin/$name";
        symlink $tool, "$dir/bin/$name";
    }
}
$ev->settings();
$ev->ctl()->env()->{PATH} = "$dir/bin";
$r = $ev->collect('s1');
is($r->{status}, 0, 'without chromium it is complete') or diag($r->{err});
like(
    $ev->page('s1.3'),
    qr/^- \[ \] Status page .*: skipped, chromium is not installed$/m,
    'the page says that they were skipped'
);

$t->no_alerts();

done_testing();
