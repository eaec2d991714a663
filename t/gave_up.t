# A request that its client gives up is a bad trial of a latency gate if it was
# beyond the limit by then, as canary_latency measures it; a forced one is none.
# Another limit begins with none, and a restart with a state file keeps them.

use strict;
use warnings;

use Test::More;

use Canary;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream whole {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
        canary_force $arg_f 1 canary;
        canary_state %%DIR%%/state/file;
        include %%DIR%%/gates;
    }
    upstream header {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
        canary_latency header;
        canary_gate p95 <= 400ms;
    }
    upstream request {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
        canary_latency request;
        canary_gate p95 <= 400ms;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /whole/ { proxy_pass http://whole; }
        location /header/ { proxy_pass http://header; }
        location /request/ { proxy_pass http://request; }
        location /canary/ { canary_status; }
    }
CONF
mkdir $t->dir() . '/state';
$t->write('gates', 'canary_gate p95 <= 400ms; canary_gate p99 <= 5s;');
$t->http_upstream(
    $t->port(1),
    body => 'canary',
    broken => sub { $_[0]{uri} =~ /hang/ ? 'hang' : undef }
);
$t->start();
begun();

# at once, and after half a second
leave('/whole/hang/early');
counts('whole', 0, 'one that left before the limit');
leave('/whole/hang/late', late => 0.5);
counts('whole', 1, 'one that left behind it');
is(gate('whole')->{actual}, undef, 'there is no p95');
is(gate('whole', 1)->{samples}, 0, 'none of a greater limit');
leave('/whole/hang/forced?f=1', late => 0.5);
is($t->get("/whole/$_")->{status}, 200, 'answered') for 1 .. 40;
ok($t->wait_for(sub { gate('whole')->{samples} == 41 }),
    'a forced one is none');
cmp_ok(gate('whole')->{actual}, '<', 0.4, 'p95 is among the others');

# by the next tick
ok($t->wait_for(sub { gate('whole')->{bad} == 1 }), 'it was judged as bad');

leave('/header/hang/early', first => 0.5);
counts('header', 0, 'header: the time of a slow client is not the canary\'s');
leave('/header/hang/late', late => 0.5);
counts('header', 1, 'header: but that of no header is');

leave('/request/hang/early');
counts('request', 0, 'request: one that left at once');
leave('/request/hang/late', first => 0.5);
counts('request', 1, 'request: the first byte counts');

# kept

$t->stop();
$t->start();
begun();
is(gate('whole')->{samples}, 41, 'restarted: they are kept');

# another limit

$t->write('gates', 'canary_gate p95 <= 200ms; canary_gate p99 <= 5s;');
$t->reload();
begun();
is(gate('whole')->{samples}, 40, 'another limit: none');
leave('/whole/hang/again', late => 0.3);
counts('whole', 41, 'but what comes then');

$t->no_alerts();
done_testing();

###############################################################################

# "late" seconds after the upstream has it; "first" after its first byte
sub leave {
    my ($uri, %opts) = @_;

    my ($path) = split /[?]/, $uri;
    my $client = $t->client();
    $client->send("GET $uri HTTP/1.1\r\n");
    select undef, undef, undef, $opts{first} if $opts{first};
    $client->send("Host: a\r\n\r\n");
    $t->wait_for(sub { $t->seen($t->port(1), qr/^\Q$path\E/) });
    select undef, undef, undef, $opts{late} if $opts{late};
    $client->close();

    # nginx has noticed
    my ($name) = $uri =~ m{^/(\w+)/};
    my $count = $uri =~ /f=1/ ? 'forced' : 'aborted';
    my $left = $t->{left}{$name}{$count}++;
    $t->wait_for(
        sub {
            my $v = $t->status()->{splits}{$name}{variants}{canary};
            return $v->{total}{$count} > $left;
        }
    ) or die "$uri was not counted\n";

    return;
}

sub gate {
    my ($name, $n) = @_;

    return $t->status()->{splits}{$name}{gates}[$n || 0];
}

sub counts {
    my ($name, $n, $what) = @_;

    is(gate($name)->{samples}, $n, $what);

    return;
}

# a tick has set the limits
sub begun {
    for my $name (qw(whole header request)) {
        $t->wait_for(sub { gate($name)->{stream} })
            or die "$name: no tick\n";
    }

    my $time = $t->status()->{time};
    $t->wait_for(sub { $t->status()->{time} > $time + 1.1 });

    return;
}
