#!/usr/bin/perl

# collect-evidence.sh: pictures of the split's page with the charts of its
# stage, and of configured ones; without a browser, the page itself.

use strict;
use warnings;

use List::Util qw(sum0);
use Test::More;

use Canary;
use Canary::Evidence;

my $t = Canary->new();
my $ev = Canary::Evidence->new(
    $t,
    split => "canary sliceB 20% stage=s1;\n",
    upstream => 'canary_gate p95 <= 10s;',
    http => 'upstream another { server 127.0.0.1:%%PORT1%%;'
        . ' canary sliceC 1%; }'
);
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
ok(
    $t->wait_for(
        sub {
            my $history = $t->status('/canary/history.json?upstream=documents');
            return sum0(map { @{$_->{requests}} }
                    values %{$history->{stage}{variants}}) == 50;
        }
    ),
    'the charts have all requests'
);

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
is(
    $doc->{screenshots}[0]{url},
    'http://127.0.0.1:' . $t->port(0) . '/canary/?upstream=documents',
    'the first one is of the split alone'
);
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

# the page as it was at that time, to be opened from the folder

my $page = $t->read('evidence/' . $doc->{screenshots}[0]{page});
unlike(
    $page,
    qr/<script|<noscript|<link rel="s|<a |src=|url\((?!data:)/,
    'the page is kept, and asks for nothing else'
);
my $css = $t->get('/canary/page.css')->{body};
like($page, qr/<style>\n\Q$css\E<\/style>/, 'its style is in it');
like(
    $page,
    qr/^<h1>documents <span>&rarr; sliceB<\/span><\/h1>/m,
    'it is the page of the split'
);
shows_stage($page, 'while it is in force');

sub shows_stage {
    my ($html, $when) = @_;

    my $stage = $t->status()->{splits}{documents}{variants}{sliceB}{stage};
    like($html, qr/^<p class="dim">s1 for/m, "$when: the stage's name");
    like(
        $html,
        qr/<p class="reason">$stage->{requests} of 400 samples</,
        "$when: a tile of it"
    );
    my ($charts) = $html =~ /The whole stage(.*?)<\/details>/s;
    my @curves =
        $charts =~ /<path class="curve v1" d="(M\d+ \d+h0|[^"]*l[^"]*)"/g;
    is(scalar @curves, 3, "$when: three charts of the stage");
    return;
}

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
    qr{^-[ ]\[x\][ ]Status[ ]page,.*:[ ]\[the[ ]page\]
        \Q(s1.3.dashboard.html)\E$}mx,
    'the page of the split is there instead'
);
ok(!-e "$dir/evidence/s1.3.dashboard.png", 'without a picture of it');
$ev->settings(grafana => "$url/a");
$ev->collect('s1');
like(
    $ev->page('s1.4'),
    qr/^- \[ \] Grafana 1 .*: skipped, chromium is not installed$/m,
    'other pictures are skipped, and it says so'
);

# a stage that was rolled back, with "off" in the split file

is($ev->ctl()->run('rollback', '--reason', 'slow')->{status}, 0, 'rolled back');
is($ev->collect('s1')->{status}, 0, 'and collected') or diag($r->{err});
$page = $t->read('evidence/s1.5.dashboard.html');
like($page, qr/Rolled back at [^<]* by \S+ slow\./, 'the page says so');
shows_stage($page, 'rolled back');
is($ev->collect('verify')->{status}, 0, 'all of them are in the manifest');

$t->no_alerts();

done_testing();
