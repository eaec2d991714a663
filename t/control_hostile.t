use strict;
use warnings;

# What canary_control refuses, but for a rollback.  Each refusal is JSON with a
# status of its own, changes nothing and leaves the connection in order.

use JSON::PP ();
use Test::More;
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_key $arg_k;
    }
    upstream plain { server 127.0.0.1:%%PORT2%%; }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
        location /file/ { client_body_in_file_only clean; canary_control; }
    }
CONF
$t->start();

my $form = 'application/x-www-form-urlencoded';
my $decision = '/canary/control/documents/decision';


sub refused {
    my ($r, $status, $name) = @_;

    is($r->{status}, $status, $name);
    is($r->{header}{'content-type'}, 'application/json', "$name: JSON");
    is($r->{header}{'x-content-type-options'}, 'nosniff', "$name: nosniff");
    my $error = eval { JSON::PP::decode_json($r->{body})->{error} };
    ok(defined $error && length $error, "$name: says what is wrong");
    return;
}

for my $method (qw(GET PUT DELETE PATCH OPTIONS)) {
    my $r = $t->http("$method $decision HTTP/1.1\r\nHost: a\r\n\r\n");
    refused($r, 405, $method);
    is($r->{header}{allow}, 'POST', "$method: what is allowed");
}
my $head = $t->head($decision);
is($head->{status}, 405, 'HEAD');
is($head->{body}, '', 'HEAD: no body');

for my $path (
    qw(documents/roll documents/rollbacks documents/ROLLBACK documents/
    documents document/rollback Documents/rollback plain/rollback
    canary/rollback /rollback rollback documents/rollback/ unknown/resume
    documents%2Frollback%2F documents/set documents/rollback/now
    documents/decisions documents/inciden unknown/decision plain/incident)
    )
{
    refused($t->post("/canary/control/$path", ''), 404, $path);
}

my @bodies = (
    ['by=%', 'a lonely %'],
    ['by=a%4', 'half of %XX'],
    ['by=%4g', 'no hexadecimal digit'],
    ['by=%00', 'NUL'],
    ['by=a%0Aforged', 'a line feed'],
    ["by=a\nforged", 'a line feed as it is'],
    ['by=%1b%5b2J', 'an escape sequence'],
    ['by=%1F', 'the last control character'],
    ['by=%7f', 'DEL'],
    ['by=%c2%80', 'the first of the C1 controls'],
    ["by=a\xc2\x9f", 'the last one as it is'],
    ['by=%80', 'a continuation byte alone'],
    ['by=%c3', 'half a character'],
    ['by=%c3a', 'half a character and a letter'],
    ['by=%c3&reason=%a4', 'a character over two fields'],
    ['by=%c0%af', 'an overlong form of two bytes'],
    ['by=%e0%9f%bf', 'an overlong form of three bytes'],
    ['by=%f0%8f%bf%bf', 'an overlong form of four bytes'],
    ['by=%ed%a0%80', 'a surrogate'],
    ['by=%f4%90%80%80', 'above U+10FFFF'],
    ['by=%c3%c3', 'two lead bytes'],
    ['by=%ff', 'no byte of UTF-8'],
    ['share=100%25', 'an unknown field'],
    ['BY=a', 'a field in upper case'],
    ['by=a&by=b', 'a field twice'],
    ['by=&by=', 'an empty field twice'],
    ['by', 'no equals sign'],
    ['=a', 'no name'],
    ['&', 'empty fields'],
    ['by=a&', 'a last empty field'],
    ['{"by":"a"}', 'JSON']
);

for my $case (@bodies) {
    my ($body, $name) = @$case;

    my $client = $t->client();
    refused($client->post($decision, $body, 'Content-Type' => $form),
        400, $name);
    is($client->get('/canary/metrics')->{status},
        200, "$name: the connection is in order");
    $client->close();
}

for my $type ('application/json', 'text/plain',
    'multipart/form-data; boundary=a',
    "${form}x", "x$form", 'application/x-www-form', '')
{
    my $r = $t->post($decision, 'by=a', 'Content-Type' => $type);
    refused($r, 415, "type \"$type\"");
}

refused($t->post($decision, 'by=' . 'a' x 1022), 413, 'one byte too many');
my $kept = $t->client()->post($decision, 'by=' . 'a' x 1022);
is($kept->{status}, 413, 'the same on a connection to be kept');
is($kept->{header}{connection}, 'close', 'which ends');
refused($t->post('/file/documents/decision', 'by=' . 'a' x 1022),
    413, 'the same with bodies in files');

my $chunk = sprintf "%x\r\n%s\r\n", 1025, 'by=' . 'a' x 1022;
for my $path ($decision, '/file/documents/decision') {
    refused(
        $t->http(
                  "POST $path HTTP/1.1\r\nHost: a\r\n"
                . "Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n"
        ),
        413,
        "a chunked body to $path"
    );
}

# refused by its length, without waiting for the body
my $r = $t->http("POST $decision HTTP/1.1\r\nHost: a\r\n"
        . "Content-Length: 900000\r\n\r\n");
refused($r, 413, 'a length of 900000');
$r = $t->http("POST $decision HTTP/1.1\r\nHost: a\r\n"
        . "Content-Length: 9000000000\r\n\r\n");
refused($r, 413, 'a length that nginx would refuse');

# a client that leaves in the middle of its body
my $socket = $t->connect();
print {$socket} "POST $decision HTTP/1.1\r\nHost: a\r\n"
    . "Content-Length: 20\r\n\r\nby=a";
close $socket;

my $split = $t->status()->{splits}{documents};
is($split->{state}, 'active', 'it is as it was');
is((grep { $_->{event} ne 'published' } @{$split->{journal}}),
    0, 'nor is it in the journal');
unlike($t->error_log(), qr/has a decision|^forged/m, 'nor in the log');

# what is let through
for my $type ($form, uc $form, "$form; charset=utf-8", "$form ;a=b") {
    $r = $t->post($decision, 'by=a&reason=b', 'Content-Type' => $type);
    is($r->{status}, 200, "type \"$type\"");
}
is($t->post($decision, 'by=a&reason=b')->{status}, 200, 'no type');
is(
    $t->http("POST /canary/control/documents/resume HTTP/1.0\r\n\r\n")
        ->{status},
    200, 'no body'
);
is($t->post("/canary/control/documents/resume?by=%00", '')->{status},
    200, 'arguments are nothing');

$t->no_alerts();
done_testing();
