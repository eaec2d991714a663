# canary_bypass: a request that takes no part goes to the baseline, before
# latch, off, force and key, and is in no figure but "bypassed".

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    map $uri $health { volatile; default ""; ~^/health 1; }
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        canary_bypass $health $http_x_staff;
        canary_bypass $arg_probe;
        server 127.0.0.1:%%PORT2%%;
        include %%DIR%%/split;
        canary_key $arg_k;
        canary_cookie id;
        canary_force $arg_force always canary;
        canary_gate throughput >= 1r/s;
    }
    canary_event all;
    canary_event users unique=$arg_k;
    server {
        listen 127.0.0.1:%%PORT0%%;
        add_header X-Seen "$canary_variant $canary_assignment" always;
        add_header X-Named $canary_variant_documents always;
        location / { proxy_pass http://documents; }
        location /named/ { proxy_pass http://$canary_variant_documents; }
        location /redirected/ {
            proxy_pass http://documents;
            proxy_intercept_errors on;
            error_page 404 = @static;
        }
        location @static { return 200 static; }
        location /checked/ {
            auth_request /health/check;
            proxy_pass http://documents;
        }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
$t->write('split', 'canary canary 100%;');

my %status = (fails => 500, redirected => 404);
for my $n (1, 2) {
    $t->http_upstream(
        $t->port($n),
        name => $n == 1 ? 'new' : 'old',
        status => sub { $status{($_[0]{uri} =~ m{^/(\w+)})[0] || ''} || 200 }
    );
}
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my %staff = ('X-Staff' => 1);

sub seen {
    my ($r) = @_;

    my $header = $r->{header};
    return join ' ',
        map { defined $_ ? $_ : '-' }
        @{$header}{qw(x-upstream x-seen x-named set-cookie)};
}

sub split_status {
    return $t->status()->{splits}{documents};
}

sub passages {
    my ($gate) = @{split_status()->{gates}};
    return $gate->{samples};
}

my $bypassed = 'old documents bypassed documents -';

for my $query ('', '?k=a', '?force=always', '?k=a&force=always') {
    is(seen($t->get("/$query", %staff)), $bypassed, "bypassed: /$query");
    $f->counted('nothing else', bypassed => 1);
}
is(seen($t->get('/health')), $bypassed, 'another value of the line');
is(seen($t->get('/?probe=yes')), $bypassed, 'a value of another line');
$f->counted('bypassed', bypassed => 2);

$t->get($_, %staff) for '/fails', '/named/';
$f->counted('an error, a named upstream', bypassed => 2);

my $r = $t->get('/redirected/', %staff);
is($r->{body}, 'static', 'error_page leads elsewhere');
is($r->{header}{'x-seen'}, 'documents bypassed', 'the assignment is kept');
$f->counted('an internal redirect', bypassed => 1);

is(passages(), 0, 'no throughput');
is_deeply(
    [map { $_->{total}{count} } map { values %$_ } values %{events()}],
    [0, 0, 0, 0],
    'no event'
);

like(
    seen($t->get('/?k=a&probe=0', 'X-Staff' => 0)),
    qr/^new canary split canary id=/,
    'neither "0" nor empty'
);
$f->counted('takes part', canary => Canary::Figures::success(1));
is(passages(), 1, 'throughput');
is(events()->{all}{canary}{total}{count}, 1, 'an event');

# the check is bypassed, by its own URI; what it checks is not
like(seen($t->get('/checked/')), qr/^new canary split canary id=/, 'a check');
$f->counted(
    'a subrequest',
    bypassed => 1,
    canary => Canary::Figures::success(1)
);

# what else takes the canary out of traffic comes later
$t->post('/canary/control/documents/rollback');
is(seen($t->get('/', %staff)), $bypassed, 'rolled back: bypassed');
like(
    seen($t->get('/')),
    qr/^old documents rolled_back documents id=/,
    'others: rolled back'
);
$t->post('/canary/control/documents/resume');
$f->counted(
    'while rolled back',
    bypassed => 1,
    documents => Canary::Figures::success(1)
);

$t->write('split', 'canary canary off;');
ok($t->reload(drain => 1), 'off');
is(seen($t->get('/', %staff)), $bypassed, 'off: bypassed');
$f->counted('while off', bypassed => 1);

my $metrics = $t->get('/canary/metrics')->{body};
my ($total) = $metrics =~ /^nginx_canary_bypassed_total\{.*\} (\d+)$/m;
is($total, split_status()->{bypassed}, 'the metric');
is($total, 12, 'all of them');

$t->no_alerts();
done_testing();


sub events {
    return split_status()->{events};
}
