#!/usr/bin/perl

# canaryctl preflight: the whole checklist, with a real Prometheus, and what it
# says when monitoring is not as it must be.

use strict;
use warnings;

use JSON::PP ();
use POSIX ();
use Test::More;

use Canary;
use Canary::Ctl;

my $t = Canary->new();
my $ctl = Canary::Ctl->new(
    $t,
    split => "canary sliceB 0%;\n",
    upstream => 'canary_state %%DIR%%/documents.state;'
);
my $dir = $t->dir();
$t->start();

my $date = POSIX::strftime('%Y-%m-%d', gmtime);
$t->write('signoffs', "on-call | anna | $date\nProduct owner | ben | $date\n");
my $prometheus = '127.0.0.1:' . $t->port(10);
my %settings = (
    url => $ctl->said_url(),
    metrics_url => 'http://127.0.0.1:%%PORT0%%/canary/metrics',
    prometheus => "http://$prometheus/",
    signoffs => '%%DIR%%/signoffs'
);
$ctl->settings(%settings);
my %state_file = (path => '/s', written_at => time, error => '');

# the rules that come with it, and one that fires
my $shipped =
    $t->read($t->_root() . '/conf.d/monitoring/nginx_canary.rules.yml');
$t->write('nginx_canary.rules.yml', $shipped);
my $alerts = 1 + (() = $shipped =~ /^ *- alert:/mg);
$t->write('rules.yml', <<'YML');
groups:
  - name: nginx_canary_test
    rules:
      - alert: Always
        expr: vector(1)
YML
my $monitoring = <<"YML";
global: { scrape_interval: 200ms, evaluation_interval: 200ms }
rule_files: [ %%DIR%%/rules.yml, %%DIR%%/nginx_canary.rules.yml ]
scrape_configs:
  - job_name: nginx_canary
    metrics_path: /canary/metrics
    static_configs: [ targets: [ "127.0.0.1:%%PORT0%%" ] ]
alerting:
  alertmanagers:
    - static_configs: [ targets: [ "127.0.0.1:%%PORT11%%" ] ]
YML
my $pid = prometheus($monitoring);

# until it scraped and evaluated for the first time
my $r;
ok(
    $t->wait_for(
        sub { ($r = $ctl->run('preflight', '--json'))->{status} == 0 }, 30
    ),
    'all of it holds: exit status 0'
) or diag(explain($r));

my @checks = @{$r->{json}{checks}};
is_deeply(
    [map { "$_->{check} " . ($_->{ok} ? 'ok' : 'not') } @checks],
    [
        map { "$_ ok" }
            qw(configuration status monitoring alert_rules alert_channel
            state_file rollback on_call sign_offs)
    ],
    'the whole checklist'
);
is($r->{json}{ok}, JSON::PP::true, 'as JSON too');
my %text = map { $_->{check} => $_->{text} } @checks;
like($text{configuration}, qr/-t$/, 'how it was tested');
like($text{status}, qr/^version \S+ in nginx \S+, documents is active$/,
    'the versions');
is(
    $text{monitoring},
    "$settings{metrics_url} is up" =~ s/%%PORT0%%/$t->port(0)/er,
    'what is scraped'
);
is($text{alert_rules}, "$alerts alerts, firing: Always", 'the alerts');
is(
    $text{alert_channel},
    'http://127.0.0.1:' . $t->port(11) . '/api/v2/alerts',
    'the Alertmanager'
);
is($text{state_file}, "$dir/documents.state", 'the state file');

is_deeply(JSON::PP::decode_json($t->read('evidence/preflight.json')),
    $r->{json}, 'the evidence folder has the last one');

$r = $ctl->run('preflight');
is($r->{status}, 0, 'as text');
is(scalar(() = $r->{out} =~ /^\[x\] .+: .+$/mg), 9, 'a box for each');
like($r->{out}, qr/^9 of 9 hold$/m, 'and the sum');

# what does not hold
sub lacks {
    my ($check, $text, $name, %more) = @_;

    $ctl->settings(%settings, %more);
    my $said;
    $t->wait_for(
        sub {
            $r = $ctl->run('preflight', '--json');
            ($said) = grep { $_->{check} eq $check } @{$r->{json}{checks}};
            return $said->{text} =~ $text;
        },
        20
    );
    is($r->{status}, 1, "$name: exit status 1");
    ok(!$said->{ok}, 'it does not hold');
    like($said->{text}, $text, 'why');
    unlike($r->{out}, qr/\e/, 'in plain characters');

    return grep { !$_->{ok} } @{$r->{json}{checks}};
}

$ctl->break_config();
is(lacks('configuration', qr/no_such_directive/, 'a broken configuration'),
    1, 'all else holds');
$ctl->mend_config();

