use strict;
use warnings;

# A POST that a browser sends for a page of another site is 403, whatever it
# asks for; one without a browser's headers goes on as ever.

use JSON::PP ();
use Test::More;
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
        location = /led { rewrite ^ /canary/control/documents/rollback last; }
    }
    server {
        listen 127.0.0.1:%%PORT3%% http2;
        location /canary/control/ { canary_control; }
    }
CONF
$t->start();

my $path = '/canary/control/documents';
my $site = 'Sec-Fetch-Site';

# the name of Host, and headers as name and value, that are let through
my @ours = (
    ['localhost'],
    ['localhost', $site => 'same-origin'],
    ['localhost', $site => 'none'],
    ['localhost', $site => 'none', $site => 'same-origin'],
    ['localhost', 'SEC-FETCH-SITE' => 'same-origin'],
    ['localhost', Sec_Fetch_Site => 'cross-site'],
    ['localhost', 'Sec-Fetch-Sites' => 'cross-site'],
    ['localhost', 'Sec-Fetch-Mode' => 'cors', 'Sec-Fetch-Dest' => 'empty'],
    ['localhost', Referer => 'http://evil.example/'],
    ['localhost', 'X-Forwarded-Host' => 'evil.example'],

    # behind a proxy that changes Host, a browser still knows
    ['backend', $site => 'same-origin', Origin => 'https://www.example'],
    ['localhost', $site => 'none', Origin => 'null'],

    ['localhost', Origin => 'http://localhost'],
    ['localhost', Origin => 'https://localhost:8443'],
    ['localhost:8080', Origin => 'http://localhost'],
    ['localhost:8080', Origin => 'http://localhost:9090'],
    ['LocalHost', Origin => 'http://LOCALhost'],
    ['localhost.', Origin => 'http://localhost'],
    ['localhost', Origin => 'http://localhost.:80'],
    ['localhost', ORIGIN => 'http://localhost'],
    ['localhost', Origin => 'http://localhost', Origin => 'http://localhost:1'],
    ['localhost', Origin => "  http://localhost  "],
    ['127.0.0.1:8080', Origin => 'http://127.0.0.1:8080'],
    ['[::1]:8080', Origin => 'http://[::1]:8080'],
    ['[::1]', Origin => 'http://[::1]'],
    ['[fe80::A]', Origin => 'https://[FE80::a]:443'],
    ['localhost', Origins => 'http://evil.example']
);

my @foreign = (
    ['localhost', $site => 'cross-site'],
    ['localhost', $site => 'same-site'],
    ['localhost', $site => 'cross-site', Origin => 'http://localhost'],
    ['localhost', $site => ''],
    ['localhost', $site => 'Same-Origin'],
    ['localhost', $site => 'same-origin, cross-site'],
    ['localhost', $site => 'same-origin;a=b'],
    ['localhost', $site => '"same-origin"'],
    ['localhost', $site => 'same-origins'],
    ['localhost', $site => 'same-origi'],
    ['localhost', $site => 'non'],
    ['localhost', $site => 'same-origin', $site => 'cross-site'],
    ['localhost', $site => 'cross-site', $site => 'same-origin'],
    ['localhost', $site => 'none', $site => ''],
    ['localhost', 'sec-fetch-site' => 'cross-site'],

    ['localhost', Origin => 'null'],
    ['localhost', Origin => 'NULL'],
    ['null', Origin => 'null'],
    ['localhost', Origin => ''],
    ['localhost', Origin => 'http://evil.example'],
    [
        'localhost',
        Origin => 'http://localhost',
        Origin => 'http://evil.example'
    ],
    [
        'localhost',
        Origin => 'http://evil.example',
        Origin => 'http://localhost'
    ],
    ['localhost', Origin => 'http://localhost http://evil.example'],
    ['localhost', Origin => 'http://localhost,http://evil.example'],
    ['localhost', Origin => 'localhost'],
    ['localhost', Origin => 'localhost:80'],
    ['localhost', Origin => '//localhost'],
    ['localhost', Origin => 'http:/localhost'],
    ['localhost', Origin => 'http://'],
    ['localhost', Origin => 'http://:80'],
    ['localhost', Origin => 'http://.'],
    ['localhost', Origin => 'http://localhost..'],
    ['localhost', Origin => 'http://localhost/'],
    ['localhost', Origin => 'http://localhost:80/'],
    ['localhost', Origin => 'http://localhost:80:80'],
    ['localhost', Origin => 'http://localhost:8080evil'],
    ['localhost', Origin => 'http://localhost:@evil.example'],
    ['localhost', Origin => 'http://evil.example@localhost'],
    ['localhost', Origin => 'http://localhost@evil.example'],
    ['localhost', Origin => 'http://localhost.evil.example'],
    ['localhost', Origin => 'http://localhos'],
    ['localhost', Origin => 'http://localhostt'],
    ['localhost', Origin => "http://localhost\xff"],
    ['localhost', Origin => 'http://127.0.0.1'],
    ['127.0.0.1', Origin => 'http://localhost'],
    ['[::1]:8080', Origin => 'http://[::2]:8080'],
    ['[::1]', Origin => 'http://::1'],
    ['[::1]', Origin => 'http://[::1'],
    ['[::1]', Origin => 'http://[::1]evil'],
    ['[::1]', Origin => 'http://[:'],
    [
        'localhost',
        Origin => 'http://evil.example',
        'X-Forwarded-Host' => 'evil.example'
    ],
    [
        'localhost',
        Origin => 'http://evil.example',
        Forwarded => 'host=evil.example'
    ],
    ['localhost', Origin => 'http://' . 'a' x 4000]
);


