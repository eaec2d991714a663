# TLS to the upstreams: sessions are reused as without a split, in either
# variant and behind a fallback.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
my @openssl = (
    qw(openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost),
    '-keyout', $t->dir() . '/key.pem',
    '-out', $t->dir() . '/cert.pem'
);
plan(skip_all => 'no openssl') if system("@openssl 2>/dev/null") != 0;

my $conf = <<'CONF';
    ssl_certificate %%DIR%%/cert.pem;
    ssl_certificate_key %%DIR%%/key.pem;
    ssl_protocols TLSVERSION;
    ssl_session_cache shared:tls:1m;
    server {
        listen 127.0.0.1:%%PORT1%% ssl;
        add_header X-Upstream new;
        add_header X-Reused $ssl_session_reused;
        return 200;
    }
    server {
        listen 127.0.0.1:%%PORT2%% ssl;
        add_header X-Upstream old;
        add_header X-Reused $ssl_session_reused;
        return 200;
    }
    upstream down { server 127.0.0.1:%%PORT3%%; }
CONF
my $locations = '';
for my $method ('', 'least_conn', 'ip_hash', 'hash', 'random', 'zone') {
    my $name = $method || 'plain';
    my $directive = {
        '' => '',
        hash => 'hash $uri consistent;',
        zone => 'ZONE'
    }->{$method};
    $directive = "$method;" if !defined $directive;
    for my $upstream (
        ["new_$name", 1, ''],
        ["old_$name", 2, "canary new_$name 50%; canary_key \$arg_user;"],
        ["lost_$name", 2, 'canary down 100%;']
        )
    {
        my ($u, $port, $split) = @$upstream;
        (my $own = $directive) =~ s/ZONE/zone $u 64k;/;
        $conf .= "upstream $u { $split $own server 127.0.0.1:%%PORT$port%%; }";
    }
    $locations .= "location /$name { proxy_pass https://old_$name; }\n";
    $locations .= "location /lost/$name { proxy_pass https://lost_$name; }\n";
}
$conf .= <<"CONF";
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_ssl_session_reuse on;
        # a handshake for each request, also where keepalive is the default
        proxy_http_version 1.0;
        proxy_set_header Connection close;
        proxy_ssl_protocols TLSVERSION;
        $locations
        location /fresh {
            proxy_pass https://old_plain;
            proxy_ssl_session_reuse off;
        }
        location /canary/ { canary_status; }
    }
CONF


# "upstream reused" of a request
sub answer {
    my ($path) = @_;

    my $header = $t->get($path)->{header};
    return join ' ',
        map { defined $_ ? $_ : 'none' } @$header{qw(x-upstream x-reused)};
}

for my $version (qw(TLSv1.2 TLSv1.3)) {
    (my $text = $conf) =~ s/TLSVERSION/$version/g;
    $t->conf($text);
    $t->start();

    for my $name (qw(plain least_conn ip_hash hash random zone)) {
        my $f = Canary::Figures->new($t, "old_$name");
        my (%answers, %count);
        for my $user (1 .. 24) {
            my ($upstream, $reused) = split / /, answer("/$name?user=u$user");
            $answers{$upstream} .= $reused;
            $count{"${upstream}_$name"}++;
        }
        for my $upstream (qw(new old)) {
            like($answers{$upstream},
                qr/^\.r+$/, "$version $name $upstream: all but the first");
        }
        $f->counted("$version $name: counted",
            map { $_ => Canary::Figures::success($count{$_}) } keys %count);

        my $lost = join ', ', map { answer("/lost/$name") } 1 .. 3;
        is($lost, 'old ., old r, old r', "$version $name: behind a fallback");
    }

    my %fresh = map { answer("/fresh?user=u$_") => 1 } 1 .. 24;
    is(join(', ', sort keys %fresh), 'new ., old .', "$version: reuse off");
    $t->stop();
}

$t->no_alerts();
done_testing();
