# A balancer that has no peers for a request, as where memory is short: nginx
# answers 500, and nothing is counted of what never began; a fallback to such a
# one is an error of the canary that has failed.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Balancer;

my $t = Canary->new();
my $balancer = Canary::Balancer::build($t);

$t->conf(<<'CONF', main => "load_module $balancer;", workers => 1);
    log_format variant '$canary_variant $status';
    upstream works { server 127.0.0.1:%%PORT1%%; }
    upstream fails { server 127.0.0.1:%%PORT1%%; borrow 5000 fails; }
    upstream is_500 { server 127.0.0.1:%%PORT3%%; }
    upstream down { server 127.0.0.1:%%PORT3%% down; }
    upstream of_canary {
        server 127.0.0.1:%%PORT2%%;
        canary fails 100%;
        canary_bypass $arg_bypass;
    }
    upstream of_baseline {
        server 127.0.0.1:%%PORT2%%;
        borrow 5000 fails;
        canary works 100%;
        canary_bypass $arg_bypass;
    }
    upstream after_500 {
        server 127.0.0.1:%%PORT2%%;
        borrow 5000 fails;
        canary is_500 100%;
    }
    upstream after_down {
        server 127.0.0.1:%%PORT2%%;
        borrow 5000 fails;
        canary down 100%;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        access_log %%DIR%%/access.log variant;
        proxy_next_upstream error timeout http_500;
        location ~ ^/(of_|after_)(\w+) { proxy_pass http://$1$2; }
        location /canary/ { canary_status; access_log off; }
    }
    server { listen 127.0.0.1:%%PORT1%%; return 200 new; }
    server { listen 127.0.0.1:%%PORT2%%; return 200 old; }
    server { listen 127.0.0.1:%%PORT3%%; return 500; }
CONF
$t->start();

is($t->get('/of_canary')->{status}, 500, 'the canary has none');
is_deeply(requests('of_canary'), [0, 0], 'neither side has a request');
is($t->get('/of_canary?bypass=1')->{body}, 'old', 'the baseline works');
is_deeply(requests('of_canary'), [0, 0], 'past the split');

is($t->get('/of_baseline?bypass=1')->{status}, 500, 'the baseline has none');
is($t->get('/of_baseline')->{body}, 'new', 'the canary works');
is_deeply(requests('of_baseline'), [1, 0], 'and is counted');

for my $split (qw(after_500 after_down)) {
    cmp_ok($t->get("/$split")->{status}, '>=', 500, "$split: an error");
    is_deeply(requests($split), [1, 0], "$split: it is the canary's");
    is_deeply([figures($split, 'errors')], [1, 0], "$split: as an error");
}

$t->no_alerts();
done_testing();

###############################################################################

# of canary and baseline
sub requests {
    my ($split) = @_;

    return [figures($split, 'requests')];
}

sub figures {
    my ($split, $figure) = @_;

    my $variants = $t->status()->{splits}{$split}{variants};
    my ($canary) = grep { $_ ne $split } keys %{$variants};
    return map { $variants->{$_}{total}{$figure} } $canary, $split;
}
