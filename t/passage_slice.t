# All slices of a response come from one variant; each is a passage.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_key $http_x_user;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        slice 10;
        proxy_set_header Range $slice_range;
        proxy_http_version 1.1;
        location / { proxy_pass http://documents; }
        location /cached {
            proxy_cache cache;
            proxy_cache_key $uri$slice_range$canary_variant_documents;
            proxy_cache_valid 200 206 1h;
            proxy_pass http://documents;
        }
        location /canary/ {
            slice 0;
            canary_status;
        }
    }
CONF

# 35 bytes: slices of 10, 10, 10 and 5
my %text = (new => 'n' x 35, old => 'o' x 35);
my $range = sub {
    my ($from, $to) = $_[0]{headers}{range} =~ /bytes=(\d+)-(\d+)/;
    return ($from, $to < 34 ? $to : 34);
};
for my $n (1, 2) {
    my $name = qw(- new old) [$n];
    $t->http_upstream(
        $t->port($n),
        name => $name,
        status => 206,
        body => sub {
            my ($from, $to) = $range->(@_);
            return substr $text{$name}, $from, $to - $from + 1;
        },
        headers => sub {
            my ($from, $to) = $range->(@_);
            return {'Content-Range' => "bytes $from-$to/35", ETag => '"a"'};
        }
    );
}
$t->start();

my $f = Canary::Figures->new($t, 'documents');

my (%users, $broken);
for my $user (map { "user$_" } 1 .. 20) {
    my $r = $t->get('/', 'X-User', $user);
    my $name = $r->{header}{'x-upstream'};
    $broken .= "$user " if $r->{body} ne $text{$name};
    push @{$users{$name}}, $user;
}
ok(!$broken, 'all slices come from one variant') or diag($broken);
my ($new, $old) = map { scalar @{$users{$_} || []} } qw(new old);
ok($new && $old, 'both variants have users') or diag("$new $old");
$f->counted(
    'each slice is counted',
    canary => Canary::Figures::success(4 * $new),
    documents => Canary::Figures::success(4 * $old)
);

my @user = ('X-User', $users{new}[0]);
is($t->get('/cached', @user)->{body}, $text{new}, 'into a cache');
$f->counted('four passages', canary => Canary::Figures::success(4));
is($t->get('/cached', @user)->{body}, $text{new}, 'out of the cache');
$f->nothing('nothing passed on, nothing counted');

my $r = $t->get('/', @user, Range => 'bytes=12-17');
is($r->{body}, 'n' x 6, 'a range inside one slice');
$f->counted('one passage', canary => Canary::Figures::success(1));

$t->no_alerts();
done_testing();
