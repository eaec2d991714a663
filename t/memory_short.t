use strict;
use warnings;

# Memory, descriptors, threads or random bytes are short at any one place of
# the module that asks for some: nginx -t and a reload fail or do all of it, a
# request is answered as usual or with an error, no worker dies, and afterwards
# everything is as it was.

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;
use Time::HiRes qw(sleep time);
use Canary;

use constant {SITES => 256, SITE => 72};

my $t = Canary->new();
my $root = abs_path(dirname(__FILE__) . '/..');

# a build of its own, in which places can be told to fail
my $module = build();
$ENV{TEST_CANARY_MODULE} = $module;

my $sites = $t->write('sites', "\0" x (SITES * SITE));
$ENV{CANARY_SHORT} = $sites;

$t->write('split', 'canary canary 50% stage=first; canary other 10%;');
my $http = <<'CONF';
    log_format latency '$canary_latency';
    map $arg_bypass $bypass { default ''; yes 1; }
    upstream canary   { server 127.0.0.1:%%PORT1%%; }
    upstream other    { server 127.0.0.1:%%PORT3%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        include %%DIR%%/split;
        canary_key $arg_key;
        canary_cookie id;
        canary_force $arg_force canary canary;
        canary_force $arg_force ~^other other;
        canary_bypass $bypass;
        canary_rollback manual;
        canary_gate p95 <= 500ms;
        canary_gate p95 not_worse;
        canary_gate error_rate <= 1%;
        canary_gate event:upload:mean <= 10;
        canary_gate event:seen/upload <= 90%;
        canary_state %%DIR%%/state;
    }
    upstream timed {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_latency request;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        listen 127.0.0.1:%%PORT3%%;
        location / { return 200 "canary\n"; }
        location /twice { return 404; }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200 "baseline\n"; }
        location /twice { return 404; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /twice {
            proxy_pass http://baseline;
            proxy_next_upstream off;
            proxy_intercept_errors on;
            error_page 404 = /;
        }
        location /timed { proxy_pass http://timed/; }
        location / {
            proxy_pass http://baseline;
            add_header Variant "$canary_variant";
            access_log %%DIR%%/access.log latency;
            canary_event seen;
            canary_event upload if=$arg_v unique=$arg_key value=$arg_v;
        }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
$t->conf($http, main => 'env CANARY_SHORT;');

# reading a configuration

my (%odd, %failed);
my ($status, $out) = $t->test_config();
is($status, 0, 'the configuration is good') or diag($out);
my @reading = reached();
cmp_ok(scalar @reading, '>', 20, 'it asks for memory at many places');

# the first time that it is asked, or a later one

my @wrong;
my %hits = map { $_ => hits($_) } @reading;
for my $site (@reading) {
    my $hits = $hits{$site};
    my %which = map { $_ => 1 } 1, $hits;
    $which{$_} = 1 for grep { $_ <= $hits } 2, int $hits / 2;
    for my $which (sort { $a <=> $b } grep { $_ } keys %which) {
        hits($site, 0);
        fails($site, $which);
        ($status, $out) = $t->test_config();
        fails($site, 0);

        # by its own exit, and never without a reason
        push @wrong, "$site: $which: $status, $out" if $status != 1;
    }
}
is_deeply(\@wrong, [], 'nginx -t ends with an error');

# answering; what is asked for once in the life of a worker is behind it then

forget();
$t->start();
my %read = map { $_ => 1 } @reading;
my @starting = grep { !$read{$_} } reached();
requests();
forget();
requests();
ticks();
my @serving = reached();
cmp_ok(scalar @serving, '>', 20, 'requests and ticks ask at many places');

my @workers = $t->workers();
for my $site (@serving) {
    fails($site, 1);
    requests($site);
    $failed{$site} = fails($site, 0);
    resume();
}

# of the others, ticks ask

for my $site (grep { !$failed{$_} } @serving) {
    fails($site, 1);
    $t->wait_for(sub { fails($site) }, 5);
    $failed{$site} = fails($site, 0);
}
is_deeply([grep { !$failed{$_} } @serving], [], 'each of them has failed');
is_deeply(\%odd, {}, 'each answer is the usual one or an error')
    or diag(explain(\%odd));
is_deeply([$t->workers()], \@workers, 'no worker died');

resume();
requests('afterwards');
is_deeply($odd{afterwards}, undef, 'all is well again')
    or diag(explain($odd{afterwards}));
is($t->status()->{splits}{baseline}{state}, 'active', 'and it is in force');

# loading it into a running nginx, which goes beyond what nginx -t does

forget();
$t->write('split', 'canary canary 40% stage=next; canary other 10%;');
ok($t->reload(drain => 1), 'a reload with memory');
my @loading = grep { !$read{$_} } reached();
cmp_ok(scalar @loading, '>', 0, 'asks at more places');

my $share = 40;
for my $site (@loading) {
    $share++;
    $t->write('split',
        "canary canary $share% stage=s$share; canary other 10%;");
    fails($site, 1);
    my $loaded = $t->reload();
    fails($site, 0);
    my $now = $t->status()->{splits}{baseline}{variants}{canary};
    is($now->{configured_share}, $share / 100, "$site: in force") if $loaded;
    push @{$odd{$site}}, 'load' if $t->get('/')->{status} != 200;
}
is_deeply(\%odd, {}, 'whatever fails in a reload, requests are answered');

# beginning, with what was kept

$t->stop();
for my $site (@starting) {
    fails($site, 1);
    my $started = eval { $t->start() };
    fails($site, 0);
    ok($started, "$site: it starts") or next;

    # without memory to read what was kept it starts rolled back
    resume();
    requests($site);
    $t->stop();
}
$t->start();
requests('at last');
is_deeply(\%odd, {}, 'whatever fails in a start, requests are answered')
    or diag(explain(\%odd));

$t->no_alerts(allow => qr/could not be|no memory|no robust mutex|failed/);
done_testing();

sub build {
    my $given = $t->_module();
    open my $file, '<:raw', $given or die "$given: $!\n";
    return $given if do { local $/ = undef; <$file> }
        =~ /CANARY_SHORT/;
    plan(skip_all => 'the module is built without t/lib/short.h')
        if $ENV{NGINX_SRC};

    local $ENV{BUILD_NAME} = 'short';
    local $ENV{CANARY_CFLAGS} =
        "-O0 -U_FORTIFY_SOURCE -include $root/t/lib/short.h";
    my $log = `'$root/scripts/dev/build' 2>&1`;
    is($?, 0, 'it is built') or die $log;
    return "$root/build/short/ngx_http_canary_module.so";
}

# records of the file: name, state, whether it fails, hits, failures
sub records {
    my $all = $t->read('sites');
    return grep { $_->[1] }
        map { [unpack 'Z56 V4', substr $all, $_ * SITE, SITE] } 0 .. SITES - 1;
}

sub reached {
    return map { $_->[0] } grep { $_->[3] } records();
}

sub forget {
    poke($_, 64, 0) for 0 .. SITES - 1;
    return;
}

sub poke {
    my ($n, $offset, $value) = @_;

    open my $file, '+<:raw', $sites or die "$sites: $!\n";
    seek $file, $n * SITE + $offset, 0;
    print {$file} pack 'V', $value;
    return close $file;
}

# how often it has failed so far; with a value sets from which hit on it does,
# and with 0 it does no more
sub fails {
    my ($site, $value) = @_;

    return record($site, 60, $value)->[4];
}

sub hits {
    my ($site, $value) = @_;

    return record($site, 64, $value)->[3];
}

sub record {
    my ($site, $offset, $value) = @_;

    my $n = 0;
    for my $record (records()) {
        if ($record->[0] eq $site) {
            poke($n, $offset, $value) if defined $value;
            return $record;
        }
        $n++;
    }
    die "no $site\n";
}

# what is asked of nginx while $site fails
sub requests {
    my ($site) = @_;

    my @asked = (
        (map { ["/?key=$_&v=$_", qr/\A(?:canary|baseline)\n\z/] } 1 .. 8),
        ['/?force=canary', qr/\Acanary\n\z/],
        ['/?bypass=yes', qr/\Abaseline\n\z/],
        ['/timed', qr/\A(?:canary|baseline)\n\z/],
        ['/twice', qr/\A(?:canary|baseline)\n\z/],
        ['/', qr/\A(?:canary|baseline)\n\z/],
        ['/canary/', qr/<\/html>\s*\z/],
        ['/canary/?upstream=baseline', qr/<\/html>\s*\z/],
        ['/canary/page.css', qr/\S/],
        ['/canary/page.js', qr/\S/],
        ['/canary/status.json', qr/\A\{.*\}\s*\z/s],
        ['/canary/status.json?histograms=1', qr/\A\{.*\}\s*\z/s],
        ['/canary/history.json?upstream=baseline', qr/\A\{.*\}\s*\z/s],
        ['/canary/metrics', qr/\n\z/]
    );
    for my $ask (@asked) {
        my ($uri, $right) = @$ask;
        my $began = time;
        my $r = $t->get($uri);
        odd($site, $uri, $r, $right, time - $began);
    }
    for my $verb (qw(rollback resume decision)) {
        my $began = time;
        my $r = $t->post("/canary/control/baseline/$verb", 'reason=memory');
        odd($site, $verb, $r, qr/\A\{.*\}\s*\z/s, time - $began);
    }
    return;
}

# a request is answered, or its connection closed, but never left alone
sub odd {
    my ($site, $what, $r, $right, $took) = @_;

    my $status = $r->{status} // 0;
    return push @{$odd{$site // 'before'}}, "$what: $took s" if $took > 4;
    return if $status == 200 && ($r->{body} // '') =~ $right;
    return if $site && $site =~ /:/ && $status >= 500;
    push @{$odd{$site // 'before'}}, "$what: $status";
    return;
}

sub resume {
    return if $t->status()->{splits}{baseline}{state} eq 'active';
    $t->post('/canary/control/baseline/resume', 'reason=memory');
    return $t->wait_for(
        sub { $t->status()->{splits}{baseline}{state} eq 'active' });
}

sub ticks { return sleep 2.5 }
