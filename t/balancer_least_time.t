# least_time, which nginx tells of each header that comes: in either variant it
# prefers the faster server, and a fallback to or from it is none to it.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
my $server = 'server 127.0.0.1:%%PORT1%%;';
plan(skip_all => 'this nginx has no least_time')
    if (
    $t->test_config("upstream u { least_time header; $server }", module => 0))
    [0];

my %method = (
    header => 'least_time header;',
    header_inflight => 'least_time header inflight;',
    last_byte => 'least_time last_byte;',
    last_byte_inflight => 'least_time last_byte inflight;',
);
my @names = sort keys %method;


sub servers {
    return join ' ', map { "server 127.0.0.1:%%PORT$_%% max_fails=0;" } @_;
}

# ports 1 and 3 are fast, 2 and 4 are slow
my ($upstreams, $locations) = ('', '');
for my $name (@names) {
    my ($new, $old) = (servers(1, 2), servers(3, 4));
    my $split = "canary_key \$arg_user;";
    $upstreams .= <<"CONF";
    upstream new_$name { zone new_$name 64k; $method{$name} $new }
    upstream both_$name {
        canary new_$name 50%; $split $method{$name} $old keepalive 4;
    }
    upstream new_to_$name { $new keepalive 4; }
    upstream to_$name { canary new_to_$name 100%; $split $method{$name} $old }
    upstream new_from_$name { $method{$name} $new keepalive 4; }
    upstream from_$name { canary new_from_$name 100%; $split $old }
CONF
    $locations .= "location /${_}_$name { proxy_pass http://${_}_$name; }\n"
        for qw(both to from);
}
$t->conf(<<"CONF");
    $upstreams
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_next_upstream error timeout http_503;
        add_header X-Variant \$canary_variant always;
        add_header X-Fallback "[\$canary_fallback]" always;
        $locations
        location /canary/ { canary_status; }
    }
CONF
my @upstreams =
    (['new', 'fast'], ['new', 'slow'], ['old', 'fast'], ['old', 'slow']);
for my $port (1 .. 4) {
    my ($variant, $speed) = @{$upstreams[$port - 1]};
    $t->http_upstream(
        $t->port($port),
        name => "$variant $speed",
        delay => sub {
            $speed eq 'slow' && $_[0]{uri} !~ /fail/ ? 0.1 * $t->slow() : 0;
        },
        status => sub { $variant eq 'new' && $_[0]{uri} =~ /fail/ ? 503 : 200 }
    );
}
$t->start();

for my $name (@names) {
    preferred($name);
    fallback($_, $name) for qw(to from);
}

$t->no_alerts();
done_testing();


# the slower server is tried once, then left alone
sub preferred {
    my ($name) = @_;

    my $split = "both_$name";
    my $f = Canary::Figures->new($t, $split);
    my $client = $t->client();
    my (%count, %server);
    for my $user (1 .. 20) {
        my $header = $client->get("/$split?user=u$user")->{header};
        $count{$header->{'x-variant'}}++;
        $server{"$header->{'x-variant'} $header->{'x-upstream'}"}++;
    }

    is(
        join(', ', sort keys %server),
        join(', ',
            "$split old fast",
            "$split old slow",
            "new_$name new fast",
            "new_$name new slow"),
        "$name: the servers of the variants"
    );
    cmp_ok($server{"$split old slow"}, '<', 3, "$name: the faster, baseline");
    cmp_ok($server{"new_$name new slow"}, '<', 3, "$name: the faster, canary");
    $f->counted("$name: counted",
        map { $_ => Canary::Figures::success($count{$_}) } keys %count);

    return;
}


# from a canary of which both servers answer 503, from or to least_time
sub fallback {
    my ($way, $name) = @_;

    my $split = "${way}_$name";
    my $f = Canary::Figures->new($t, $split);
    my $client = $t->client();
    my %answers;
    for my $user (1 .. 6) {
        my $r = $client->get("/$split/fail?user=u$user");
        my ($by) = split / /, $r->{header}{'x-upstream'} || '';
        $answers{
            join ' ',
            $r->{status} || 'none',
            $by || 'none',
            $r->{header}{'x-fallback'} || ''
        }++;
    }

    is_deeply(\%answers, {'200 old [1]' => 6}, "$split: the baseline answers");
    $f->counted(
        "$split: counted",
        "new_$split" => {
            requests => 6,
            errors => 6,
            fallbacks => 6,
            retries => 6,
            '5xx' => 6,
            timed => 6
        }
    );

    return;
}
