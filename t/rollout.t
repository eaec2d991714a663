#!/usr/bin/perl

# A whole roll-out by commands, in four stages under load, and its evidence:
# every table is filled, and each figure is what the client and the upstreams
# counted.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;

use Canary;
use Canary::Rollout;

my $root = abs_path(dirname(__FILE__) . '/..');
my $t = Canary->new();
my $dir = $t->dir();

my @steps = qw(registration_started email_verified profile_completed
    document_upload document_approved);
my @titles = (
    'Registration Started',
    'Email Verified',
    'Profile Completed',
    'Document Upload',
    'Document Approved'
);
my $users = 50;

# 30 of 50 users go through all steps, 5 each stop after the first, ..
sub request {
    my ($n) = @_;

    my $user = $n % $users;
    my $step = int($n / $users) % 6;
    my $depth = $user % 10 < 6 ? 5 : $user % 10 - 5;
    return ('/cached/page', $user) if $step == 5 || $step >= $depth;
    return ('/documents/login', $user) if $n % 500 == 250;
    return ("/documents/$steps[$step]", $user);
}

sub headers {
    my ($request) = @_;

    my ($n, $uri) = @$request{qw(n uri)};
    return {'Cache-Control' => 'max-age=600'} if $uri =~ m{^/cached/};

    my %headers = (
        'X-Event' => 1,
        'X-Schema-Valid' => 1,
        'X-Write-Ms' => 5 + $n % 10,
        'X-Queue-Depth' => $n % 40,
    );
    @headers{qw(X-Phi-Written X-Phi-Encrypted)} = (1, 1) if $n % 3 == 0;
    @headers{qw(X-Csrf-Checked X-Csrf-Valid)} = (1, 1) if $n % 5 == 0;
    $headers{'X-Journey'} = $1 if $uri =~ m{^/documents/(\w+_\w+)};

    return \%headers;
}

# the samples, but for what a test has not: a database
my $sources = $t->read("$root/conf.d/evidence-sources.conf");
$sources =~ s{psql .*}{$dir/tls};
$sources =~ s{(DB Connections.*prometheus \|).*}{$1 node_netstat_Tcp_CurrEstab};
$sources =~ s{<= 90/100}{<= 9000/10000};
my $events = $t->read("$root/conf.d/events.conf");
$events =~ s/\$cookie_session/\$arg_user/g;

system(   "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=db -days 2"
        . " -keyout '$dir/db.key' -out '$dir/db.crt' 2>'$dir/openssl.log'");
$t->write('tls', "#!/bin/sh\n" . <<'SH');
echo | openssl s_client -connect 127.0.0.1:%%PORT4%% 2>/dev/null |
    sed -n 's/^New, \(TLSv[0-9.]*\),.*/\1/p'
SH
chmod 0755, "$dir/tls";

my $roll = Canary::Rollout->new(
    $t,
    stages => 's1:5%:3s s2:25%:3s s3:50%:3s s4:100%:3s',
    sources => $sources,
    request => \&request,
    headers => \&headers,
    gates => <<'CONF',
canary_gate p50        <= 500ms min=10;
canary_gate p95        <= 2s    min=10;
canary_gate p99        <= 5s    min=10;
canary_gate error_rate <= 1%    min=10;
canary_gate throughput >= 10r/s min=10;
canary_gate error_rate not_worse margin=50% min=10;
canary_gate event:pii_found <= 0 min=10;
canary_gate event:schema_valid/ingested >= 99.5% min=10;
CONF
    settings => {
        signing_key => '%%DIR%%/key.pem',
        signoffs => '%%DIR%%/signoffs',
        flag => 'sliceB_documents',
        branch => 'main',
        commit => 'c0ffee'
    },
    http => <<"CONF"
    proxy_cache_path %%DIR%%/cache keys_zone=pages:1m;
    add_header X-Cache \$upstream_cache_status always;
    server {
        listen 127.0.0.1:%%PORT4%% ssl;
        ssl_protocols       TLSv1.3;
        ssl_certificate     %%DIR%%/db.crt;
        ssl_certificate_key %%DIR%%/db.key;
    }
$events
CONF
);
my $ev = $roll->ev();
my $ctl = $ev->ctl();

