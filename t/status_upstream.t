use strict;
use warnings;

# The argument "upstream" of status.json, metrics and the page: that split
# alone, or one clear line.

use JSON::PP ();
use Test::More;
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream first {
        server 127.0.0.1:%%PORT2%%;
        canary canary 25%;
    }
    upstream second.one-x {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
    }
    upstream "th rd+&%" {
        server 127.0.0.1:%%PORT2%%;
        canary canary off;
    }
    upstream plain { server 127.0.0.1:%%PORT2%%; }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /canary/ { canary_status; }
    }
CONF
$t->start();

my @all = ('first', 'second.one-x', 'th rd+&%');

# what an argument chooses, in each of the formats
for my $case (
    ['', @all],
    ['?', @all],
    ['?a=upstream', @all],
    ['?upstreams=first', @all],
    ['?upstream=first', 'first'],
    ['?histograms=1&upstream=first&x', 'first'],
    ['?upstream=second.one-x', 'second.one-x'],
    ['?upstream=%73econd%2Eone%2dx', 'second.one-x'],
    ['?upstream=th+rd%2B%26%25', 'th rd+&%'],
    ['?upstream=th%20rd%2b%26%25', 'th rd+&%']
    )
{
    my ($query, @names) = @$case;

    my $status = $t->status("/canary/status.json$query");
    is_deeply([sort keys %{$status->{splits}}],
        \@names, "status.json$query: splits");
    is($status->{generation}, 1, "status.json$query: generation");

    my $metrics = $t->get("/canary/metrics$query");
    is($metrics->{status}, 200, "metrics$query");
    my %seen = map { $_ => 1 } $metrics->{body} =~ /\bupstream="([^"]*)"/g;
    is_deeply([sort keys %seen], \@names, "metrics$query: splits");
    like($metrics->{body}, qr/^nginx_canary_build_info\{/m, 'and the module');

    my $open = $t->get("/canary/metrics$query",
        Accept => 'application/openmetrics-text');
    %seen = map { $_ => 1 } $open->{body} =~ /\bupstream="([^"]*)"/g;
    is_deeply([sort keys %seen], \@names, "OpenMetrics$query: splits");

    my $page = $t->get("/canary/$query");
    my @shown =
          @names > 1
        ? $page->{body} =~ /<a href="\?upstream=[^"]*">(.*?)<\/a>/g
        : $page->{body} =~ /<h1>(.*?) <span/;
    is_deeply([sort map { s/&amp;/&/gr } @shown],
        \@names, "the page$query: splits");
}

is_deeply(
    [
        keys %{
            $t->status('/canary/status.json?upstream=first')
                ->{splits}{first}{variants}{canary}{total}{latency}{histogram}
                || {}
        }
    ],
    [],
    'no buckets unless they are asked for'
);

# what is refused, and how that is said
my @wrong = (
    ['plain', 404, 'upstream "plain" is not split'],
    ['canary', 404, 'upstream "canary" is not split'],
    ['fir', 404, 'upstream "fir" is not split'],
    ['firsts', 404, 'upstream "firsts" is not split'],
    ['FIRST', 404, 'upstream "FIRST" is not split'],
    ['first%20', 404, 'upstream "first " is not split'],
    ['first%00', 404, "upstream \"first\0\" is not split"],
    ['a%22%0A%5C%3Cb%3E', 404, "upstream \"a\"\n\\<b>\" is not split"],
    ['%FF', 404, "upstream \"\x{fffd}\" is not split"],
    ['a/first', 404, 'upstream "a/first" is not split'],
    ['', 404, 'upstream "" is not split'],
    ['a' x 7000, 404, 'upstream "' . 'a' x 7000 . '" is not split'],
    ['%', 400, 'argument "upstream" has a "%" without two hexadecimal digits'],
    [
        'first%4', 400,
        'argument "upstream" has a "%" without two hexadecimal digits'
    ],
    [
        'first&upstream=first', 400,
        'argument "upstream" is given more than once'
    ],
    ['first&upstream', 400, 'argument "upstream" is given more than once']
);

for my $path ('/canary/status.json', '/canary/metrics', '/canary/') {
    for my $case (@wrong) {
        my ($value, $status, $error) = @$case;

        my $name = "$path?upstream=" . substr $value, 0, 30;
        my $r = $t->get("$path?upstream=$value");
        is($r->{status}, $status, $name);
        is($r->{header}{'content-type'}, 'application/json', "$name: type");
        is($r->{header}{'x-content-type-options'}, 'nosniff', "$name: nosniff");
        is_deeply(
            eval { JSON::PP->new->utf8->decode($r->{body}) },
            {error => $error},
            "$name: why"
        );
        is(($r->{body} =~ tr/\n//), 1, "$name: in one line");
    }
}

# HEAD is GET without the body
for my $path ('/canary/status.json', '/canary/metrics', '/canary/') {
    for my $case (['first', 200], ['plain', 404], ['%', 400]) {
        my ($value, $status) = @$case;

        my $r = $t->head("$path?upstream=$value");
        is($r->{status}, $status, "HEAD $path?upstream=$value");
        is($r->{body}, '', 'no body');
        cmp_ok($r->{header}{'content-length'}, '>', 0, 'but its length');
    }
}

is($t->get('/canary/page.css?upstream=plain')->{status},
    200, 'the style does not depend on it');

# the overview leads to each split, whose page leads back
my @links = $t->get('/canary/')->{body} =~ /<a href="(\?[^"]*)">/g;
is(scalar @links, 3, 'the overview has a link for each split');
for my $link (@links) {
    my $page = $t->get("/canary/$link");
    is($page->{status}, 200, $link);
    like($page->{body}, qr/<a href="\?">&larr; all 3 splits</, 'and back');
}

$t->no_alerts();
done_testing();