$ctl->say(state_file => undef);
is(lacks('state_file', qr/no canary_state/, 'no state file'), 1, 'all else');
$ctl->say(state_file => {%state_file, error => "no\espace"});
lacks('state_file', qr{/s: no space}, 'a state file that fails');
$ctl->say(state_file => {%state_file, written_at => undef});
lacks('state_file', qr{/s was not written yet}, 'a state file not written');
$ctl->say(state_file => {%state_file, written_at => time - 7230});
lacks('state_file', qr{/s was last written 2 h 0 min ago}, 'an old one');
$ctl->say();

is(
    lacks(
        'monitoring',
        qr{^no target is http://other:9/metrics$},
        'another address is scraped',
        metrics_url => 'http://other:9/metrics'
    ),
    1,
    'all else holds'
);

# Prometheus away, or another server in its place
my %of_prometheus = (
    monitoring => 'targets',
    alert_rules => 'rules',
    alert_channel => 'alertmanagers'
);
$t->http_upstream($t->port(7), body => '{"status":"success","data":{}}');
my @cases = (
    ['down', 'http://127.0.0.1:%%PORT9%%', qr{/api/v1/%s\S*: .*connect}i],
    [
        'another server',
        'http://127.0.0.1:%%PORT6%%',
        qr{/api/v1/%s\S* is no answer of Prometheus$}
    ],
    [
        'another form',
        'http://127.0.0.1:%%PORT7%%',
        qr{an answer of another form: %s}
    ],
    ['not set', undef, qr{^"prometheus" is not set$}]
);
for my $case (@cases) {
    my ($name, $url, $text) = @$case;
    $ctl->settings(%settings, prometheus => $url);
    $r = $ctl->run('preflight', '--json');
    is($r->{status}, 1, "Prometheus, $name: exit status 1");

    my @open = grep { !$_->{ok} } @{$r->{json}{checks}};
    is(@open, 3, 'three checks do not hold');
    for my $check (@open) {
        my $like = $text =~ s/%s/$of_prometheus{$check->{check}}/r;
        like($check->{text}, qr/$like/, "$check->{check}: why");
    }
}

# Prometheus with another configuration
$t->write($_, "groups: []\n") for qw(rules.yml nginx_canary.rules.yml);
$pid = prometheus($monitoring =~ s/alerting:.*//sr =~ s/PORT0/PORT9/r, $pid);
lacks(
    'monitoring',
    qr{:\d+/canary/metrics is down: .*refused}i,
    'a target that is down',
    metrics_url => 'http://127.0.0.1:%%PORT9%%/canary/metrics'
);
lacks('alert_rules', qr/^there is no alert in a group nginx_canary$/,
    'no alert');
lacks(
    'alert_channel',
    qr/^Prometheus knows no Alertmanager$/,
    'no Alertmanager'
);

$t->write('rules.yml', <<'YML');
groups:
  - name: nginx_canary
    rules:
      - alert: CanaryBroken
        expr: up * on() group_left() (up or vector(1))
YML
$pid = prometheus(
    $monitoring =~ s{(  - job_name: )}{$1other
    static_configs: [ targets: [ "127.0.0.1:%%PORT9%%" ] ]
$1}r, $pid
);
lacks(
    'alert_rules',
    qr/^CanaryBroken: .*(?:many|duplicate)/,
    'an alert that cannot be evaluated'
);

# no status: each check says so
$ctl->settings(%settings, url => 'http://127.0.0.1:%%PORT9%%/');
$r = $ctl->run('preflight', '--json');
is($r->{status}, 1, 'no status');
my %said = map { $_->{check} => $_ } @{$r->{json}{checks}};
ok(!$said{$_}{ok}, "$_ does not hold") for qw(status state_file rollback);
ok($said{$_}{ok}, "$_ does") for qw(configuration on_call sign_offs);

$ctl->settings(%settings, canary => 'sliceX');
$r = $ctl->run('preflight');
like($r->{out}, qr/^\[ \] .*there is no canary "sliceX"/m, 'no such canary');

# the checklist is printed wherever it can be kept
$ctl->settings(%settings, evidence_dir => '%%DIR%%/nginx.conf');
$r = $ctl->run('preflight');
like(
    $r->{err},
    qr/warning: .*preflight\.json" cannot be written/,
    'an evidence folder that cannot be written is warned of'
);
like($r->{out}, qr/^\d of 9 hold$/m, 'and the checklist printed');

$t->no_alerts();

done_testing();

# starts it, in place of another one
sub prometheus {
    my ($conf, $before) = @_;

    $t->_end($before) if $before;
    $t->write('prometheus.yml', $conf);

    my $new = $t->_spawn(
        sub {
            open STDOUT, '>>', "$dir/prometheus.log";
            open STDERR, '>&', \*STDOUT;
            exec 'prometheus', "--config.file=$dir/prometheus.yml",
                "--storage.tsdb.path=$dir/tsdb",
                "--web.listen-address=$prometheus"
                or POSIX::_exit(127);
        }
    );
    $t->wait_for(sub { Canary::Process::_accepts($t->port(10)) }, 30)
        or die $t->read('prometheus.log');

    return $new;
}
