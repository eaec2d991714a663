# Two ways to have no fallback.

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
        canary canary 100%;
    }
    upstream canary_alone { server 127.0.0.1:%%PORT1%%; }
    upstream alone {
        canary_fallback off;
        canary canary_alone 100%;
        server 127.0.0.1:%%PORT2%%;
    }
    add_header X-Fallback "[$canary_fallback]" always;
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_read_timeout 300ms;
        proxy_next_upstream error timeout http_500;
        location / {
            proxy_pass http://documents;
            proxy_next_upstream off;
        }
        location /on/ { proxy_pass http://documents; }
        location /alone/ { proxy_pass http://alone; }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream(
    $t->port(1),
    name => 'new',
    status => 500,
    broken => sub { $_[0]{uri} =~ m{/(hang|close)$} ? $1 : undef }
);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my %figures = map { ($_ => Canary::Figures->new($t, $_)) } qw(documents alone);
my %e500 = (requests => 1, errors => 1, '5xx' => 1, timed => 1);
my %lost = (requests => 1, errors => 1, none => 1, timed => 1);
my @cases =
    ([status => 500, \%e500], [close => 502, \%lost], [hang => 504, \%lost]);

for my $case (@cases) {
    my ($kind, $status, $expected) = @$case;

    my $r = $t->get("/$kind");
    is($r->{status}, $status, "proxy_next_upstream off, $kind: passed");
    is($r->{header}{'x-fallback'}, '[]', 'no fallback');
    $figures{documents}->counted('an error alone', canary => $expected);

    $r = $t->get("/alone/$kind");
    is($r->{status}, $status, "canary_fallback off, $kind: passed");
    is($r->{header}{'x-fallback'}, '[]', 'no fallback');
    $figures{alone}->counted('an error alone', canary_alone => $expected);

    is($t->get("/on/$kind")->{status}, 200, "else, $kind: a fallback");
    $figures{documents}->counted('an error and a fallback',
        canary => {%$expected, fallbacks => 1});
}

is($t->seen($t->port(2)), 3, 'the baseline saw those alone');
$t->no_alerts();
done_testing();
