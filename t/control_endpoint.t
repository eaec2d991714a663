use strict;
use warnings;

# POST rollback and resume: what they do, what they answer, and what they
# leave in the journal and in the error log.

use JSON::PP ();
use Test::More;
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF', workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
        canary_key $arg_k;
    }
    upstream other.name {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
        canary_key $arg_k;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200 canary; }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200 baseline; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /       { proxy_pass http://documents; }
        location /other/ { proxy_pass http://other.name; }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
        location ~ ^/control/ { client_body_in_file_only clean;
                                canary_control; }
    }
CONF
$t->start();

my $path = '/canary/control/documents';


# the answer to a POST, decoded
sub control {
    my ($uri, $body) = @_;

    my $r = $t->post($uri, $body,
        'Content-Type' => 'application/x-www-form-urlencoded');
    is($r->{status}, 200, "$uri: $body");
    is($r->{header}{'content-type'}, 'application/json', 'its type');
    is($r->{header}{'cache-control'}, 'no-store', 'not to be stored');
    is($r->{header}{'x-content-type-options'}, 'nosniff', 'nosniff');

    return JSON::PP::decode_json($r->{body});
}


sub true { return $_[0] ? 1 : 0 }

# UTF-8 in, UTF-8 out; as perl sees it decoded
my @texts = (
    ['', 'by an operator', ' by an operator'],
    ['by=anna', 'by anna', ' by anna'],
    ['by=&reason=', 'by an operator', ' by an operator'],
    ['reason=too+slow', 'too slow', ': too slow'],
    ['reason=50%25%20%2B1&by=a%26b', 'by a&b: 50% +1', ' by a&b: 50% +1'],
    ['by=%c3%84nne', "by \x{c4}nne", " by \xc3\x84nne"],
    ['reason=%F4%8F%BF%BF', "\x{10ffff}", ": \xf4\x8f\xbf\xbf"],
    ['reason=%22%3Cb%3E%5C', '"<b>\\', ': "<b>\\']
);

my $n = 0;

for my $case (@texts) {
    my ($body, $reason, $logged) = @$case;

    is($t->get('/?k=1')->{body}, 'canary', 'the canary answers');

    my $state = control("$path/rollback", $body);
    is($state->{split}, 'documents', 'which split');
    is($state->{state}, 'rolled_back', 'is rolled back');
    is($state->{reason}, $reason, 'why');
    is(true($state->{changed}), 1, 'and was not before');
    is($t->get('/?k=1')->{body}, 'baseline', 'the baseline answers');
    is($t->get('/other/?k=1')->{body}, 'canary', 'the other split goes on');

    my $split = $t->status()->{splits}{documents};
    is($split->{state}, 'rolled_back', 'the status says so');
    is($split->{reason}, $reason, 'and why');
    is($split->{journal}[-1]{event}, 'rollback', 'the journal has it');
    is($split->{journal}[-1]{text}, $reason, 'with the same text');

    my $entries = @{$split->{journal}};
    my $again = control("$path/rollback", 'reason=again');
    is(true($again->{changed}), 0, 'a second time changes nothing');
    is($again->{reason}, $reason, 'the first reason stays');
    is(@{$t->status()->{splits}{documents}{journal}},
        $entries, 'no entry for it');

    my $resumed = control("$path/resume", $body);
    is($resumed->{state}, 'active', 'resumed');
    is($resumed->{reason}, '', 'no reason is left');
    is(true($resumed->{changed}), 1, 'a change');
    is(true(control("$path/resume", '')->{changed}), 0, 'only once');

    $split = $t->status()->{splits}{documents};
    is($split->{journal}[-1]{event}, 'resume', 'the journal has that too');
    is($split->{journal}[-1]{text}, $reason, 'and by whom');

    my @lines = grep { /\[error\].*split "documents" was rolled back/ }
        split /\n/, $t->error_log();
    is(@lines, ++$n, 'one line in the error log');
    like($lines[-1], qr/ was rolled back\Q$logged\E, client:/,
        'which says why');
}

# 1024 bytes pass; the text is cut at 511 bytes, not inside a character
my $long = 'reason=' . "\xc3\xa4" x 508 . 'x';
is(length $long, 1024, 'a body of 1 KB');
is(
    control("$path/rollback", $long)->{reason},
    "\x{e4}" x 255,
    'is cut between two characters'
);
control("$path/resume", '');

# from a file, and in pieces
my $state = control('/control/other.name/rollback', 'by=file');
is($state->{split}, 'other.name', 'a name with a point');
is($state->{reason}, 'by file', 'nginx had written the body to a file');

my $r =
    $t->http("POST $path/rollback HTTP/1.1\r\nHost: a\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n"
        . "3\r\nby=\r\n4\r\nanna\r\n0\r\n\r\n");
is($r->{status}, 200, 'a chunked body');
is(JSON::PP::decode_json($r->{body})->{reason}, 'by anna', 'was read');

$t->no_alerts();
done_testing();
