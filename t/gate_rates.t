use strict;
use warnings;

# abort_rate and retry_rate are gates as error_rate is one; whatever the gates,
# there is no go while clients give up more than 5% of the canary's requests.

use Test::More;
use Canary;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary {
        server 127.0.0.1:%%PORT1%% max_fails=0;
        server 127.0.0.1:%%PORT2%% backup;
    }
    upstream baseline {
        server 127.0.0.1:%%PORT3%%;
        canary canary 100%;
        canary_rollback manual;
        canary_gate error_rate <= 50% min=10;
        canary_gate abort_rate <= 50% min=10;
        canary_gate retry_rate <= 50% min=10;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_next_upstream error timeout http_503;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream(
    $t->port(1),
    status => sub { $_[0]{uri} =~ /busy/ ? 503 : 200 },
    broken => sub { $_[0]{uri} =~ /hang/ ? 'hang' : undef }
);
$t->http_upstream($t->port(2));
$t->start();

sub split_now { return $t->status()->{splits}{baseline} }

sub leaves {
    my ($n) = @_;

    for my $i (1 .. $n) {
        my $client = $t->client();
        $client->send("GET /hang$i HTTP/1.1\r\nHost: a\r\n\r\n");
        $t->wait_for(sub { $t->seen($t->port(1), qr{^/hang$i$}) });
        $client->close();
    }
    return;
}

$t->get('/') for 1 .. 75;
$t->get('/busy') for 1 .. 20;
leaves(6);

my $split;
ok(
    $t->wait_for(
        sub {
            $split = split_now();
            return !grep { $_->{status} ne 'pass' } @{$split->{gates}};
        }
    ),
    'all gates pass'
);
my %gates = map { $_->{metric} => $_ } @{$split->{gates}};

# 101 requests, of which the error rate has 95
is_deeply(
    [map { [@{$gates{$_}}{qw(samples actual)}] } sort keys %gates],
    [[101, 0.059406], [95, 0], [101, 0.19802]],
    'aborted and retried by requests'
);
is(
    $gates{retry_rate}{reason},
    '19.8% in the stage, 19.8% in the window',
    'in the words of the reason'
);
is($split->{verdict}, 'pending', '6 of 101 were given up: no go');
my $why = 'no go: clients gave up 5.941% of the requests to canary in the'
    . ' stage, more than 5%';
is($split->{reason}, $why, 'and why');
like(
    $t->get('/canary/')->{body},
    qr{All gates pass, but clients give up.</strong> \Q$why\E},
    'as on the page'
);

$t->get('/') for 1 .. 19;
$split = split_now();
is($split->{verdict}, 'go', '6 of 120: go');
is($split->{reason}, '', 'and nothing to say');

$t->no_alerts();
done_testing();
