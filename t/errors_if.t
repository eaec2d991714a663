# canary_errors: what counts as an error, by the status of the variant's own
# answer, or by a value.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->write('oops.html', "sorry\n");
$t->conf(<<'CONF');
    upstream default_canary { server 127.0.0.1:%%PORT1%%; }
    upstream default {
        server 127.0.0.1:%%PORT2%%;
        canary default_canary 100%;
    }
    upstream listed_canary { server 127.0.0.1:%%PORT1%%; }
    upstream listed {
        server 127.0.0.1:%%PORT2%%;
        canary listed_canary 100%;
        canary_errors 4xx 503 299;
        canary_fallback off;
    }
    upstream by_value_canary { server 127.0.0.1:%%PORT1%%; }
    upstream by_value {
        server 127.0.0.1:%%PORT2%%;
        canary by_value_canary 100%;
        canary_errors 500 if=$upstream_http_x_failed;
    }
    upstream by_map_canary { server 127.0.0.1:%%PORT1%%; }
    upstream by_map {
        server 127.0.0.1:%%PORT2%%;
        canary by_map_canary 100%;
        canary_errors 5xx if=$bad;
    }
    map $upstream_http_grpc_status $bad {
        default 1;
        "" "";
        0 0;
        ~^(3|5)$ 0;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /default/ { proxy_pass http://default; }
        location /listed/ { proxy_pass http://listed; }
        location /by_value/ { proxy_pass http://by_value; }
        location /by_map/ { proxy_pass http://by_map; }
        location /listed/page/ {
            proxy_pass http://listed;
            proxy_intercept_errors on;
            error_page 404 500 =503 /oops.html;
        }
        location /listed/good/ {
            proxy_pass http://listed;
            proxy_intercept_errors on;
            error_page 404 =200 /oops.html;
        }
        location = /oops.html { root %%DIR%%; }
        location /canary/ { canary_status; }
    }
CONF
$t->http_upstream(
    $t->port(1),
    name => 'new',
    status => sub { $_[0]{uri} =~ m{/(\d{3})} ? $1 : 200 },
    broken => sub { $_[0]{uri} =~ m{/close} ? 'close' : undef },
    headers => sub {
        my %h;
        $h{'X-Failed'} = $1 if $_[0]{uri} =~ m{/failed-(\w*)};
        $h{'Grpc-Status'} = $1 if $_[0]{uri} =~ m{/grpc-(\d+)};
        return \%h;
    }
);
$t->http_upstream($t->port(2), name => 'old');
$t->start();

my %f =
    map { ($_ => Canary::Figures->new($t, $_)) }
    qw(default listed by_value by_map);

sub judged {
    my ($split, $path, $status, $error) = @_;

    my ($class) = $status =~ /^(.)/;
    $t->get("/$split/$path");
    my $label = $error ? 'is an error' : 'is none';
    $f{$split}->counted(
        "$split: $path $label",
        "${split}_canary" => {
            requests => 1,
            "${class}xx" => 1,
            timed => 1,
            errors => $error
        }
    );
    return;
}

judged('default', $_, $_, 0) for qw(200 299 304 399 400 404 499);
judged('default', $_, $_, 1) for qw(500 503 599);

judged('listed', $_, $_, 1) for qw(299 400 404 499 503);
judged('listed', $_, $_, 0) for qw(200 298 300 399 500 502 504 599);

judged('listed', 'page/404', 404, 1);
judged('listed', 'page/500', 500, 0);
judged('listed', 'good/404', 404, 1);

is($t->get('/listed/close')->{status}, 502, 'a lost connection');
$f{listed}->counted(
    'is an error whatever the list says',
    listed_canary => Canary::Figures::failure(1)
);

judged('by_value', $_, 200, 1) for qw(failed-1 failed-yes failed-00);
judged('by_value', $_, 200, 0) for qw(failed-0 failed- plain);
judged('by_value', '500', 500, 1);
judged('by_value', '500/failed-0', 500, 1);
judged('by_value', '503', 503, 0);
judged('by_value', '404/failed-1', 404, 1);

judged('by_map', "grpc-$_", 200, 1) for 1, 13, 14;
judged('by_map', "grpc-$_", 200, 0) for 0, 3, 5;

$t->no_alerts();
done_testing();
