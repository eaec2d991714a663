use strict;
use warnings;

# Names as nginx's configuration allows them are escaped rightly in every
# output, and reach the control endpoint.

use JSON::PP ();
use Test::More;
use Canary;

# as they are; the configuration has them in quotes
my $split = qq(doc"u\\me{n}t's <script>alert(1)<\nb,c=\"d\"} 1&amp;);
my $canary = qq(ca\tnary\\"{le="+Inf"} 5 <img src=x onerror=alert(2)>\r);
my $latin = "caf\xe9 \xff\xfe";
my $stage = q(st"age\\{}</title></script><script>alert(3)</script>&);

sub quoted {
    my ($text) = @_;

    my %escapes = ("\n" => '\n', "\r" => '\r', "\t" => '\t');
    $text =~ s/([\\"])/\\$1/g;
    $text =~ s/([\n\r\t])/$escapes{$1}/g;
    return qq("$text");
}

my $t = Canary->new();

$t->conf(<<"CONF", workers => 2);
    upstream ${\ quoted($canary)} { server 127.0.0.1:%%PORT1%%; }
    upstream "$latin" { server 127.0.0.1:%%PORT1%%; }
    upstream ${\ quoted($split)} {
        server 127.0.0.1:%%PORT1%%;
        canary ${\ quoted($canary)} 60% ${\ quoted("stage=$stage")};
        canary "$latin" 20%;
        canary_key \$arg_k;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass ${\ quoted("http://$split")};
            proxy_set_header Host localhost;
        }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
$t->http_upstream($t->port(1));
$t->start();

is($t->get("/?k=$_")->{status}, 200, "request $_") for 1 .. 20;

sub outputs {
    my ($when) = @_;

    my $status = $t->status();
    is_deeply([keys %{$status->{splits}}], [$split], "$when: JSON: the split");

    my $s = $status->{splits}{$split};
    is($s->{stage}{name}, $stage, "$when: JSON: the stage");
    ok($s->{variants}{$split}, "$when: JSON: the baseline");
    ok($s->{variants}{$canary}, "$when: JSON: the canary");
    is(keys %{$s->{variants}}, 3, "$when: JSON: three variants");

    my $sum = 0;
    $sum += $_->{total}{requests} for values %{$s->{variants}};
    is($sum, 20, "$when: JSON: all requests");

    my $file = $t->write('status.json', $t->get('/canary/status.json')->{body});
    is(qx{jq -r '.splits | keys | length' < $file 2>&1},
        "1\n", "$when: jq reads it");

    for my $accept ('*/*', 'application/openmetrics-text') {
        my $body = $t->get('/canary/metrics', Accept => $accept)->{body};
        my $label = $canary;
        $label =~ s/([\\"])/\\$1/g;
        like(
            $body,
            qr/^nginx_canary_requests_total\{.*\bvariant="\Q$label\E"\} \d+$/m,
            "$when: $accept: the label is as promised"
        );

        # a line of a sample is one line, and every quote is paired
        my @bad = grep {
                   !/^#/
                && !/^\w+(?:\{(?:\w+="(?:[^"\\]|\\["\\n])*",?)*\})? [\d.e+-]+$/
        } split /\n/, $body;
        is_deeply(\@bad, [], "$when: $accept: each line is a sample");

        next if $accept ne '*/*';
        $file = $t->write('metrics', $body);
        is(
            qx{promtool check metrics < $file 2>&1},
            '',
            "$when: promtool has nothing to say"
        );
        is($?, 0, "$when: and accepts it");
    }

    my $page = $t->get('/canary/')->{body};
    is_deeply(
        [$page =~ /<(?:script|img)\b[^>]*>/gi],
        ['<script src="page.js" defer>'],
        "$when: page: no tag of a name"
    );
    is(
        () = $page =~ m{</title>}g,
        () = $page =~ m{<title>}g,
        "$when: page: no closed title"
    );
    like($page, qr/&lt;script&gt;alert\(1\)/, "$when: page: the split");
    like(
        $page,
        qr/&lt;img src=x onerror=alert\(2\)&gt;/,
        "$when: page: the canary"
    );
    like($page, qr{&lt;/title&gt;.*alert\(3\)}, "$when: page: the stage");
    like($page, qr/1&amp;amp;/, "$when: page: no entity of a name");
    return;
}

outputs('active');

my $path = join '', map { sprintf '%%%02x', ord } split //, $split;
my $reason = '%3Cscript%3Ealert(4)%3C/script%3E%22%5C%7B';
my $r = $t->post(
    "/canary/control/$path/rollback",
    "by=%3Cb%3Eanna&reason=$reason",
    'Content-Type' => 'application/x-www-form-urlencoded'
);
is($r->{status}, 200, 'rolled back by its name');
ok(eval { JSON::PP->new()->utf8()->decode($r->{body}) }, 'answered in JSON');

is(
    $t->status()->{splits}{$split}{reason},
    'by <b>anna: <script>alert(4)</script>"\\{',
    'the reason as it was given'
);
outputs('rolled back');
like($t->get('/canary/')->{body},
    qr/&lt;script&gt;alert\(4\)/, 'page: the reason');

$t->no_alerts();
done_testing();
