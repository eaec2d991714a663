# proxy_next_upstream_tries counts the tries in both variants together.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();

my $locations = '';
for my $tries (0 .. 5) {
    $locations .= <<"CONF";
        location /tries$tries/ {
            proxy_pass http://documents;
            proxy_next_upstream_tries $tries;
        }
CONF
}
$t->conf(<<"CONF");
    upstream canary {
        server 127.0.0.1:%%PORT1%% max_fails=0;
        server 127.0.0.1:%%PORT2%% max_fails=0;
    }
    upstream documents {
        server 127.0.0.1:%%PORT3%% max_fails=0;
        server 127.0.0.1:%%PORT4%% max_fails=0;
        canary canary 100%;
    }
    add_header X-Fallback "[\$canary_fallback]" always;
    add_header X-Tries "\$upstream_addr" always;
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_next_upstream error http_500;
$locations
        location /canary/ { canary_status; }
    }
CONF
for my $n (1 .. 4) {
    $t->http_upstream(
        $t->port($n),
        name => $n < 3 ? 'new' : 'old',
        status => sub { $n < 3 || $_[0]{uri} =~ /all/ ? 500 : 200 }
    );
}
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my %figures = (requests => 1, errors => 1, '5xx' => 1, timed => 1);

sub tries {
    my ($r) = @_;

    my $base = $t->port(0);
    my %name = (1 => 'c', 2 => 'c', 3 => 'b', 4 => 'b');
    return join '',
        map { /:(\d+)$/ && $name{$1 - $base} || '?' } split /, /,
        $r->{header}{'x-tries'};
}

# the limit => tries of the canary (c) and of the baseline (b)
my %works = (1 => 'c', 2 => 'cc', 3 => 'ccb', 4 => 'ccb', 0 => 'ccb');
my %fails = (
    1 => 'c',
    2 => 'cc',
    3 => 'ccb',
    4 => 'ccbb',
    5 => 'ccbb',
    0 => 'ccbb'
);

for my $limit (sort keys %works) {
    my $r = $t->get("/tries$limit/");
    my $back = $works{$limit} =~ /b/ ? 1 : 0;
    my $again = $works{$limit} =~ /cc/ ? 1 : 0;
    is(tries($r), $works{$limit}, "limit $limit: tries");
    is($r->{status}, $back ? 200 : 500, 'what the client sees');
    $f->counted('what is counted',
        canary => {%figures, fallbacks => $back, retries => $again});
}

for my $limit (sort keys %fails) {
    my $r = $t->get("/tries$limit/all");
    my $back = $fails{$limit} =~ /b/ ? 1 : 0;
    my $again = $fails{$limit} =~ /cc/ ? 1 : 0;
    is(tries($r), $fails{$limit}, "limit $limit, all fail: tries");
    is($r->{status}, 500, 'what the client sees');
    $f->counted('what is counted',
        canary => {%figures, fallbacks => $back, retries => $again});
}

$t->no_alerts();
done_testing();
