# What a worker leaves when it ends is counted: a request, no error, not
# timed, as if the client had gone.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF', main => 'worker_shutdown_timeout 500ms;', workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
    }
    upstream whole_canary { server 127.0.0.1:%%PORT1%%; }
    upstream whole {
        server 127.0.0.1:%%PORT2%%;
        canary whole_canary 100%;
        canary_latency request;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_buffering off;
        location / { proxy_pass http://documents; }
        location /whole/ { proxy_pass http://whole; }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream(
    $t->port(1),
    name => 'new',
    delay => sub { $_[0]{uri} =~ /late/ ? 0.3 : 0 },
    broken => sub { $_[0]{uri} =~ /(hang\w*)/ ? $1 : undef }
);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $whole = Canary::Figures->new($t, 'whole');
my $gone = {requests => 2, none => 1, '2xx' => 1};

# one that waits for a header and one that waits for a body, of each split
sub waiting {
    my ($name) = @_;

    my @clients;
    for my $path (map { ("$_/hang", "$_/hang_body") } '', '/whole') {
        my $client = $t->client();
        $client->send("GET $path/$name HTTP/1.1\r\nHost: a\r\n\r\n");
        $client->_fill(time + 10) if $path =~ /body/;
        push @clients, $client;
    }
    $t->wait_for(sub { $t->seen($t->port(1), qr/$name/) == 4 });
    return @clients;
}

my @clients = waiting('timeout');
$t->reload(drain => 1);
$f->counted('worker_shutdown_timeout', canary => $gone);
$whole->counted('worker_shutdown_timeout, canary_latency request',
    whole_canary => $gone);
$_->close() for @clients;

@clients = waiting('terminated');
my @workers = $t->workers();
kill 'TERM', @workers;
$t->wait_for(
    sub {
        my %now = map { ($_ => 1) } $t->workers();
        return keys %now == 2 && !grep { $now{$_} } @workers;
    }
);
$f->counted('workers that were terminated', canary => $gone);
$whole->counted('workers that were terminated, canary_latency request',
    whole_canary => $gone);
$_->close() for @clients;

my $client = $t->client();
$client->send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
$t->wait_for(sub { $t->seen($t->port(1), qr/late/) });
$t->reload(wait => 0);
is($client->response('GET')->{status}, 200, 'a request over a reload');
$client->close();
$f->counted('is a success', canary => Canary::Figures::success(1));

is($t->seen($t->port(2)), 0, 'the baseline saw nothing');
$t->no_alerts(allow => qr/open socket #\d+ left in connection/);
done_testing();
