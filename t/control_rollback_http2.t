use strict;
use warnings;

# POST rollback over HTTP/2, and by a client that asks before it sends: as over
# HTTP/1.1 it happens, whatever the body is.

use JSON::PP ();
use Test::More;
use Canary;

my $t = Canary->new();

plan(skip_all => 'curl has no HTTP/2') if `curl --version` !~ /\bHTTP2\b/;

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
        listen 127.0.0.1:%%PORT3%% http2;
        client_body_timeout 1s;
        location /canary/ { canary_status; }
        location /control/ { canary_control; }
    }
CONF
$t->start();

sub split_of { return $t->status()->{splits}{documents} }

my @h2 = ($t->port(3), '--http2-prior-knowledge');
my @expect = ($t->port(0), '-H', 'Expect: 100-continue');

for my $case (
    ['a body', 'by=ana&reason=slow', 'by ana: slow'],
    ['no body', '', 'by an operator'],
    ['a NUL', 'reason=a%00b', 'a b', 'control'],
    ['not UTF-8', "by=ana&reason=\xff", 'by ana', 'UTF-8'],
    ['half of %XX', 'by=%4', 'by an operator', 'hexadecimal'],
    ['1 MB', 'by=' . 'a' x 1048573, 'by an operator', 'larger than 1 KB'],
    ['2 MB', 'by=' . 'a' x 2097149, 'by an operator', 'larger than 1 KB']
    )
{
    my ($name, $body, $reason, $warning) = @$case;

    for my $way (
        ['HTTP/2', @h2],
        ['HTTP/2, no length', @h2, '-H', 'Content-Length:'],
        ['Expect', @expect],
        ['Expect, chunked', @expect, '-H', 'Transfer-Encoding: chunked']
        )
    {
        my ($how, $port, @options) = @$way;

        # curl ends no such body
        next if $how =~ /chunked/ && $body eq '';

        $t->write('body', $body);
        open my $curl, '-|', 'curl', '-s', '-m', 10, @options,
            '--data-binary', '@' . $t->dir() . '/body',
            "http://127.0.0.1:$port/control/documents/rollback"
            or die "curl: $!\n";
        my $answer = do { local $/ = undef; <$curl> };
        close $curl;

        is(split_of()->{state}, 'rolled_back', "$how, $name: rolled back");

        # curl drops an answer that comes before all of its body is sent
        if ($how !~ /HTTP/ || length $body < 2000) {
            my $state = eval { JSON::PP::decode_json($answer) } || {};
            is($state->{reason}, $reason, "$how, $name: the reason");
            like(
                $state->{warning} // '',
                $warning ? qr/\Q$warning\E/ : qr/^$/,
                "$how, $name: the warning"
            );
        }
        is(split_of()->{journal}[-1]{text}, $reason, "$how, $name: journal");
        $t->post('/control/documents/resume', '');
    }
}

$t->no_alerts();
done_testing();
