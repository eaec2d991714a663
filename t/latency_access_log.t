# $canary_latency in an access log is the very value that was counted, whatever
# canary_latency measures: count, sum, least, greatest and each bucket agree.

use strict;
use warnings;

use List::Util qw(max min sum0);
use Test::More;

use Canary;

my @modes = qw(upstream header request);
my $t = Canary->new();

my ($upstreams, $locations) = ('', '');
for my $mode (@modes) {
    $upstreams .= <<"CONF";
    upstream ${mode}_canary { server 127.0.0.1:%%PORT1%%; }
    upstream $mode {
        server 127.0.0.1:%%PORT1%%;
        canary ${mode}_canary 100%;
        canary_latency $mode;
    }
CONF
    $locations .= <<"CONF";
        location /$mode/ { proxy_pass http://$mode/; }
        location /$mode/limited/ {
            proxy_pass http://$mode/large/;
            limit_rate 1m;
        }
        location /$mode/page/ {
            proxy_pass http://$mode/missing/;
            proxy_intercept_errors on;
            error_page 404 = \@static;
        }
        location /$mode/after/ {
            proxy_pass http://$mode/;
            post_action /static;
        }
        location /$mode/checked/ {
            auth_request /$mode/check;
            proxy_pass http://$mode/;
        }
CONF
}
$t->conf(<<"CONF", workers => 2);
$upstreams
    log_format latency "\$canary_variant \$canary_latency";
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
        location /slow { limit_rate 8k; return 200 %%BODY%%; }
        location /large { return 200 %%BODY%%; }
        location /missing { return 404; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        access_log %%DIR%%/latency.log latency;
        log_subrequest on;
        # asked for before it is known
        add_header X-Early "[\$canary_latency]";
$locations
        location /static { return 200 static; }
        location \@static { return 200 static; }
        location /canary/ { access_log off; canary_status; }
    }
CONF
$t->write('nginx.conf', $t->read('nginx.conf') =~ s/%%BODY%%/'x' x 2000/egr);
$t->start();

my $client = $t->client();
for my $mode (@modes) {
    for my $n (1 .. 20) {
        is($client->get("/$mode/$_$n")->{status}, 200, "$mode: $_$n")
            for $n % 5 ? qw(a) : qw(a slow limited/ page/ after/ checked/);
    }
}
$client->close();

my (%log, %counted);
ok(
    $t->wait_for(
        sub {
            %log = ();
            push @{$log{$_->[0]}}, $_->[1]
                for map { [split / /] }
                grep { /_canary \S*\d/ } split /\n/, $t->read('latency.log');
            my $splits = $t->status()->{splits};
            $counted{$_} =
                $splits->{$_}{variants}{"${_}_canary"}{total}{latency}
                for @modes;
            return !grep {
                $counted{$_}{count} != 44
                    || @{$log{"${_}_canary"} || []} != 44
            } @modes;
        },
        10
    ),
    'each passage is logged, once'
);

my $metrics = $t->get('/canary/metrics')->{body};

for my $mode (@modes) {
    my @log = @{$log{"${mode}_canary"} || [0]};
    my $of = $counted{$mode};

    is($of->{count}, scalar @log, "$mode: count");
    cmp_ok(
        abs($of->{sum} - sum0(@log)),
        '<',
        1e-7 * @log,
        "$mode: sum to the microsecond"
    );
    cmp_ok(abs($of->{min} - min(@log)), '<', 1e-7, "$mode: the least");
    cmp_ok(abs($of->{max} - max(@log)), '<', 1e-7, "$mode: the greatest");

    my %bucket = $metrics =~
        /_bucket\{.*variant="${mode}_canary",le="([\d.]+)"\} (\d+)$/mg;
    my %within;
    for my $le (keys %bucket) {
        $within{$le} = grep { $_ <= $le + 1e-7 } @log;
    }
    cmp_ok(keys %bucket, '>', 10, "$mode: buckets");
    is_deeply(\%bucket, \%within, "$mode: as many in each");
}

$t->no_alerts();
done_testing();
