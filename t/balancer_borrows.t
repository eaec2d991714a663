# A balancer that does what lua's does: it keeps its own data in the peer while
# it looks for a server, and sets timeouts, a local address and TLS for its own
# servers alone, so the baseline gets none of them in a fallback.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Balancer;

my $t = Canary->new();
my @openssl = (
    qw(openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost),
    '-keyout', $t->dir() . '/key.pem',
    '-out', $t->dir() . '/cert.pem'
);
plan(skip_all => 'no openssl') if system("@openssl 2>/dev/null") != 0;

my $borrow = Canary::Balancer::build($t);
my $time = 300 * $t->slow();    # milliseconds
$t->conf(<<'CONF', main => "load_module $borrow;");
    upstream works { server 127.0.0.1:%%PORT1%%; borrow %%TIME%%; }
    upstream hangs { server 127.0.0.1:%%PORT3%%; borrow %%TIME%%; }
    upstream tls { server 127.0.0.1:%%PORT4%%; borrow %%TIME%% tls; }
    upstream answers { %%OLD%% canary works 100%; }
    upstream falls_back { %%OLD%% canary hangs 100%; }
    upstream speaks_tls { %%OLD%% canary tls 100%; }

    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_next_upstream error timeout http_500;
        proxy_set_header X-Delay $arg_delay;
        add_header X-Variant "$canary_variant [$canary_fallback]" always;
        location ~ ^/(answers|falls_back|speaks_tls) { proxy_pass http://$1; }
        location /canary/ { canary_status; }
    }
    server { listen 127.0.0.1:%%PORT1%%; return 200 "new $remote_addr"; }
    server {
        listen 127.0.0.1:%%PORT4%% ssl;
        ssl_certificate %%DIR%%/cert.pem;
        ssl_certificate_key %%DIR%%/key.pem;
        keepalive_timeout 0;
        location / { return 200 "new $ssl_session_reused"; }
        location ~ /fails { return 500; }
    }
CONF
my $text = $t->read('nginx.conf');
my $old = 'server 127.0.0.1:' . $t->port(2) . ';';
$text =~ s/%%OLD%%/$old/g;
$text =~ s/%%TIME%%/$time/g;
$t->write('nginx.conf', $text);

$t->http_upstream($t->port(3), broken => 'hang');
$t->upstream(
    $t->port(2),
    sub {
        my ($socket, $request) = @_;

        # longer than the timeout of the balancer
        select undef, undef, undef, $time / 1000 + 0.2
            if $request->{uri} eq '/falls_back';
        my $body = 'old ' . $socket->peerhost();
        syswrite $socket,
              "HTTP/1.0 200 OK\r\nContent-Length: "
            . length($body)
            . "\r\n\r\n$body";
        return 0;
    }
);
$t->start();


sub gets {
    my ($path, $expected, $label) = @_;

    my $answer = $t->get($path);
    return is(
        join(' ',
            $answer->{status} || '',
            $answer->{body} || '',
            $answer->{header}{'x-variant'} || ''),
        $expected,
        $label
    );
}

gets('/answers', '200 new 127.0.0.2 works []', 'variables within its search');
gets(
    '/falls_back',
    '200 old 127.0.0.1 hangs [1]',
    'the time-out and the local address are those of the canary alone'
);
gets('/speaks_tls', '200 new . tls []', 'TLS that the balancer turned on');
gets('/speaks_tls', '200 new r tls []', 'and its session');
gets(
    '/speaks_tls/fails',
    '200 old 127.0.0.1 tls [1]',
    'the baseline gets no TLS'
);

$t->no_alerts();
done_testing();
