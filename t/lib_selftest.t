# The tests' own helper, on an nginx without the module: what other tests rely
# on when they say that something did not happen.

use strict;
use warnings;

use Test::More;

use Canary;

my $t = Canary->new();
my $conf = <<'CONF';
    upstream u {
        server 127.0.0.1:%%PORT1%%;
        keepalive 4;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://u;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_read_timeout 2s;
        }
        location /version { return 200 "one"; }
    }
CONF

$t->conf($conf, module => 0, workers => 2);
is(($t->test_config())[0], 0, 'the configuration is valid');

my ($exit, $text) = $t->test_config('nonsense;', module => 0);
isnt($exit, 0, 'a wrong configuration is refused');
like($text, qr/unknown directive "nonsense"/, 'with its message');

$t->http_upstream(
    $t->port(1),
    name => 'a',
    broken => sub { $_[0]{uri} =~ m{^/broken/(\w+)} ? $1 : undef },
    status => sub { $_[0]{uri} =~ m{^/status/(\d+)} ? $1 : 200 },
    delay => sub { $_[0]{uri} eq '/late' ? 0.3 : 0 }
);
$t->start();
is(scalar $t->workers(), 2, 'two workers');

subtest 'clients' => sub {
    my $r = $t->get('/x', 'X-Many' => ['1', '2']);
    is($r->{status}, 200, 'status');
    is($r->{body}, "a\n", 'body');
    is($r->{header}{'x-upstream'}, 'a', 'header');
    is($r->{complete}, 1, 'complete');
    is($t->head('/x')->{body}, '', 'no body of HEAD');
    is($t->http("GET /x HTTP/1.0\r\n\r\n")->{status}, 200, 'HTTP/1.0');
    is($t->get('/status/404')->{status}, 404, 'status of the upstream');

    my $client = $t->client();
    is($client->post('/body', 'b' x 100000)->{status}, 200, 'a large body');
    is($client->get('/again')->{status}, 200, 'on the same connection');

    my @seen = $t->requests($t->port(1));
    is(length $seen[-2]{body}, 100000, 'the upstream got all of it');
    is($seen[-1]{uri}, '/again', 'and the other request');
    is_deeply([map { $_->{n} } @seen], [1 .. @seen], 'numbered');
    is($t->seen($t->port(1), qr{^/x}), 3, 'counted by URI');
};

subtest 'upstreams that misbehave' => sub {
    my %status = (
        close => 502,
        reset => 502,
        truncate => 200,
        truncate_chunked => 200,
        truncate_head => 502,
        reset_body => 200,
        hang => 504,
        hang_body => 200,
        slow => 200,
        big_head => 502,
    );
    for my $kind (sort keys %status) {
        my $r = $t->get("/broken/$kind");
        is($r->{status}, $status{$kind}, "status of $kind");
        my $cut = $kind =~ /^(?:truncate|truncate_chunked|.*_body)$/;
        is($r->{complete}, $cut ? 0 : 1, "body of $kind");
    }

    # taken for HTTP/0.9, and passed on as it is
    is($t->get('/broken/no_status_line')->{raw}, "a\n", 'no status line');
    is($t->get('/broken/bad_status_line')->{status}, undef, 'no status');
    is($t->get('/broken/hints')->{status}, 200, 'early hints');
};

subtest 'reload' => sub {
    my @before = $t->workers();
    $t->conf($conf =~ s/"one"/"two"/r, module => 0, workers => 3);
    is($t->reload(), 1, 'done');
    is($t->get('/version')->{body}, 'two', 'in force at once');
    my @after = $t->workers();
    is(scalar @after, 3, 'three workers');
    my %old = map { $_ => 1 } @before;
    is(scalar(grep { $old{$_} } @after), 0, 'all of them new');

    $t->conf('nonsense;', module => 0);
    is($t->reload(), 0, 'a wrong configuration is refused');
    is($t->get('/version')->{body}, 'two', 'and changes nothing');
};

subtest 'a killed worker' => sub {
    my $pid = $t->kill_worker();
    ok(!grep({ $_ == $pid } $t->workers()), 'is gone');
    is(scalar $t->workers(), 3, 'is replaced');
};

subtest 'a stopped upstream' => sub {
    $t->stop_upstream($t->port(1));
    is($t->get('/x')->{status}, 502, 'refuses connections');
};

ok(!$t->wait_for(sub { 0 }, 0.1), 'a condition that never holds');

my $other = Canary->new();
isnt($other->port(0), $t->port(0), 'another port range');
$other->write('error.log', "2026/01/01 00:00:00 [alert] 1#1: boom\n");
{
    my $sub = sub { ok(!$_[0], 'an alert in the log is found') };
    no warnings 'redefine';
    local *Canary::Report::ok = $sub;
    local *Canary::Report::diag = sub { };
    $other->no_alerts();
}

$t->no_alerts(allow => qr/unknown directive "nonsense"/);

done_testing();
