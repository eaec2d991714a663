# HTTP/2 clients: many streams of one connection, each with its own variant.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $curl = `curl -V 2>/dev/null`;
plan(skip_all => 'no curl with HTTP/2') if $curl !~ /HTTP2/;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_key $cookie_user $arg_user;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://documents; }
        location /canary/ { canary_status; }
    }
    server {
        listen 127.0.0.1:%%PORT3%% ssl http2;
        ssl_certificate %%DIR%%/cert.pem;
        ssl_certificate_key %%DIR%%/key.pem;
        add_header X-Connection $connection;
        location / { proxy_pass http://documents; }
    }
CONF
my $status = sub { $_[0]{uri} =~ /500/ ? 500 : 200 };
my $delay = sub { $_[0]{uri} =~ /slow/ ? 30 : 0.01 };
$t->http_upstream(
    $t->port(1),
    name => 'new',
    status => $status,
    delay => $delay
);
$t->http_upstream(
    $t->port(2),
    name => 'old',
    status => $status,
    delay => $delay
);
my @openssl = (
    qw(openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost),
    '-keyout', $t->dir() . '/key.pem',
    '-out', $t->dir() . '/cert.pem'
);
plan(skip_all => 'no openssl') if system("@openssl 2>/dev/null") != 0;
$t->start();

my $f = Canary::Figures->new($t, 'documents');


# the answers of one curl: [body, status, connection], or undef
sub curl {
    my (@args) = @_;

    open my $out, '-|', 'curl', '-s', '-k', '--no-progress-meter', '--http2',
        '-m', 5 * $t->slow(), '-w',
        '%{http_version} %{http_code} %header{x-connection}\n', @args
        or die "curl: $!\n";
    my @lines = <$out>;
    close $out;

    return @lines;
}

my $base = 'https://127.0.0.1:' . $t->port(3);
my (%where, %count);
for my $user (1 .. 30) {
    my $name = $t->get("/?user=u$user")->{header}{'x-upstream'};
    $where{$user} = $name;
    $count{$name}++;
}
my ($new, $old) = @count{qw(new old)};
ok($new && $old, 'both variants have users');
$f->counted(
    'HTTP/1.1',
    canary => Canary::Figures::success($new),
    documents => Canary::Figures::success($old)
);

my @lines = curl("$base/[1-1]?user=u[1-30]");
my %connections = map { / (\d*)$/ ? ($1 => 1) : () } @lines;
is(scalar(grep { /^2 200 / } @lines), 30, 'HTTP/2: 30 answers');
is(scalar keys %connections, 1, 'on one connection');
is(
    join('', map { /^(\w+)$/ ? $1 : () } @lines),
    join('', map { $where{$_} } 1 .. 30),
    'the same variants'
);
$f->counted(
    'each stream is counted once',
    canary => Canary::Figures::success($new),
    documents => Canary::Figures::success($old)
);

@lines = curl('-Z', "$base/?user=u[1-30]");
is(scalar(grep { /^2 200 / } @lines), 30, '30 streams at once');
$f->counted(
    'each is counted once',
    canary => Canary::Figures::success($new),
    documents => Canary::Figures::success($old)
);

my ($user) = grep { $where{$_} eq 'new' } 1 .. 30;
my ($other) = grep { $where{$_} eq 'old' } 1 .. 30;
my $one = Canary::Figures::success(1);
@lines = curl('-H', 'Cookie: a=b', '-H', "Cookie: user=u$user",
    "$base/?user=u$other");
is($lines[0], "new\n", 'a key in one of several cookie fields');
$f->counted('counted', canary => $one);

curl('-I', "$base/?user=u$user");
$f->counted('HEAD', canary => $one);
curl('-d', 'x' x 100_000, "$base/?user=u$user");
$f->counted('POST', canary => $one);
curl("$base/500?user=u$user");
$f->counted('an error',
    canary => {requests => 1, errors => 1, '5xx' => 1, timed => 1});

curl('-m', $t->slow(), "$base/slow?user=u$user");
$f->counted('a client that leaves',
    canary => {requests => 1, none => 1, aborted => 1});

$t->no_alerts();
done_testing();
