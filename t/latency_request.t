# canary_latency: "upstream" measures the variant alone, "request" all that
# $request_time does.

use strict;
use warnings;

use List::Util qw(min);
use Test::More;
use Time::HiRes qw(sleep);

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream variant_canary { server 127.0.0.1:%%PORT1%%; }
    upstream variant {
        server 127.0.0.1:%%PORT2%%;
        canary variant_canary 100%;
        canary_latency upstream;
    }
    upstream whole_canary { server 127.0.0.1:%%PORT1%%; }
    upstream whole {
        server 127.0.0.1:%%PORT2%%;
        canary whole_canary 100%;
        canary_latency request;
    }
    log_format times "$uri $request_time $canary_latency";
    access_log %%DIR%%/access.log times;
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /variant { proxy_pass http://variant; }
        location /whole { proxy_pass http://whole; }
        location /variant/limited {
            proxy_pass http://variant;
            limit_rate 100k;
        }
        location /whole/limited {
            proxy_pass http://whole;
            limit_rate 100k;
        }
        location /canary/ {
            access_log off;
            canary_status;
        }
    }
CONF

# at 100 KB a second a page takes at least a second beyond the first
my $large = 'x' x 200_000;
$t->http_upstream(
    $t->port(1),
    name => 'new',
    body => sub { $_[0]{uri} =~ /limited/ ? $large : "new\n" },
    delay => sub { $_[0]{uri} =~ /delay/ ? 0.3 : 0 },
    broken => sub { $_[0]{uri} =~ /close/ ? 'close' : undef }
);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my %f = map { ($_ => Canary::Figures->new($t, $_)) } qw(variant whole);
my %sum = (variant => 0, whole => 0);

# the latency of the one request since the last call
sub latency {
    my ($split, $label) = @_;

    my $canary = "${split}_canary";
    $f{$split}->counted($label, $canary => Canary::Figures::success(1));
    my $now = $f{$split}->latency($canary)->{sum};
    my $latency = $now - $sum{$split};
    $sum{$split} = $now;
    return $latency;
}

for my $split (qw(variant whole)) {
    $t->get("/$split/delay");
    cmp_ok(latency($split, 'a slow canary'),
        '>=', 0.29, "$split: its time is measured");
}

# the client takes its time to send its body
my %slow_body;
for my $split (qw(variant whole)) {
    my $client = $t->client();
    $client->send(
        "POST /$split HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    sleep 0.6;
    $client->send('def');
    is($client->response('POST')->{status}, 200, 'a slow client');
    $client->close();
    $slow_body{$split} = latency($split, 'counted');
}
cmp_ok($slow_body{whole}, '>=', 0.59, 'request: includes a slow client');
cmp_ok($slow_body{variant}, '<', 0.5, 'upstream: does not')
    if $t->slow() == 1;

# nginx takes its time to send the response
for my $split (qw(variant whole)) {
    my $client = $t->client();
    my $r = $client->get("/$split/limited");
    is(length $r->{body}, 200_000, 'a limited rate');
    $client->close();
}
cmp_ok(latency('whole', 'counted'),
    '>=', 0.9, 'request: until the end of the response');
latency('variant', 'counted');

# a connection that stays open does not make a request longer
my $client = $t->client();
is($client->get('/whole/kept')->{status}, 200, 'on a kept connection');
sleep 0.4;
my $kept = latency('whole', 'counted before the connection ends');
cmp_ok($kept, '<', 0.3, 'as long as the request was') if $t->slow() == 1;
$client->close();

$t->get('/whole/close');
$f{whole}->counted(
    'a fallback',
    whole_canary => {
        requests => 1,
        errors => 1,
        fallbacks => 1,
        none => 1,
        timed => 1
    }
);

# nginx's own figure ends with the clock of its last turn, which may be long ago
# on a busy machine; so it is never more, and hardly less when nothing disturbs
my (@late, %log);
my $turns = 20;
for my $n (1 .. $turns) {
    $t->get("/whole/turn$n");
    my $latency = latency('whole', "turn $n");
    $t->wait_for(sub { $t->read('access.log') =~ m{^/whole/turn$n }m });
    %log = map { (split / /)[0, 1] } split /\n/, $t->read('access.log');
    push @late, $latency - $log{"/whole/turn$n"};
}
my @less = grep { $_ < -1e-6 } @late;
is(@less, 0, 'request: never less than $request_time') or diag("@less");
cmp_ok(min(@late), '<=', 0.002 * $t->slow(), 'and as $request_time');
cmp_ok($slow_body{whole}, '>=', $log{'/whole'} - 1e-6, 'a slow client too');

$t->no_alerts();
done_testing();
