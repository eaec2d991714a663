# nginx's own "sticky" in the canary, the baseline and both, with and without
# keep-alive connections: a client stays on its server, and no worker dies.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
my ($status) = $t->test_config(<<'CONF');
    upstream u {
        server 127.0.0.1:1;
        sticky learn create=$arg_a lookup=$arg_a zone=u:64k header;
    }
CONF
plan skip_all => 'this nginx has no sticky' if $status;

my %method = (
    cookie => 'sticky cookie affinity;',
    route => 'sticky route $cookie_affinity;',
    learn => 'sticky learn create=$upstream_cookie_session'
        . ' lookup=$cookie_session zone=%%NAME%%:64k;',
    learn_header => 'sticky learn create=$upstream_cookie_session'
        . ' lookup=$cookie_session zone=%%NAME%%:64k header;',
);
my @places = qw(canary baseline both);
my %keepalive = (alone => 'keepalive 0;', kept => 'keepalive 8;');


sub upstream {
    my ($name, $sticky, $keepalive, $ports, $split) = @_;

    $sticky =~ s/%%NAME%%/$name/;
    my $servers = join ' ',
        map { "server 127.0.0.1:%%PORT$_%% route=r$_;" } @$ports;

    return "upstream $name { $servers $sticky $keepalive $split }\n";
}

my ($upstreams, $locations, @splits) = ('', '');
for my $method (sort keys %method) {
    for my $place (@places) {
        for my $kept (sort keys %keepalive) {
            my $split = "${method}_${place}_$kept";
            my $sticky = $method{$method};
            $upstreams .=
                upstream("new_$split", $place eq 'baseline' ? '' : $sticky,
                $keepalive{$kept}, [1, 2], '');
            $upstreams .= upstream($split, $place eq 'canary' ? '' : $sticky,
                $keepalive{$kept}, [3, 4],
                "canary new_$split 50%; canary_key \$arg_user;");
            $locations .= "location /$split { proxy_pass http://$split; }\n";
            push @splits, [$split, $method, $place];
        }
    }
}
my $servers = join '', map { <<"CONF" } 1 .. 4;
    server {
        listen 127.0.0.1:%%PORT$_%%;
        add_header X-Server $_;
        add_header Set-Cookie session=\$arg_user;
        return 200;
    }
CONF
$t->conf(<<"CONF");
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-Variant \$canary_variant;
        $locations
        location /canary/ { canary_status; }
    }
$upstreams
$servers
CONF
$t->start();

sticky(@$_) for @splits;
$t->no_alerts();
done_testing();


# ten users, four requests each
sub sticky {
    my ($split, $method, $place) = @_;

    my $f = Canary::Figures->new($t, $split);
    my $client = $t->client();
    my (%requests, %wrong);
    for my $user (map { "$split$_" } 1 .. 10) {
        my ($cookie, $first) = ('');
        for (1 .. 4) {
            my $answer = $client->get("/$split?user=$user", Cookie => $cookie);
            my $variant = $answer->{header}{'x-variant'} || 'none';
            my $server = $answer->{header}{'x-server'} || 0;
            my $baseline = $variant eq $split;
            $requests{$variant}++;
            $wrong{"$variant at $server"}++
                if $server !~ ($baseline ? qr/^[34]$/ : qr/^[12]$/);

            my $is = $place eq 'both'
                || ($place eq 'baseline' ? $baseline : !$baseline);
            my @set = map { /^affinity=(\w+)/ ? $1 : () }
                @{$answer->{headers}{'set-cookie'} || []};
            $wrong{"$variant sets @set"}++
                if join(' ', @set) ne
                ($is && $method eq 'cookie' ? "r$server" : '');

            $first ||= $server;
            $wrong{"$variant from $first to $server"}++
                if $is && $server != $first;
            $cookie = "session=$user; affinity=r$first";
        }
    }

    is(keys %requests, 2, "$split: users of both");
    is_deeply(\%wrong, {}, "$split: every client stays on its server");
    $f->counted("$split: counted once",
        map { $_ => Canary::Figures::success($requests{$_}) }
            keys %requests);

    return;
}
