use strict;
use warnings;

# The page under its Content-Security-Policy: a browser has nothing to say
# against it, and the style and the script are resources of their own.

use File::Temp qw(tempdir);
use Test::More;
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 25%;
        canary_gate error_rate <= 1%;
        canary_key $arg_k;
    }
    log_format answer '$status $request_uri';
    server {
        listen 127.0.0.1:%%PORT0%%;
        access_log %%DIR%%/access.log answer;
        location / { proxy_pass http://documents; }
        location /canary { canary_status; }
        location = /inline {
            default_type text/html;
            add_header Content-Security-Policy "default-src 'none'";
            return 200 '<p style="color:red">a<script>alert(1)</script>';
        }
    }
CONF
$t->http_upstream($t->port(1), name => 'new');
$t->http_upstream($t->port(2), name => 'old');
$t->start();
$t->get("/?k=$_") for 1 .. 20;

my $page = $t->get('/canary/');
is_deeply(
    $page->{headers}{'content-security-policy'},
    [
              "default-src 'none'; style-src 'self'; script-src 'self'; "
            . "connect-src 'self'; img-src data:; base-uri 'none'; "
            . "form-action 'none'; frame-ancestors 'none'"
    ],
    'the policy of the page'
);

for my $path ('status.json', 'metrics', 'page.css', 'page.js') {
    is($t->get("/canary/$path")->{header}{'content-security-policy'},
        undef, "none of $path");
}

for my $case (
    ['page.css', 'text/css; charset=utf-8', qr/^\.bar \{/m],
    ['page.js', 'text/javascript; charset=utf-8', qr/^setTimeout\(/m]
    )
{
    my ($name, $type, $text) = @$case;

    my $r = $t->get("/canary/$name");
    is($r->{status}, 200, $name);
    is($r->{header}{'content-type'}, $type, "$name: type");
    is($r->{header}{'cache-control'}, 'max-age=300', "$name: for a while");
    is($r->{header}{'x-content-type-options'}, 'nosniff', "$name: nosniff");
    like($r->{body}, $text, "$name: the body");
    is($r->{header}{'content-length'}, length $r->{body}, "$name: length");
    like($r->{header}{etag}, qr/^"[0-9a-f]{8}"$/, "$name: tag");

    my $head = $t->head("/canary/$name");
    is($head->{header}{etag}, $r->{header}{etag}, "$name: HEAD: tag");
    is(
        $head->{header}{'content-length'},
        length $r->{body},
        "$name: HEAD: length"
    );
    is($head->{body}, '', "$name: HEAD: no body");

    for my $condition ($r->{header}{etag},
        "W/$r->{header}{etag}", '*', "\"x\", $r->{header}{etag}")
    {
        my $same = $t->get("/canary/$name", 'If-None-Match' => $condition);
        is($same->{status}, 304, "$name: $condition");
        is($same->{body}, '', "$name: $condition: no body");
        is($same->{header}{etag}, $r->{header}{etag}, "$name: and its tag");
    }
    my $other = $t->get("/canary/$name", 'If-None-Match' => '"12345678"');
    is($other->{status}, 200, "$name: another tag");
    is($other->{body}, $r->{body}, "$name: all of it");
}
isnt(
    $t->get('/canary/page.css')->{header}{etag},
    $t->get('/canary/page.js')->{header}{etag},
    'a tag each'
);

my ($browser) = grep { -x } map { glob "$_/chromium" } split /:/, $ENV{PATH};

SKIP: {
    skip('no chromium', 8) if !$browser;

    # the browser does say what it refuses
    like(
        browse('/inline'),
        qr/Content Security Policy/,
        'another page violates its policy'
    );

    for my $path ('/canary/', '/canary') {
        my $lines = seen();
        my $said = browse($path);
        unlike($said, qr/CONSOLE|Content Security Policy|Refused/, $path);
        my @seen = (seen())[$lines .. seen() - 1];
        is_deeply([grep { !/^200 / } @seen], [], "$path: all of it is there");
        for my $name ('page.css', 'page.js') {
            ok(scalar(grep { $_ eq "200 /canary/$name" } @seen),
                "$path: it loads $name");
        }
        cmp_ok(scalar(grep { $_ eq "200 $path" } @seen),
            '>=', 2, "$path: the script looks again");
    }
}

$t->no_alerts();
done_testing();

###############################################################################

# what chromium writes while it shows a page for 12 seconds of its own time
sub browse {
    my ($path) = @_;

    my $profile = tempdir('canary_chromium_XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $url = 'http://127.0.0.1:' . $t->port(0) . $path;
    return `timeout 60 '$browser' --headless --disable-gpu --no-sandbox \\
        --user-data-dir='$profile' --enable-logging=stderr \\
        --virtual-time-budget=12000 --screenshot='$profile/page.png' \\
        '$url' 2>&1 </dev/null`;
}

# the answers so far
sub seen {
    return split /\n/, $t->read('access.log');
}
