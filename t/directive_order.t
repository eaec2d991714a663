# The order of directives in an upstream block, and of the blocks, does not
# matter.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
my @directives = (
    'server 127.0.0.1:%%PORT2%%;',
    'canary new 50%;',
    'canary_key $arg_user;',
    'canary_salt one;',
    'canary_force $http_x_canary yes new;',
    'canary_errors 4xx;',
    'zone ZONE 64k;',
    'least_conn; keepalive 4;',
);

# every rotation of the list, forwards and backwards
my (@orders, $upstreams, $locations);
for my $list ([@directives], [reverse @directives]) {
    for (0 .. $#directives) {
        push @orders, [@$list];
        push @$list, shift @$list;
    }
}
for my $n (0 .. $#orders) {
    my $text = join "\n        ", @{$orders[$n]};
    $text =~ s/ZONE/zone$n/;
    $upstreams .= "    upstream order$n {\n        $text\n    }\n";
    $upstreams .= "    upstream new { server 127.0.0.1:%%PORT1%%; }\n"
        if $n == 7;
    $locations .= "location /order$n { proxy_pass http://order$n; }\n";
}
$t->conf(<<"CONF");
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        $locations
        location /canary/ { canary_status; }
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        add_header X-Upstream new always;
        return 404;
    }
$upstreams
    server {
        listen 127.0.0.1:%%PORT2%%;
        add_header X-Upstream old always;
        return 404;
    }
CONF
$t->start();

my $client = $t->client();
my %seen;
for my $n (0 .. $#orders) {
    my $f = Canary::Figures->new($t, "order$n");
    my %count = (new => 0, old => 0);
    my $users = join ' ', map {
        my $r = $client->get("/order$n?user=u$_");
        my $name = $r->{header}{'x-upstream'} || '';
        $count{$name}++;
        $name
    } 1 .. 32;
    $seen{$users}++;
    is($client->get("/order$n", 'X-Canary', 'yes')->{header}{'x-upstream'},
        'new', "order $n: forced");

    my %figures = (new => {forced => 1});
    for my $name (qw(new old)) {
        my $variant = $name eq 'new' ? 'new' : "order$n";
        my $c = $count{$name};
        $figures{$variant} = {
            %{$figures{$variant} || {}},
            requests => $c,
            errors => $c,
            '4xx' => $c,
            timed => $c
        };
    }
    $f->counted("order $n: counted", %figures);
}
is(scalar keys %seen, 1, 'the same users in each order');
like(join(' ', keys %seen), qr/new.*old|old.*new/, 'on both variants');

$t->no_alerts();
done_testing();
