use strict;
use warnings;

# Seven canaries that add up to 100%: each gets its share, the baseline none.

use Test::More;
use Canary;
use Canary::Load;

my $keys = 5000;

my $t = Canary->new();
my @names = map { "c$_" } 1 .. 7;

# as many parts of a million as the contract has decimals
my @uneven = (40, 25, 15, 10, 5, 4.9, 0.1);
my @even = (14.2857, 14.2857, 14.2857, 14.2857, 14.2857, 14.2857, 14.2858);

sub split_text {
    my (@shares) = @_;
    return join '', map { "canary $names[$_] $shares[$_]%;\n" } 0 .. $#names;
}

my $upstreams = join '',
    map { "    upstream $_ { server 127.0.0.1:%%PORT1%%; }\n" } @names;

$t->write('split', split_text(@uneven));
$t->conf(<<"CONF", workers => 2);
$upstreams
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        include %%DIR%%/split;
        canary_key \$arg_k;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200 ok; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        keepalive_requests 1000000;
        location / {
            proxy_pass http://baseline;
            add_header X-Variant \$canary_variant;
        }
        location /canary/ { canary_status; }
    }
CONF
$t->start();

my %before;

sub shares_are {
    my ($name, @shares) = @_;

    my %by;
    my $load = Canary::Load->new(
        $t->port(0),
        clients => 8,
        request => sub { return "/?k=$_[0]" },
        answered => sub {
            my ($request, $status, $head) = @_;
            my ($variant) = $head =~ /^X-Variant: (\w+)/m;
            $by{$variant}++;
        }
    );
    $load->run(
        seconds => 30 * $t->slow(),
        until => sub { $load->{answers} >= $keys }
    );
    my $n = $load->{answers};

    my $split = $t->status()->{splits}{baseline};
    is($split->{unkeyed}, 0, "$name: all have a key");

    for my $i (0 .. $#names) {
        my ($c, $p) = ($names[$i], $shares[$i] / 100);
        my $got = $by{$c} || 0;
        cmp_ok(
            abs($got - $n * $p),
            '<=',
            4 * sqrt($n * $p * (1 - $p)),
            "$name: $c got $got of $n"
        );

        my $variant = $split->{variants}{$c};
        is(
            sprintf('%.6f', $variant->{configured_share}),
            sprintf('%.6f', $p),
            "$name: $c says its share"
        );
        is($variant->{total}{requests} - ($before{$c} || 0),
            $got, "$name: $c is counted");
        $before{$c} = $variant->{total}{requests};
    }

    my $baseline = $split->{variants}{baseline};
    is($baseline->{configured_share}, 0, "$name: no share is left");
    is($baseline->{total}{requests}, 0, "$name: the baseline got none");
    return;
}

shares_are('uneven', @uneven);

$t->write('split', split_text(@even));
ok($t->reload(), 'reload');
shares_are('even', @even);

$t->no_alerts();
done_testing();