# a location that the usual configuration has not
my $conf = $t->read('nginx.conf');
$conf =~ s{(location /canary/)}{location /cached/ \{
            proxy_pass http://documents;
            proxy_cache pages;
            proxy_cache_key \$canary_variant_documents\$uri;
        \}
        $1};
$t->write('nginx.conf', $conf);

system("openssl genpkey -algorithm ed25519 -out '$dir/key.pem' 2>'$dir/x'");
$t->write('signoffs', "On-call | ben | 2026-01-01\nQA | cora | 2026-01-02\n");
$roll->start();

$roll->load(4);
is($ev->collect('baseline')->{status}, 0, 'the baseline is collected');
my $baseline = $ev->doc('baseline');
is(
    $baseline->{traffic}{requests},
    $roll->counted('', 'documents'),
    'its requests'
);
$ctl->run('preflight');

for my $n (1 .. 4) {
    my $stage = "s$n";
    my $promote;

    my $done = $roll->load(
        40,
        sub {
            $promote ||= $ctl->spawn('promote', '--by', 'ana');
            my $state = $roll->state();
            return
                   $state->{stage}{name} eq $stage
                && $state->{verdict} eq 'go'
                && $state->{stage}{elapsed} > 3;
        }
    );
    is($ctl->finish($promote)->{status}, 0, "$stage: begun under load");
    ok($done, "$stage: its time is over, and all gates pass")
        or diag(explain($roll->state()->{gates}));

    $ctl->run('incident', "noise in stage $n", '--by', 'ben') if $n == 2;
    is(
        $ctl->run('decide', 'go', '--why', "stage $n is fine", '--by', 'ana')
            ->{status},
        0,
        "$stage: go"
    );
    my $r = $ev->collect($stage, '--by', 'ana');
    is($r->{status}, 0, "$stage: collected, and complete")
        or diag($r->{err});
    check_stage($stage, $n);
}

my $r = $ev->collect('final');
is($r->{status}, 0, 'the report is complete') or diag($r->{err});
my $page = $ev->page('final');
like($page, qr/^\*\*Status:\*\* 🟢 GO  $/m, 'go');
like($page, qr/^\*\*Proceed to Production:\*\* YES/m, 'to production');
like(
    $page,
    qr/^- \[x\] Rollback rehearsed .*in force in [\d.]+ s/m,
    'the checklist, with the rehearsal'
);
like($page, qr/^- \[x\] Monitoring scrapes it/m, 'and what Prometheus says');
like(
    $page,
    qr/^\*\*Rollbacks Triggered:\*\* 0  $/m,
    'the rehearsal is no rollback of the roll-out'
);
is(scalar(() = $page =~ /!\[Status page, in place of a dashboard\]/g),
    5, 'five pictures');
is(scalar(() = $page =~ /n\/a: /g), 0, 'no figure is missing');

for my $n (1 .. 4) {
    my %table = $ev->table($page, 'Performance Metrics', $n);
    is_deeply(
        \%table,
        {$ev->table($ev->page("s$n"), 'Performance Metrics')},
        "the table of s$n is in it"
    );
}
is($ev->collect('verify')->{status}, 0, 'the manifest and its signature fit');

$t->no_alerts();

done_testing();


