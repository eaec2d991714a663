# A forced request may fall back too, and is part of no figure but forced.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 0%;
        canary_force $http_x_canary always canary;
    }
    proxy_next_upstream error http_500;
    add_header X-Variant "[$canary_variant]" always;
    add_header X-Why "[$canary_assignment]" always;
    add_header X-Fallback "[$canary_fallback]" always;
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://documents; }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream(
    $t->port(1),
    name => 'new',
    status => sub { $_[0]{uri} =~ /500/ ? 500 : 200 },
    broken => sub { $_[0]{uri} =~ /close/ ? 'close' : undef }
);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my @forced = ('X-Canary', 'always');

my $r = $t->get('/', @forced);
is($r->{header}{'x-upstream'}, 'new', 'forced to the canary');
is($r->{header}{'x-fallback'}, '[]', 'no fallback');
$f->counted('forced', canary => {forced => 1});

for my $path (qw(/500 /close)) {
    $r = $t->get($path, @forced);
    is($r->{header}{'x-upstream'}, 'old', "$path: the baseline answers");
    is($r->{header}{'x-variant'}, '[canary]', 'the variant stays the canary');
    is($r->{header}{'x-why'}, '[forced]', 'forced');
    is($r->{header}{'x-fallback'}, '[1]', 'a fallback');
    $f->counted('forced, and nothing else', canary => {forced => 1});
}

$t->get('/500');
$f->counted('not forced: the baseline',
    documents => Canary::Figures::success(1));

$t->no_alerts();
done_testing();
