use strict;
use warnings;

# A reload that fails publishes nothing, whether the configuration is broken or
# a port is taken; and nginx -t publishes nothing either.

use IO::Socket::INET;
use Test::More;
use Canary;

my $t = Canary->new();

my $conf = <<'CONF';
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        canary canary SHARE;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200 canary; }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200 baseline; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://baseline;
            add_header X-Generation $canary_generation;
        }
        location /canary/ { canary_status; }
    }
CONF

sub configure {
    my ($share, $more) = @_;

    my $text = $conf . ($more // '');
    $text =~ s/SHARE/$share/;
    $t->conf($text, workers => 2);
    return;
}

sub unchanged {
    my ($requests, $name) = @_;

    my $r = $t->get('/');
    is($r->{body}, 'baseline', "$name: the old share decides");
    is($r->{header}{'x-generation'}, 1, "$name: under the old generation");

    my $status = $t->status();
    is($status->{generation}, 1, "$name: the status says so");
    my $split = $status->{splits}{baseline};
    is($split->{variants}{canary}{configured_share}, 0, "$name: the share");
    is($split->{variants}{baseline}{total}{requests},
        $requests, "$name: counters go on");
    is(scalar @{$split->{journal}}, 1, "$name: nothing in the journal");
    return;
}

configure('0%');
$t->start();
unchanged(1, 'at first');

configure('100%', 'server { listen 127.0.0.1:%%PORT0%%; no_such_directive; }');
ok(!$t->reload(), 'a broken configuration is refused');
unchanged(2, 'broken');

my $taken = IO::Socket::INET->new(
    LocalAddr => '127.0.0.1:' . $t->port(5),
    Listen => 1
) or die "cannot listen: $!\n";

# nginx tries for half a second five times
configure('100%', 'server { listen 127.0.0.1:%%PORT5%%; return 200; }');
$t->reload(wait => 0);
ok($t->wait_for(sub { $t->error_log() =~ /still could not bind/ }, 20),
    'a taken port is refused');
unchanged(3, 'port');

configure('100%');
is(($t->test_config())[0], 0, 'a good configuration is tested');
unchanged(4, 'tested');

ok($t->reload(), 'and loaded');
is($t->get('/')->{body}, 'canary', 'the new share decides');
is($t->status()->{generation}, 2, 'under the next generation');

$t->no_alerts(allow => qr/no_such_directive|could not bind|bind\(\)/);
done_testing();
