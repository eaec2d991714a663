# Names that nginx resolves while it runs, in the canary, in the baseline and in
# both: addresses that change, vanish and return under load.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Dns;
use Canary::Load;

my $t = Canary->new();
my $resolver = 'resolver 127.0.0.1:%%PORT9%% valid=1s ipv6=off;';
my %servers = (
    new => 'server 127.0.0.6:%%PORT1%%;',
    old => 'server 127.0.0.7:%%PORT1%%;'
);
my %resolved =
    map { $_ => "server $_.test:%%PORT1%% resolve max_fails=0;" } keys %servers;
plan(skip_all => 'this nginx resolves no names of servers')
    if (
    $t->test_config(
        "$resolver upstream u { zone u 64k; $resolved{new} }",
        module => 0
    )
    )[0];

# by split: the variants that are resolved
my %splits = (canary => ['new'], baseline => ['old'], both => ['new', 'old']);
my ($upstreams, $locations) = ('', '');
for my $split (sort keys %splits) {
    my %lines = %servers;
    for my $variant (@{$splits{$split}}) {
        $lines{$variant} = "zone ${variant}_$split 256k; $resolved{$variant}";
    }
    $upstreams .= <<"CONF";
    upstream new_$split { $lines{new} keepalive 4; }
    upstream old_$split {
        $lines{old}
        keepalive 4;
        canary new_$split 50%;
        canary_key \$arg_k;
    }
CONF
    $locations .= "location /$split { proxy_pass http://old_$split; }\n";
}
my $fields = '$request_uri $canary_variant $upstream_addr';
$t->conf(<<"CONF", workers => 2);
    log_format tried "$fields";
    access_log %%DIR%%/tried.log tried;
    $resolver
    $upstreams
    server {
        listen 127.0.0.1:%%PORT0%%;
        keepalive_requests 1000000;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-Variant \$canary_variant always;
        add_header X-Fallback "[\$canary_fallback]" always;
        $locations
        location /canary/ { access_log off; canary_status; }
    }
    server {
        listen 127.0.0.2:%%PORT1%%;
        listen 127.0.0.33:%%PORT1%%;
        listen 127.0.0.4:%%PORT1%%;
        listen 127.0.0.55:%%PORT1%%;
        listen 127.0.0.6:%%PORT1%%;
        listen 127.0.0.7:%%PORT1%%;
        access_log off;
        location / {
            add_header X-Server \$server_addr;
            return 200 ok;
        }
    }
CONF

# the addresses of each name: the first ones, the others, and the fixed one
my %address = (
    new => [qw(127.0.0.2 127.0.0.33 127.0.0.6)],
    old => [qw(127.0.0.4 127.0.0.55 127.0.0.7)]
);


# both names have their n-th address, or they are not there
sub names {
    my ($n) = @_;

    return map { ("$_.test" => [$address{$_}[$n]]) } qw(new old);
}

my $dns = Canary::Dns->new($t, $t->port(9));
$dns->set(names(0));
$t->start();

# what comes next, when it holds for all that is resolved, and what then holds
my @steps = (
    [first => sub { served($_[0], 0) }, names(0)],
    [other => sub { served($_[0], 1) }, names(1)],
    [gone => \&not_served],
    [returned => sub { served($_[0], 0) }, names(0)],
);
my ($step, %last, %sent, %wrong, %seen) = (0);

my $load = Canary::Load->new(
    $t->port(0),
    clients => 2,
    request => sub {
        my ($n) = @_;
        my $split = (sort keys %splits)[$n % 3];
        $sent{$split}++;
        return "/$split?k=$n";
    },
    answered => \&answered
);
$load->run(
    seconds => 30 * $t->slow(),
    until => sub { $step > $#steps },
    tick => sub {
        for my $split (keys %splits) {
            for my $variant (@{$splits{$split}}) {
                return if !$steps[$step][1]->($last{$split}{$variant});
            }
        }
        $seen{$steps[$step][0]} = 1;
        $step++;
        return if $step > $#steps;
        my (undef, undef, %names) = @{$steps[$step]};
        $dns->set(%names);
    }
);

is_deeply(
    [sort keys %seen],
    [sort map { $_->[0] } @steps],
    'addresses change, vanish and return'
);
is_deeply(\%wrong, {}, 'each answer is that of a server of its variant');
is($load->{broken}, 0, 'none is cut short');

my $status;
$t->wait_for(
    sub {
        $status = $t->status()->{splits};
        return !grep { counted($_) != $sent{$_} } keys %splits;
    }
);
for my $split (sort keys %splits) {
    is(counted($split), $sent{$split}, "$split: each request is counted once");
    my $total = $status->{"old_$split"}{variants}{"new_$split"}{total};
    my $resolved = grep { $_ eq 'new' } @{$splits{$split}};
    is($total->{errors} > 0, $resolved > 0, "$split: errors while it is gone");
    is($total->{fallbacks}, $total->{errors}, "$split: each falls back");
}
logged();

$t->no_alerts();
done_testing();


# the last address of a variant that was resolved is that one
sub served {
    my ($last, $n) = @_;

    return
        defined $last && $last =~ /^(?:$address{new}[$n]|$address{old}[$n])$/;
}


sub not_served {
    my ($last) = @_;

    return defined $last && $last eq 'none';
}


sub answered {
    my ($request, $status, $head) = @_;

    my ($split) = $request->{uri} =~ m{^/(\w+)};
    my ($variant) = $head =~ /^X-Variant: (new|old)_$split\r$/m;
    my ($fallback) = $head =~ /^X-Fallback: \[(1?)\]/m;
    my ($server) = $head =~ /^X-Server: (\S+)/m;
    my $by = $fallback ? 'old' : $variant;

    if ($variant ne $by) {
        $last{$split}{$variant} = 'none';
    }
    if ($status == 502) {
        $wrong{"502 of $by in $split"}++
            if !grep { $_ eq $by } @{$splits{$split}};
        $last{$split}{$by} = 'none';
        return;
    }

    $wrong{"$status in $split"}++ if $status != 200;
    $wrong{"$by at $server"}++ if !grep { $_ eq $server } @{$address{$by}};
    $last{$split}{$by} = $server;

    return;
}


sub counted {
    my ($split) = @_;

    my $variants = $status->{"old_$split"}{variants};
    my $sum = 0;
    $sum += $_->{total}{requests} for values %$variants;

    return $sum;
}


# every address in the log is one of the variant that was tried; a canary that
# has none adds nothing to the log
sub logged {
    my $port = $t->port(1);
    my (%own, %odd);
    my $lines = 0;

    for my $variant (qw(new old)) {
        $own{$variant} = join '|', map { "$_:$port" } @{$address{$variant}};
    }
    for my $line (split /\n/, $t->read('tried.log')) {
        my ($variant, $tried) = $line =~ /^\S+ (new|old)_\w+ (.*)$/;
        my $base = qr/(?:$own{old}|old_\w+)/;
        $odd{$line} = 1
            if $tried !~ /^(?:$base|$own{$variant}|$own{$variant}, $base)$/;
        $lines++;
    }

    my $sent = 0;
    $sent += $_ for values %sent;
    is($lines, $sent, 'each request is in the log');
    is_deeply(\%odd, {}, 'with the addresses of its variant');

    return;
}
