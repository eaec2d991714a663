# Keys of 0 to 64 KB: the whole of it decides, and always the same.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->conf(<<'CONF');
    large_client_header_buffers 4 128k;
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        canary_key $http_x_key;
    }
    upstream twin {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        canary_key $http_x_none $http_x_key;
        canary_salt documents;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        return 200;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        add_header X-Variant "$canary_variant $canary_assignment";
        proxy_set_header X-Key "";
        location / { proxy_pass http://documents; }
        location /twin { proxy_pass http://twin; }
        location /canary/ { canary_status; }
    }
CONF
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $client = $t->client();


sub variant {
    my ($path, $key) = @_;

    my $r = $client->get($path, 'X-Key', $key);
    return $r->{header}{'x-variant'} || "status $r->{status}";
}

is(variant('/', ''), 'documents unkeyed', 'an empty key');
$f->counted('is unkeyed', unkeyed => 1);

for my $length (1, 2, 3, 4, 8, 16, 17, 31, 32, 33, 128, 129, 240, 241, 1024,
    4096, 8192, 65_535, 65_536)
{
    $client = $t->client();    # nginx takes 1000 requests on one
    my (%first, %last, %wrong, %count);
    for my $letter ('a' .. 'z') {
        my $filler = 'x' x ($length - 1);
        my $v = variant('/', "$letter$filler");
        $first{$v}++;
        $wrong{repeat}++ if variant('/', "$letter$filler") ne $v;
        my $twin = variant('/twin', "$letter$filler");
        $twin =~ s/^twin /documents /;
        $wrong{twin}++ if $twin ne $v;

        my $w = variant('/', "$filler$letter");
        $last{$w}++;
        $count{(split / /, $v)[0]} += 2;
        $count{(split / /, $w)[0]}++;
    }

    # by chance 26 keys are all on one variant once in 33 million times
    my $both = 'canary split, documents split';
    is(join(', ', sort keys %first), $both, "$length bytes: the first counts");
    is(join(', ', sort keys %last), $both, "$length bytes: the last counts");
    is_deeply(\%wrong, {}, "$length bytes: the same again, and in a twin");
    $f->counted("$length bytes: counted",
        map { $_ => Canary::Figures::success($count{$_}) } keys %count);
}

$t->no_alerts();
done_testing();
