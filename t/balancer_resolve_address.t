# An address that a name no longer has is still logged as what was tried: nginx
# frees a server that is gone, and memory of it may be another server's by the
# time of the log.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Dns;
use Canary::Figures;

my $t = Canary->new();
my $resolver = 'resolver 127.0.0.1:%%PORT9%% valid=1s ipv6=off;';
my $new = 'zone new 256k; server new.test:%%PORT1%% resolve max_fails=0;';
plan(skip_all => 'this nginx resolves no names of servers')
    if ($t->test_config("$resolver upstream u { $new }", module => 0))[0];

my $dns = Canary::Dns->new($t, $t->port(9));
$dns->set('new.test' => ['127.0.0.2']);
my $log = '"$request_uri $upstream_addr $upstream_status"';
$t->conf(<<"CONF");
    log_format tried $log;
    access_log %%DIR%%/tried.log tried;
    $resolver
    upstream new { $new }
    upstream plain {
        server 127.0.0.1:%%PORT2%%;
        canary new 100%;
    }
    upstream zoned {
        zone zoned 256k;
        server 127.0.0.1:%%PORT2%%;
        canary new 100%;
    }
    upstream off {
        server 127.0.0.1:%%PORT2%%;
        canary new 100%;
        canary_fallback off;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        add_header X-Fallback "[\$canary_fallback]" always;
        location /plain { proxy_pass http://plain; }
        location /zoned { proxy_pass http://zoned; }
        location /direct { proxy_pass http://\$canary_variant_plain; }
        location /off { proxy_pass http://off; }
        location /canary/ { access_log off; canary_status; }
    }
CONF

# nobody listens on port 1 but for a while at 127.0.0.4; the baseline answers
# once a file says that it may
my $go = $t->dir() . '/go';
$t->http_upstream(
    $t->port(2),
    name => 'old',
    delay => sub {
        my $file = "$go$_[0]{uri}";
        $t->wait_for(sub { -e $file }, 20);
        return 0;
    }
);
$t->start();
mkdir $go;
my $asked = sub { $dns->asked('new.test') };
ok($t->wait_for($asked), 'nginx asks for the address');

# each of them fails at the canary and waits at the baseline
my %client;
my $f = Canary::Figures->new($t, 'plain');
for my $place (qw(plain zoned direct)) {
    $client{$place} = $t->client();
    $client{$place}
        ->send("GET /$place HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    $t->wait_for(sub { $t->seen($t->port(2), qr/$place/) });
}

# the memory of 127.0.0.2 is that of 127.0.0.33
$dns->set('new.test' => ['127.0.0.33']);
$t->wait_for(sub { logged('/off', 33) }, 20);

for my $place (sort keys %client) {
    $t->write("go/$place", '');
    my $r = $client{$place}->response('GET');
    is($r->{header}{'x-upstream'}, 'old', "$place: the baseline answers");
    is($r->{header}{'x-fallback'}, '[1]', "$place: for the canary");
    my $expected = sprintf "/%s 127.0.0.2:%d, 127.0.0.1:%d 502, 200\n", $place,
        $t->port(1), $t->port(2);
    my ($line) = map { "$_\n" } grep { m{^/$place } } split /\n/,
        wait_log("/$place ");
    is($line, $expected, "$place: both addresses are in the log");
}

$f->counted('and counted',
    new => {%{Canary::Figures::failure(2)}, fallbacks => 2});

$t->no_alerts();
done_testing();


# whether a request is tried at that address by now
sub logged {
    my ($uri, $last) = @_;

    $t->get($uri);
    return $t->read('tried.log') =~ /^\Q$uri\E 127\.0\.0\.$last:/m;
}


sub wait_log {
    my ($text) = @_;

    $t->wait_for(sub { $t->read('tried.log') =~ /^\Q$text\E/m });
    return $t->read('tried.log');
}
