# canary_force: which requests it takes, where they go, and that they are
# counted apart.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream first { server 127.0.0.1:%%PORT1%%; }
    upstream second { server 127.0.0.1:%%PORT2%%; }
    upstream documents {
        server 127.0.0.1:%%PORT3%%;
        canary first 0%;
        canary second 0%;
        canary_key $remote_addr;
        canary_force $http_x_canary always first;
        canary_force $http_x_canary ~^se second;
        canary_force $http_x_canary ~*^any$ second;
        canary_force $http_x_canary ~^sequence$ first;
        canary_force $http_x_canary never documents;
        canary_force $arg_to first first;
    }
    upstream half_off {
        server 127.0.0.1:%%PORT3%%;
        canary first off;
        canary second 0%;
        canary_force $http_x_canary always first;
        canary_force $http_x_canary second second;
    }
    upstream all_off {
        server 127.0.0.1:%%PORT3%%;
        canary first off;
        canary_force $http_x_canary always first;
    }
    upstream whole {
        server 127.0.0.1:%%PORT3%%;
        canary first 100%;
        canary_key $arg_user;
        canary_force $http_x_canary never whole;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        add_header X-Why $canary_assignment always;
        location / { proxy_pass http://documents; }
        location /half_off { proxy_pass http://half_off; }
        location /all_off { proxy_pass http://all_off; }
        location /whole { proxy_pass http://whole; }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
my $status = sub { $_[0]{uri} =~ /500/ ? 500 : 200 };
$t->http_upstream($t->port(1), name => 'first', status => $status);
$t->http_upstream($t->port(2), name => 'second');
$t->http_upstream($t->port(3), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');


sub where {
    my ($path, @headers) = @_;

    my $header = $t->get($path, @headers)->{header};
    return "$header->{'x-upstream'} $header->{'x-why'}";
}

my @cases = (
    [always => 'first', 'exact'],
    [sequence => 'second', 'regex, and the first match wins'],
    [ANY => 'second', 'caseless regex'],
    [any => 'second', 'caseless regex, lower case'],
    [never => 'documents', 'to the baseline'],
);
for my $case (@cases) {
    my ($value, $variant, $label) = @$case;
    my $name = $variant eq 'documents' ? 'old' : $variant;
    is(where('/', 'X-Canary', $value), "$name forced", $label);
    $f->counted("$label: counted apart", $variant => {forced => 1});
}

my $none = join ' ',
    map { where('/', 'X-Canary', $_) }
    qw(Always always1 xalways alway SEQUENCE anything many);
is($none, join(' ', ('old split') x 7), 'what does not match');
$f->counted('is split', documents => Canary::Figures::success(7));

is(where('/?to=first', 'X-Canary', 'never'),
    'old forced', 'the first match wins over another variable');
is(where('/?to=first'), 'first forced', 'another variable');
is(where('/500', 'X-Canary', 'always'), 'first forced', 'a failure');
$f->counted(
    'neither an error nor a latency',
    documents => {forced => 1},
    first => {forced => 2}
);

is(
    where('/half_off', 'X-Canary', 'second'),
    'second forced',
    '0% takes forced requests'
);
like(where('/half_off', 'X-Canary', 'always'),
    qr/^old /, 'a canary that is off takes none');

my $off = Canary::Figures->new($t, 'all_off');
is(where('/all_off', 'X-Canary', 'always'),
    'old off', 'off wins over a forced header');
$off->counted('counted as any', all_off => Canary::Figures::success(1));

my $whole = Canary::Figures->new($t, 'whole');
is(where('/whole', 'X-Canary', 'never'),
    'old forced', 'forced although there is no key');
$whole->counted('not unkeyed', whole => {forced => 1});

is($t->post('/canary/control/documents/rollback', '')->{status},
    200, 'rolled back');
is(
    where('/', 'X-Canary', 'always'),
    'old rolled_back',
    'the latch wins over a forced header'
);
$f->counted('counted as any', documents => Canary::Figures::success(1));

is($t->post('/canary/control/documents/resume', '')->{status}, 200, 'resumed');
is(where('/', 'X-Canary', 'always'), 'first forced', 'forced again');
$f->counted('counted apart again', first => {forced => 1});

$t->no_alerts();
done_testing();
