# canary_latency header: until the header of the variant's final response was
# read; it is counted then, and the request when it ends.

use strict;
use warnings;

use List::Util qw(sum0);
use Test::More;
use Time::HiRes qw(sleep);

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
        canary_key $http_host;
        canary_force $arg_force 1 canary;
        canary_latency header;
    }
    upstream again_canary {
        server 127.0.0.1:%%PORT3%% max_fails=0;
        server 127.0.0.1:%%PORT1%% backup;
    }
    upstream again {
        server 127.0.0.1:%%PORT2%%;
        canary again_canary 100%;
        canary_latency header;
    }
    log_format latency "$canary_assignment $canary_latency";
    access_log %%DIR%%/latency.log latency;
    log_subrequest on;
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_next_upstream error timeout http_500;
        proxy_read_timeout 1s;
        location / { proxy_pass http://documents; }
        location /again/ { proxy_pass http://again; }
        location /unbuffered/ {
            proxy_pass http://documents;
            proxy_buffering off;
            proxy_read_timeout 20s;
        }
        location /upgrade/ {
            proxy_pass http://documents;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
        }
        location /cached/ {
            proxy_pass http://documents;
            proxy_cache cache;
            proxy_cache_valid 200 1s;
            proxy_cache_use_stale http_503;
            proxy_cache_revalidate on;
        }
        location /checked/ {
            auth_request /check;
            proxy_pass http://documents;
        }
        location /static/ { return 200 static; }
        location /canary/ {
            access_log off;
            canary_status;
        }
    }
CONF

my %opts = (
    status => sub {
        my ($request) = @_;
        return 503 if $request->{headers}{'x-fails'};
        return 304 if $request->{headers}{'if-modified-since'};
        return 101 if $request->{uri} =~ /upgrade/;
        return $request->{uri} =~ m{/status(\d+)} ? $1 : 200;
    },
    headers => sub {
        my ($request) = @_;
        return {'X-Accel-Redirect' => '/static/'}
            if $request->{uri} =~ /accel/;
        return {Connection => 'Upgrade', Upgrade => 'websocket'}
            if $request->{uri} =~ /upgrade/;
        return {'Last-Modified' => 'Mon, 01 Jan 2024 00:00:00 GMT'};
    },
    delay => sub { $_[0]{uri} =~ /delay/ ? 0.3 : 0 },
    broken => sub { $_[0]{uri} =~ m{/([a-z_]+)-$} ? $1 : undef }
);

sub listens {
    my ($n, %more) = @_;
    $t->http_upstream($t->port($n), name => $n == 2 ? 'old' : 'new', %more);
    return;
}
listens(1, %opts);
listens(2);
listens(3, %opts, status => 500, broken => undef);
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $one = Canary::Figures::success(1);

# a stream: its latency counts while it goes on
my $client = $t->client();
$client->send("GET /unbuffered/delay/hang_body- HTTP/1.1\r\nHost: a\r\n\r\n");
$f->counted('the header of a stream', canary => {timed => 1});
my $latency = $f->latency('canary');
cmp_ok($latency->{min}, '>=', 0.29, 'until the header came');
sleep 0.5;
$client->close();
$f->counted('its client left', canary => {requests => 1, '2xx' => 1});
is($f->latency('canary')->{max}, $latency->{max}, 'no later time');

$t->get('/a');
$f->counted('a whole response', canary => $one);
$t->head('/a');
$f->counted('HEAD', canary => $one);
$t->get('/no_status_line-');
$f->counted('no status line', canary => {requests => 1, none => 1, timed => 1});
$t->get('/accel');
$f->counted('X-Accel-Redirect', canary => $one);
$t->get('/checked/');
$f->counted('a subrequest, and the request',
    canary => Canary::Figures::success(2));
$t->get('/a?force=1');
$f->counted('a forced request', canary => {forced => 1});
$t->get('/status404');
$f->counted('a status', canary => {requests => 1, '4xx' => 1, timed => 1});

# a body cut short is an error, and timed
$t->get('/truncate-');
$f->counted('a body cut short',
    canary => {requests => 1, '2xx' => 1, errors => 1, timed => 1});

# no header, no time
my %failed = (requests => 1, errors => 1, none => 1, fallbacks => 1);
$t->get("/$_-") for qw(close hang);
$f->counted('no header: the baseline answers',
    canary => {map { $_ => 2 * $failed{$_} } keys %failed});
$client = $t->client();
$client->send("GET /hang- HTTP/1.1\r\nHost: a\r\n\r\n");
$t->wait_for(sub { $t->seen($t->port(1), qr{^/hang}) == 2 });
$client->close();
$f->counted('left before it',
    canary => {requests => 1, none => 1, aborted => 1});

# the header of a failure that the baseline takes over is the canary's last
$t->get('/delay/status500');
$f->counted(
    'a fallback on a status',
    canary =>
        {requests => 1, errors => 1, '5xx' => 1, fallbacks => 1, timed => 1}
);

$client = $t->client();
$client->send("GET /upgrade/ HTTP/1.1\r\nHost: a\r\nUpgrade: a\r\n"
        . "Connection: upgrade\r\n\r\n");
$t->wait_for(sub { $t->seen($t->port(1), qr/upgrade/) });
$client->response();
$client->close();
$f->counted('a switched protocol', canary => {requests => 1, '1xx' => 1});

# out of the cache nothing comes from the variant
$t->get("/cached/$_") for qw(a a b);
$f->counted('two misses and a hit', canary => Canary::Figures::success(2));
sleep 2.1;
is($t->get('/cached/a')->{status}, 200, 'revalidated');
$f->counted('a 304, timed once',
    canary => {requests => 1, '3xx' => 1, timed => 1});
is($t->get('/cached/b', 'X-Fails' => 1)->{status}, 200, 'a stale response');
$f->counted('an error, timed once',
    canary => {requests => 1, '5xx' => 1, errors => 1, timed => 1});

my $again = Canary::Figures->new($t, 'again');
is($t->get('/again/delay')->{status}, 200, 'the second server answers');
$again->counted('one latency', again_canary => {%$one, retries => 1});
cmp_ok($again->latency('again_canary')->{min}, '>=', 0.59, 'of both tries');

# a forced request has a latency, which is in no figure
my ($count, $sum) = (0, 0);
for (map { $_->[0]->latency($_->[1]) } [$f, 'canary'], [$again, 'again_canary'])
{
    $count += $_->{count};
    $sum += $_->{sum};
}
my @log;
ok(
    $t->wait_for(
        sub {
            @log = $t->read('latency.log') =~ /^split (\S+\d)$/mg;
            return @log == $count;
        },
        5
    ),
    'each in the log'
) or diag(scalar(@log), " of $count");
cmp_ok(abs(sum0(@log) - $sum), '<', 1e-6, 'with the value that is counted');

$t->no_alerts();
done_testing();