sub request {
    my ($start, @headers) = @_;

    my @lines = ($start);
    while (my ($name, $value) = splice @headers, 0, 2) {
        push @lines, "$name: $value";
    }
    return $t->http(join "\r\n", @lines, 'Content-Length: 0', '', '');
}


sub names {
    my ($host, @headers) = @_;

    return substr "$host: @headers", 0, 72;
}

for my $case (@ours) {
    my ($host, @headers) = @$case;

    my $r = request("POST $path/resume HTTP/1.1", Host => $host, @headers);
    is($r->{status}, 200, names(@$case));
}
is(journal(), 1, 'nothing to resume');

for my $case (@foreign) {
    my ($host, @headers) = @$case;

    my $r = request("POST $path/rollback HTTP/1.1", Host => $host, @headers);
    is($r->{status}, 403, names(@$case) =~ s/[^ -~]/./gr);
}

# what else it asks for makes no difference, nor is it told anything
my @evil = ($site => 'cross-site');
for my $what ('documents/resume', 'documents/decision', 'unknown/rollback') {
    my $r = request("POST /canary/control/$what HTTP/1.1", Host => 'a', @evil);
    is($r->{status}, 403, $what);
    is_deeply([keys %{JSON::PP::decode_json($r->{body})}],
        ['error'], "$what: says why");
}
is(request('POST /led HTTP/1.1', Host => 'a', @evil)->{status},
    403, 'by way of a rewrite');
is(
    request(
        "POST $path/rollback HTTP/1.1",
        Host => 'a',
        @evil,
        'Content-Type' => 'text/plain'
    )->{status},
    403,
    'with another type'
);
is(request("OPTIONS $path/rollback HTTP/1.1", Host => 'a', @evil)->{status},
    405, 'a preflight is no POST');

my $client = $t->client();
my $r = $client->post("$path/rollback", 'by=evil', $site => 'cross-site');
is($r->{status}, 403, 'with a body');
is($client->post("$path/resume", 'by=anna')->{status},
    200, 'the body is no part of the next request');
$client->close();

# the host of the request line, and requests without one
for my $case (
    ['http://localhost', 'localhost', 'localhost', 200],
    ['http://localhost:81', 'localhost:82', 'localhost:83', 200],
    ['http://evil.example', 'localhost', 'evil.example', 403],
    ['http://localhost', 'evil.example', 'evil.example', 403],
    ['http://evil.example', 'localhost', 'localhost', 403]
    )
{
    my ($line, $host, $origin, $status) = @$case;

    $r = request(
        "POST $line$path/resume HTTP/1.1",
        Host => $host,
        Origin => "http://$origin"
    );
    is($r->{status}, $status, "$line for $host from $origin");
}
my $old = "POST $path/resume HTTP/1.0";
is(request($old)->{status}, 200, 'HTTP/1.0 without Host');
is(request($old, $site => 'same-origin')->{status}, 200, 'of the same origin');
is(request($old, Origin => 'http://localhost')->{status},
    403, 'with an origin it cannot match');

# the headers of a table that has more than one part
my @many = map { ("X-Header-$_" => 'a') } 1 .. 60;
is(
    request("POST $path/resume HTTP/1.1", Host => 'a', @many, @evil)->{status},
    403,
    'behind sixty other headers'
);

SKIP: {
    skip('no curl with HTTP/2', 3) if `curl -V 2>/dev/null` !~ /HTTP2/;

    my $url = 'http://127.0.0.1:' . $t->port(3) . "$path/resume";
    for my $case (
        ["http://127.0.0.1", 200],
        ["http://evil.example", 403],
        ["http://localhost", 403]
        )
    {
        my ($origin, $status) = @$case;

        my $got = `curl -qs --noproxy '*' --http2-prior-knowledge -X POST \\
            -o /dev/null -w '%{http_version} %{http_code}' \\
            -H 'Origin: $origin' '$url'`;
        is($got, "2 $status", "HTTP/2 from $origin");
    }
}

my $split = $t->status()->{splits}{documents};
is($split->{state}, 'active', 'none of these rolled back');
is(journal(), 1, 'or left anything in the journal');
like(
    $t->error_log(),
    qr/\[error\] .* canary control forbidden to a page of another site/,
    'the log has them'
);

is($t->post("$path/rollback", '')->{status}, 200, 'a client without a browser');
is($t->status()->{splits}{documents}{state}, 'rolled_back', 'rolls back');

$t->no_alerts();
done_testing();

###############################################################################

# entries but that of the load itself
sub journal {
    return scalar @{$t->status()->{splits}{documents}{journal}};
}
