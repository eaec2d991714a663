# HTTP/3 clients over a reload: a browser fetches in a loop while a share of 50%
# becomes "off".  No request that starts after the first answer of the new
# generation reaches the canary.

use strict;
use warnings;

use Test::More;

use Canary;

my $t = Canary->new();
my $dir = $t->dir();
my ($chromium) = grep { -x } map { "$_/chromium" } split /:/, $ENV{PATH};
plan(skip_all => 'no chromium') if !$chromium;
plan(skip_all => 'this nginx has no HTTP/3')
    if (
    $t->test_config('server { listen 127.0.0.1:%%PORT1%% quic; }', module => 0))
    [1] =~ /parameter "quic"/;

my @openssl = (
    qw(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1),
    qw(-nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost)
);
plan(skip_all => 'no openssl')
    if system("@openssl -keyout $dir/key.pem -out $dir/cert.pem 2>/dev/null")
    != 0;
my $hash = `openssl x509 -in $dir/cert.pem -pubkey -noout \\
    | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64`;
chomp $hash;

$t->write('split', 'canary canary 50%;');
my $fields = '$server_protocol $canary_generation $canary_variant $arg_seen';
$t->conf(<<"CONF");
    log_format fetched "$fields";
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        include %%DIR%%/split;
        canary_key \$arg_k;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /canary/ { canary_status; }
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        listen 127.0.0.1:%%PORT2%%;
        return 200 "ok";
    }
    server {
        listen 127.0.0.1:%%PORT3%% quic reuseport;
        ssl_certificate %%DIR%%/cert.pem;
        ssl_certificate_key %%DIR%%/key.pem;
        add_header X-Generation \$canary_generation always;
        location / { return 404; }
        location /x {
            access_log %%DIR%%/fetched.log fetched;
            proxy_pass http://baseline;
        }
        location /page {
            default_type text/html;
            root %%DIR%%;
        }
    }
CONF

# each request says which generation its client has seen by then
$t->write('page', <<'HTML');
<script>
    let seen = 0, k = 0;
    async function loop() {
        for (;;) {
            try {
                const r = await fetch(`/x?k=${k++}&seen=${seen}`);
                seen = Math.max(seen, r.headers.get("X-Generation"));
                await r.text();
            } catch (e) {
                await new Promise(done => setTimeout(done, 50));
            }
        }
    }
    loop(); loop(); loop(); loop();
</script>
HTML
$t->start();

my $origin = 'localhost:' . $t->port(3);
mkdir "$dir/home";
my $pid = $t->_spawn(
    sub {
        $ENV{HOME} = "$dir/home";
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$dir/chromium.log";
        open STDERR, '>&', \*STDOUT;
        exec $chromium, '--headless', '--no-sandbox', '--disable-gpu',
            '--no-first-run', '--disable-background-networking',
            "--user-data-dir=$dir/home/profile",
            '--host-resolver-rules=MAP localhost 127.0.0.1',
            "--origin-to-force-quic-on=$origin",
            "--ignore-certificate-errors-spki-list=$hash",
            '--remote-debugging-port=0', "https://$origin/page"
            or POSIX::_exit(127);
    },
    group => 1
);

# [protocol, generation, variant, the newest generation seen before]
sub fetched {
    return map { [split / /] } split /\n/, $t->read('fetched.log');
}

ok(
    $t->wait_for(
        sub {
            grep { $_->[2] eq 'canary' } fetched();
        },
        15
    ),
    'a browser fetches from the canary'
) or diag($t->read('chromium.log'));
$t->wait_for(sub { fetched() >= 100 }, 5);

$t->write('split', 'canary canary off;');
is($t->reload(), 1, 'a reload');
ok(
    $t->wait_for(
        sub {
            50 <= grep { $_->[3] == 2 } fetched();
        },
        15
    ),
    'the browser goes on under the new configuration'
);
$t->_end($pid);

my @fetched = fetched();
is_deeply([grep { $_->[0] ne 'HTTP/3.0' } @fetched], [], 'all by HTTP/3');
my @new = grep { $_->[3] == 2 } @fetched;
is_deeply([grep { "@$_[1, 2]" ne '2 baseline' } @new],
    [], 'after its first answer nothing reaches the canary');
is_deeply([grep { $_->[1] == 2 && $_->[2] ne 'baseline' } @fetched],
    [], 'nor does any of that generation');

$t->no_alerts();
done_testing();
