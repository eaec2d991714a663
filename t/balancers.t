# Every balancer, with keepalive, zone and backup, in either variant: requests
# reach the right servers, are counted once, and tries end.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
my %method = (
    round_robin => '',
    least_conn => 'least_conn;',
    ip_hash => 'ip_hash;',
    hash => 'hash $arg_user;',
    consistent => 'hash $arg_user consistent;',
    random => 'random;',
    random_two => 'random two least_conn;',
);
my @names = sort keys %method;

# the place of the split's line: before or after the balancer and keepalive
my @places = qw(before between after);

# round robin and least_conn alone take a backup server on nginx 1.22
my @backups = qw(round_robin least_conn);


sub servers {
    my @ports = @_;

    return map { "server 127.0.0.1:%%PORT$_%% max_fails=0;" } @ports;
}


sub upstream {
    my ($name, $lines) = @_;

    return "upstream $name {\n" . join('', map { "    $_\n" } @$lines) . "}\n";
}

my ($upstreams, $locations) = ('', '');
for my $name (@names) {
    my $method = $method{$name};
    for my $place (@places) {
        my $split = "${name}_$place";
        $upstreams .= upstream("new_$split",
            ["zone new_$split 64k;", servers(1, 2), $method, 'keepalive 8;']);
        my %line = ($place => "canary new_$split 50%; canary_key \$arg_user;");
        $upstreams .= upstream(
            $split,
            [
                $line{before} || '',
                $method,
                $line{between} || '',
                'keepalive 8;',
                servers(3, 4),
                "zone $split 64k;",
                $line{after} || ''
            ]
        );
        $locations .= "location /$split { proxy_pass http://$split; }\n";
    }

    # nobody listens on ports 7 to 9
    $upstreams .= upstream("down_$name", [$method, servers(7, 8)]);
    $upstreams .= upstream("lost_$name",
        [$method, "canary down_$name 100%;", servers(3, 4)]);
    $upstreams .= upstream("dead_$name",
        [$method, "canary down_$name 100%;", servers(8, 9)]);
    $locations .= "location /lost_$name { proxy_pass http://lost_$name; }\n";
    $locations .= "location /dead_$name { proxy_pass http://dead_$name; }\n";
}
for my $name (@backups) {
    my @backup = map { "server 127.0.0.1:%%PORT$_%% backup;" } 2, 4;
    $upstreams .=
        upstream("new_b_$name", [$method{$name}, servers(7), $backup[0]]);
    $upstreams .= upstream(
        "b_$name",
        [
            $backup[1], $method{$name},
            "canary new_b_$name 50%; canary_key \$arg_user;", servers(8)
        ]
    );
    $locations .= "location /b_$name { proxy_pass http://b_$name; }\n";
}
my $answers = '';
for my $upstream ([1, 'new1'], [2, 'new2'], [3, 'old1'], [4, 'old2']) {
    my ($port, $name) = @$upstream;
    $answers .= <<"CONF";
    server {
        listen 127.0.0.1:%%PORT$port%%;
        add_header X-Upstream $name;
        add_header X-Connection \$connection;
        keepalive_requests 10000;
        return 200;
    }
CONF
}
$t->conf(<<"CONF");
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-Variant \$canary_variant always;
        $locations
        location /canary/ { canary_status; }
    }
$upstreams
$answers
CONF
$t->start();

my $client;
for my $name (@names) {
    $client = $t->client();
    balanced($name, $_) for @places;
    tries($name);
}
backup($_) for @backups;

$t->no_alerts();
done_testing();


# a split whose four servers answer
sub balanced {
    my ($name, $place) = @_;

    my $split = "${name}_$place";
    my $f = Canary::Figures->new($t, $split);
    my (%count, %servers, %connections, %wrong, %user);
    for my $user ((1 .. 24) x 2) {
        my $header = $client->get("/$split?user=u$user")->{header};
        my $variant = $header->{'x-variant'};
        my $server = $header->{'x-upstream'};
        my $want = $variant eq $split ? qr/^old[12]$/ : qr/^new[12]$/;
        $wrong{"$variant at $server"}++ if $server !~ $want;
        $wrong{'user moved'}++ if ($user{$user} ||= $variant) ne $variant;
        $wrong{'hash moved'}++
            if $name =~ /^(?:hash|consistent)$/
            && ($user{"$user server"} ||= $server) ne $server;
        $count{$variant}++;
        $servers{$variant}{$server} = 1;
        $connections{"$server $header->{'x-connection'}"} = 1;
    }

    is_deeply(\%wrong, {}, "$split: the right servers");
    is(scalar keys %count, 2, "$split: both variants");

    # one client has one address
    my $expected = $name eq 'ip_hash' ? 1 : 2;
    for my $variant (sort keys %servers) {
        is(scalar keys %{$servers{$variant}},
            $expected, "$split: servers of $variant");
    }
    is(scalar keys %connections, 2 * $expected, "$split: connections are kept");
    $f->counted("$split: counted once",
        map { $_ => Canary::Figures::success($count{$_}) } keys %count);
    return;
}


# two servers of a canary that refuse, then a baseline that answers or refuses
sub tries {
    my ($name) = @_;

    my $failure =
        {%{Canary::Figures::failure(1)}, fallbacks => 1, retries => 1};
    my %expected = (lost => [200, 2], dead => [502, 4]);
    for my $kind (sort keys %expected) {
        my ($status, $refused) = @{$expected{$kind}};
        my $f = Canary::Figures->new($t, "${kind}_$name");
        my $before = () = $t->error_log() =~ /connect\(\) failed/g;
        is($client->get("/${kind}_$name?user=a")->{status},
            $status, "$kind $name: status");
        my $after = () = $t->error_log() =~ /connect\(\) failed/g;
        is($after - $before, $refused, "$kind $name: each server once");
        $f->counted("$kind $name: one failure of the canary",
            "down_$name" => $failure);
    }
    return;
}


# a server that refuses and a backup that answers, in either variant
sub backup {
    my ($name) = @_;

    my $f = Canary::Figures->new($t, "b_$name");
    my %count;
    for my $user (1 .. 24) {
        my $header = $client->get("/b_$name?user=u$user")->{header};
        $count{"$header->{'x-variant'} $header->{'x-upstream'}"}++;
    }
    is(
        join(', ', sort keys %count),
        "b_$name old2, new_b_$name new2",
        "$name: backups, each its own"
    );
    my %expected = map {
        my ($variant, $n) = (/^(\S+)/, $count{$_});
        ($variant => {%{Canary::Figures::success($n)}, retries => $n});
    } keys %count;
    $f->counted("$name: a retry that succeeds is a success", %expected);
    return;
}
