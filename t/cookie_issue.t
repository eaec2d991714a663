# canary_cookie: what is issued, to whom, and that the very response which
# issues it is assigned by it.

use strict;
use warnings;

use POSIX qw(strftime);
use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_cookie id;
    }
    upstream full {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_cookie all path=/a domain=example.com expires=30d samesite=lax
                      secure httponly;
    }
    upstream keyed {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_key $arg_user;
        canary_cookie id;
        canary_salt documents;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://documents; }
        location /full { proxy_pass http://full; }
        location /keyed { proxy_pass http://keyed; }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream(
    $t->port(1),
    name => 'new',
    headers => {'Set-Cookie' => 'own=1'},
    status => sub { $_[0]{uri} =~ /404/ ? 404 : 200 }
);
$t->http_upstream(
    $t->port(2),
    name => 'old',
    headers => {'Set-Cookie' => 'own=1'},
    status => sub { $_[0]{uri} =~ /404/ ? 404 : 200 }
);
$t->start();

my $f = Canary::Figures->new($t, 'documents');


# the cookies of a response but for the upstream's own
sub issued {
    my ($r) = @_;

    return join '|',
        grep { $_ ne 'own=1' } @{$r->{headers}{'set-cookie'} || []};
}

my (%ids, %seen, %wrong);
for (1 .. 40) {
    my $r = $t->get('/');
    my ($id) = issued($r) =~ /^id=([0-9a-f]{32}); Path=\/$/;
    if (!defined $id) {
        $wrong{issued($r)}++;
        next;
    }
    $wrong{'lost the own'}++
        if !grep { $_ eq 'own=1' } @{$r->{headers}{'set-cookie'}};
    $ids{$id}++;
    my $name = $r->{header}{'x-upstream'};
    $seen{$name}++;

    my $again = $t->get('/', Cookie => "a=b; id=$id; c=d");
    $wrong{"moved from $name"}++ if $again->{header}{'x-upstream'} ne $name;
    $wrong{'issued again'}++ if issued($again) ne '';
    my $keyed = $t->get('/keyed?user=one', Cookie => "id=$id");
    $wrong{'not before canary_key'}++
        if $keyed->{header}{'x-upstream'} ne $name;
}
is_deeply(\%wrong, {}, 'issued once, and assigned by it at once');
is(scalar keys %ids, 40, 'no two are the same');
is(join(' ', sort keys %seen), 'new old', 'both variants');
$f->counted(
    'counted',
    canary => Canary::Figures::success(2 * $seen{new}),
    documents => Canary::Figures::success(2 * $seen{old})
);

like(issued($t->get('/404')), qr/^id=[0-9a-f]{32}; Path=\/$/, 'with a 404 too');
like(issued($t->head('/')), qr/^id=[0-9a-f]{32}; Path=\/$/, 'with HEAD too');

my $before = time;
my $cookie = issued($t->get('/full'));
my $after = time;
my @parts = split /; */, $cookie;
like(shift @parts, qr/^all=[0-9a-f]{32}$/, 'name and id');
my %parts = map { /^(.*?)(?:=(.*))?$/ ? (lc $1 => $2) : () } @parts;
is(scalar @parts, 7, 'each attribute once') or diag($cookie);
is($parts{path}, '/a', 'path');
is($parts{domain}, 'example.com', 'domain');
is(lc $parts{samesite}, 'lax', 'samesite');
ok(exists $parts{secure}, 'secure');
ok(exists $parts{httponly}, 'httponly');
is($parts{'max-age'}, 30 * 86400, 'max-age');

# nginx's form of a cookie's time
my %right =
    map { strftime('%a, %d-%b-%y %H:%M:%S GMT', gmtime($_ + 30 * 86400)) => 1 }
    $before - 1 .. $after + 1;
ok($right{$parts{expires}}, 'expires') or diag($parts{expires});

my $id = 'a' x 32;
for my $value (
    '', 'a', 'a' x 31, 'a' x 33, 'A' x 32,
    'a' x 31 . 'g',
    'a' x 31 . ' ',
    '"' . 'a' x 30 . '"',
    '%61' x 10 . 'aa'
    )
{
    my $r = $t->get('/', Cookie => "id=$value");
    my ($new) = issued($r) =~ /^id=([0-9a-f]{32}); Path=\/$/;
    ok(defined $new && $new ne $id, "malformed, counts as none: '$value'");
}
is(issued($t->get('/', Cookie => "id=$id")), '', 'a well-formed one');

$t->no_alerts();
done_testing();
