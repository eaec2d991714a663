use strict;
use warnings;

# POST rollback happens whatever its body is: the text is cleaned, cut or left
# out, and the answer, 200, has a warning.  It is in force before the body is
# there.

use JSON::PP ();
use Test::More;
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
        canary_key $arg_k;
        canary_state %%DIR%%/state;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        client_body_timeout 1s;
        location /canary/ { canary_status; }
        location /control/ { canary_control; }
        location /file/ { client_body_in_file_only clean; canary_control; }
        location /small/ { client_body_buffer_size 16; canary_control; }
        location /mirrored/ { mirror /nothing; canary_control; }
        location /nothing { return 204; }
    }
CONF
$t->start();

my $form = 'application/x-www-form-urlencoded';

sub split_of { return $t->status()->{splits}{documents} }

sub resume { return $t->post('/control/documents/resume', '') }

# the answer to a request that is to roll back
sub rolled_back {
    my ($r, $reason, $warning, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($r->{status}, 200, "$name: answered");
    my $state = eval { JSON::PP::decode_json($r->{body}) } || {};
    is($state->{state}, 'rolled_back', "$name: rolled back");
    is($state->{reason}, $reason, "$name: the reason");
    ok($state->{changed}, "$name: it was not before");
    if (defined $warning) {
        like($state->{warning} // '', $warning, "$name: a warning");
    } else {
        is($state->{warning}, undef, "$name: no warning");
    }
    my $last = split_of()->{journal}[-1];
    is(
        "$last->{event} $last->{text}",
        "rollback $reason",
        "$name: in the journal"
    );
    my ($line) = reverse grep { /was rolled back/ } split /\n/, $t->error_log();
    like(
        $line,
        qr/\[error\].*was rolled back:? \Q$reason\E/,
        "$name: in the log"
    );
    resume();
    return;
}

sub chunked {
    my (@chunks) = @_;
    return join '', map { sprintf "%x\r\n%s\r\n", length, $_ } @chunks;
}

my $none = 'by an operator';

# as a form
for my $case (
    ['by=anna&reason=slow', 'by anna: slow', undef, 'a good body'],
    ['', $none, undef, 'no body'],
    ['by=anna&reason=a%0Ab', 'by anna: a b', qr/control/, 'a line feed'],
    ['reason=a%1b%c2%9bb', 'a   b', qr/control/, 'control characters'],
    ['by=anna&reason=%ff', 'by anna', qr/UTF-8/, 'not UTF-8'],
    ['by=anna&share=1', 'by anna', qr/unknown field/, 'an unknown field'],
    ['by=a%4', $none, qr/hexadecimal/, 'half of %XX'],
    ['{"by":"a"}', $none, qr/without "="/, 'JSON'],
    ['reason=' . 'x' x 600, 'x' x 511, qr/cut at 511/, 'a text that is long'],
    ['by=' . 'a' x 1022, $none, qr/larger than 1 KB/, 'a byte too many'],
    ['by=' . 'a' x 900000, $none, qr/larger than 1 KB/, 'a body of 900 KB'],
    ['by=' . 'a' x 3000000, $none, qr/larger than 1 KB/, 'a body of 3 MB']
    )
{
    my ($body, $reason, $warning, $name) = @$case;

    my @paths = length $body > 2000 ? qw(control) : qw(control file small);
    push @paths, 'mirrored' if length $body < 1000000;
    for my $path (@paths) {
        my $r = $t->post("/$path/documents/rollback",
            $body, 'Content-Type' => $form);
        rolled_back($r, $reason, $warning, "/$path/, $name");
    }
}

# of another type
rolled_back(
    $t->post(
        '/control/documents/rollback', 'by=a',
        'Content-Type' => 'text/plain'
    ),
    $none,
    qr/not of the type/,
    'text/plain'
);

# in chunks
my $head = "POST /control/documents/rollback HTTP/1.1\r\nHost: a\r\n";
my $chunks = "${head}Transfer-Encoding: chunked\r\n\r\n";
rolled_back(
    $t->http($chunks . chunked('by=an', 'na&reason=', 'slow', '')),
    'by anna: slow',
    undef, 'chunks'
);
rolled_back(
    $t->http($chunks . chunked('by=' . 'a' x 600, 'a' x 600, '')),
    $none,
    qr/larger than 1 KB/,
    'chunks that are too large'
);
rolled_back(
    $t->http($chunks . chunked('by=', ('a' x 100000) x 20, '')),
    $none,
    qr/larger than 1 KB/,
    'chunks of 2 MB'
);
for my $broken ("5\r\nby=annaXX", "zz\r\n") {
    my $r = $t->http("$chunks$broken");
    is($r->{header}{connection}, 'close', 'behind no chunks is no request');
    rolled_back($r, $none, qr/cannot be read/, 'no chunks at all');
}

# a body that comes in pieces, is cut short, or never comes
for my $case (
    [['by=an', 'na&rea', 'son=slow'], 'by anna: slow', undef, 'in pieces'],
    [['by=anna'], $none, qr/cannot be read/, 'that stops'],
    [[], $none, qr/cannot be read/, 'that never comes']
    )
{
    my ($pieces, $reason, $warning, $name) = @$case;

    my $client = $t->client();
    $client->send("${head}Content-Length: 19\r\n\r\n");
    ok($t->wait_for(sub { split_of()->{state} eq 'rolled_back' }, 1),
        "a body $name: in force before it is there");
    is(split_of()->{reason}, $none, "a body $name: for now without a text");
    for my $piece (@$pieces) {
        $client->send($piece);
        select undef, undef, undef, 0.02;
    }
    my $r = $client->response('POST');
    rolled_back($r, $reason, $warning, "a body $name");
    is(
        $r->{header}{connection} eq 'close',
        defined $warning,
        'the connection ends if it was not read'
    );
    $client->close();
}

# a body that comes after its header, many times as long as its buffer
for my $chunked (0, 1) {
    my $client = $t->client();
    my $body = 'by=anna&reason=' . join '-', 100 .. 299;
    my $small = $head =~ s/control/small/r;
    $client->send(
        $small
            . (
            $chunked
            ? "Transfer-Encoding: chunked\r\n\r\n"
            : 'Content-Length: ' . length($body) . "\r\n\r\n"
            )
    );
    $t->wait_for(sub { split_of()->{state} eq 'rolled_back' });
    my $sent = $chunked ? chunked($body =~ /.{1,40}/g, '') : $body;
    $client->send($_) for $sent =~ /.{1,50}/gs;
    rolled_back(
        $client->response('POST'),
        'by anna: ' . substr($body, 15, 502),
        length $body > 515 ? qr/cut/ : undef,
        'a body behind its header' . ($chunked ? ', in chunks' : '')
    );
    $client->close();
}

# a client that leaves in the middle
my $socket = $t->connect();
print {$socket} "${head}Content-Length: 19\r\n\r\nby=an";
ok($t->wait_for(sub { split_of()->{state} eq 'rolled_back' }),
    'a client that leaves');
close $socket;
ok($t->wait_for(sub { split_of()->{journal}[-1]{event} eq 'rollback' }),
    'it is in the journal');
is(split_of()->{journal}[-1]{text}, $none, 'without a text');

# resumed before the text has come: nothing is rolled back again
resume();
my $client = $t->client();
$client->send("${head}Content-Length: 19\r\n\r\nby=an");
$t->wait_for(sub { split_of()->{state} eq 'rolled_back' });
resume();
$client->send('na&reason=slow');
my $r = $client->response('POST');
is($r->{status}, 200, 'a text that comes after a resume');
is(JSON::PP::decode_json($r->{body})->{state}, 'active', 'changes nothing');

# the connection is in order after an odd text
$client = $t->client();
$client->post('/control/documents/rollback', 'by=%', 'Content-Type' => $form);
is($client->get('/canary/metrics')->{status}, 200, 'the next request');

# all others are refused for such a body
is($t->post('/control/documents/resume', 'by=%')->{status},
    400, 'a resume is refused');
is(split_of()->{state}, 'rolled_back', 'and nothing is resumed');

$t->no_alerts();
done_testing();