# the document and the page of a stage, against what the client counted
sub check_stage {
    my ($stage, $n) = @_;

    my $doc = $ev->doc($stage);
    my $page = $ev->page($stage);
    my $counted = sub { $roll->counted($stage, 'sliceB', @_) };

    near($doc->{traffic}{requests}, $counted->(), "$stage: requests");
    near(
        $doc->{traffic}{of},
        $counted->() + $roll->counted($stage, 'documents'),
        "$stage: requests of both"
    );
    is(
        $doc->{raw}{status}{splits}{documents}{variants}{sliceB}{total}
            {requests},
        $t->seen($t->port(2)),
        "$stage: all of the canary so far, as it saw them"
    );
    is($doc->{variants}{sliceB}{stage}{errors}, 0, "$stage: no errors");
    is($doc->{decision}{status}, 'GO', "$stage: the decision");
    is($doc->{decision}{by}, 'ana', "$stage: by whom");
    is(scalar @{$doc->{incidents}}, $n == 2 ? 1 : 0, "$stage: incidents");
    like($page, qr/^\*\*Proceed to [^\n]*\*\* YES/m, "$stage: it goes on");

    my %performance = $ev->table($page, 'Performance Metrics');
    is_deeply(
        [sort keys %performance],
        [
            'Error Rate',
            'P50 Latency',
            'P95 Latency',
            'P99 Latency',
            'Throughput'
        ],
        "$stage: performance"
    );
    is_deeply([grep { $_->{Status} ne '✅ pass' } values %performance],
        [], "$stage: all of it passes");
    is_deeply([grep { $_->{Baseline} eq '-' } values %performance],
        [], "$stage: with a baseline");

    my $seconds = $doc->{times}{duration};
    my %count = map { $_->{name} => $_ }
        map { @{$doc->{$_}} } qw(analytics security resources);
    near($count{'Event Ingestion Rate'}{counts}[0],
        $counted->('Event'), "$stage: events");
    cmp_ok(
        abs(
            $count{'Event Ingestion Rate'}{value} / 60 *
                $seconds /
                $counted->('Event') - 1
        ),
        '<', 0.05,
        "$stage: and their rate"
    );
    near_all(
        $count{'Schema Validation Success'}{counts},
        [$counted->('Schema-Valid'), $counted->('Event')],
        "$stage: valid ones"
    );
    is($count{'PII Detections'}{value}, 0, "$stage: no PII");
    near_all(
        $count{'PHI Encryption Rate'}{counts},
        [$counted->('Phi-Encrypted'), $counted->('Phi-Written')],
        "$stage: encrypted ones"
    );
    near_all(
        $count{'CSRF Validation Rate'}{counts},
        [$counted->('Csrf-Valid'), $counted->('Csrf-Checked')],
        "$stage: CSRF"
    );
    near_all(
        $count{'Cache Hit Rate'}{counts},
        [$counted->('Cache=HIT'), $counted->('Cache')],
        "$stage: cache hits"
    );
    cmp_ok(abs($count{'Write Latency'}{value} - 14),
        '<=', 1, "$stage: p95 of 5 to 14 ms");
    cmp_ok($count{'Queue Depth'}{value}, '<=', 39, "$stage: queue depth");
    is($count{'Database TLS'}{actual}, 'TLS 1.3', "$stage: TLS");
    is($count{'Failed Auth Attempts'}{status}, 'pass', "$stage: log-ins");

    for my $name ('CPU Usage', 'Memory Usage') {
        my $value = $count{$name}{value};
        ok($value > 0 && $value <= 100, "$stage: $name is $value%");
    }
    cmp_ok($count{'DB Connections'}{value}, '>', 0, "$stage: connections");

    my %funnel = $ev->table($page, 'User Journey Funnel');
    for my $i (0 .. $#steps) {
        my $true = $roll->users('sliceB', "Journey=$steps[$i]");
        my $said = $funnel{$titles[$i]}{Users};
        cmp_ok(
            abs($said - $true),
            '<=',
            0.05 * $true,
            "$stage: $true users, $steps[$i]"
        );
    }

    my ($first, $last) =
        map { $roll->users('sliceB', "Journey=$_") } @steps[0, -1];
    my $overall = $doc->{funnel}{overall};
    my $within = $overall->{conversion} >= 55 && $overall->{conversion} <= 65;
    cmp_ok(abs($overall->{conversion} - 100 * $last / $first),
        '<', 3, "$stage: the conversion");
    is($overall->{status}, $within ? 'pass' : 'fail', "$stage: its target");

    return;
}


# Requests that were under way when the stage began ended in it: one of each of
# the 4 clients.  On a busy machine also a few more of each, that ended between
# the stage's base and its name.
sub near {
    my ($got, $expected, $name) = @_;

    ok($got >= $expected && $got <= $expected + 4 * 4, $name)
        or diag("got $got, the client counted $expected");
    return;
}


sub near_all {
    my ($got, $expected, $name) = @_;

    near($got->[$_], $expected->[$_], $name) for 0 .. $#$expected;
    return;
}
