# canary_cookie while the split is off or rolled back: the id is issued all the
# same, so that users are known when it starts.

use strict;
use warnings;

use Test::More;

use Canary;

my $t = Canary->new();
my $conf = <<'CONF';
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary SHARE;
        canary_cookie id;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        add_header X-Upstream new;
        return 200;
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        add_header X-Upstream old;
        return 200;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        add_header X-Why $canary_assignment;
        location / { proxy_pass http://documents; }
        location /canary/control/ { canary_control; }
    }
CONF


sub share {
    my ($share) = @_;

    (my $text = $conf) =~ s/SHARE/$share/;
    $t->conf($text);
    return;
}


sub answer {
    my (@headers) = @_;

    my $r = $t->get('/', @headers);
    my $header = $r->{header};
    my ($id) =
        ($header->{'set-cookie'} || '') =~ /^id=([0-9a-f]{32}); Path=\/$/;

    return ("$header->{'x-upstream'} $header->{'x-why'}", $id);
}

share('off');
$t->start();
my ($where, $id) = answer();
is($where, 'old off', 'off: the baseline');
ok(defined $id, 'off: issued');
($where, my $again) = answer(Cookie => "id=$id");
is($where, 'old off', 'off: the baseline again');
is($again, undef, 'off: not issued again');

share('100%');
ok($t->reload(), 'started');
($where, $again) = answer(Cookie => "id=$id");
is($where, 'new split', 'active: the canary');
is($again, undef, 'active: the id of before counts');

is($t->post('/canary/control/documents/rollback', '')->{status},
    200, 'rolled back');
($where, $again) = answer();
is($where, 'old rolled_back', 'rolled back: the baseline');
ok(defined $again, 'rolled back: issued');
isnt($again, $id, 'rolled back: another id');

$t->no_alerts();
done_testing();
