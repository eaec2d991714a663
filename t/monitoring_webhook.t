#!/usr/bin/perl

# canary-webhook: rolls back for the alerts it was told of, for whom has the
# token, and for nobody else.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP ();
use POSIX ();
use Test::More;

use Canary;
use Canary::Ctl;

my $root = abs_path(dirname(__FILE__) . '/..');
my $t = Canary->new();
my $ctl = Canary::Ctl->new($t, split => "canary sliceB 50% stage=s1;\n");
my $dir = $t->dir();
my $port = $t->port(6);

$t->start();
$t->write('token', "s3cret\n");

sub webhook {
    my ($listen, @command) = @_;

    return $t->_spawn(
        sub {
            delete @ENV{grep { /^CANARYCTL_/ } keys %ENV};
            $t->_forget_leaks();
            open STDERR, '>>', "$dir/webhook.log";
            exec "$root/scripts/canary-webhook", '--listen',
                "127.0.0.1:$listen", '--token-file', "$dir/token", '--alert',
                'CanaryErrorsWorse', '--alert', 'Other', '--upstream',
                'documents', '--', @command
                or POSIX::_exit(127);
        }
    );
}

my @canaryctl = ("$root/scripts/canaryctl", '--conf', "$dir/canaryctl.conf");
webhook($port, @canaryctl);
webhook($t->port(7), '/bin/false');
ok($t->wait_for(sub { Canary::Process::_accepts($_) }), "port $_ is open")
    for $port, $t->port(7);

sub message {
    my (%alert) = @_;

    my %labels = (
        alertname => 'CanaryErrorsWorse',
        upstream => 'documents',
        %{$alert{labels} || {}}
    );
    return JSON::PP->new()->utf8()->encode(
        {
            version => '4',
            status => 'firing',
            alerts => [
                {
                    status => $alert{status} || 'firing',
                    labels => \%labels,
                    annotations => {summary => $alert{summary} || 'bad'}
                }
            ]
        }
    );
}

sub post {
    my ($body, %headers) = @_;

    return $t->post(
        '/rollback', $body,
        ':port' => $port,
        Authorization => 'Bearer s3cret',
        %headers
    );
}

# refused, and nothing happens
my $good = message();
my @refused = (
    ['no token', 401, sub { post($good, Authorization => 'Basic s3cret') }],
    [
        'a wrong token',
        401, sub { post($good, Authorization => 'Bearer s3creT') }
    ],
    ['a part of it', 401, sub { post($good, Authorization => 'Bearer s3cre') }],
    [
        'more than it', 401,
        sub { post($good, Authorization => 'Bearer s3crets') }
    ],
    ['no JSON', 400, sub { post('hello') }],
    ['no alerts', 400, sub { post('{"alerts":1}') }],
    ['odd alerts', 400, sub { post('{"alerts":[1]}') }],
    ['odd labels', 400, sub { post('{"alerts":[{"labels":[]}]}') }],
    ['a list', 400, sub { post('[]') }],
    [
        'a long body',
        413,
        sub {
            $t->http(
                "POST /rollback HTTP/1.1\r\nAuthorization: Bearer s3cret"
                    . "\r\nContent-Length: 99999999\r\n\r\n",
                port => $port
            );
        }
    ],
    [
        'no length', 400,
        sub { $t->http("POST / HTTP/1.1\r\n\r\n", port => $port) }
    ],
    ['a long head', 400, sub { $t->http('x' x 20_000, port => $port) }],
    [
        'GET', 405,
        sub {
            $t->get(
                '/rollback',
                ':port' => $port,
                'Content-Length' => 0,
                Authorization => 'Bearer s3cret'
            );
        }
    ],
    [
        'another path',
        404,
        sub {
            $t->post(
                '/x', $good,
                ':port' => $port,
                Authorization => 'Bearer s3cret'
            );
        }
    ],
);
for my $case (@refused) {
    my ($name, $status, $send) = @$case;
    is($send->()->{status}, $status, "$name: $status");
}

# taken, but not acted on
my @ignored = (
    ['another alert', message(labels => {alertname => 'Unknown'})],
    ['one that is over', message(status => 'resolved')],
    ['of another split', message(labels => {upstream => 'search'})],
    ['a name that is none', message(labels => {alertname => []})],
    ['no alert at all', '{"alerts":[]}'],
);
for my $case (@ignored) {
    my ($name, $body) = @$case;
    my $r = post($body);
    is("$r->{status} $r->{body}", "200 {\"rolled_back\":[]}\n", $name);
}
is($ctl->state()->{state}, 'active', 'nothing was rolled back so far');
is(-s "$dir/evidence/changes.log", undef, 'or tried to');

# acted on
my $r = post(
    message(
        summary => "it's \"bad\"; \$(touch $dir/executed)\n" . "\x{65e5}" x 500
    )
);
is($r->{status}, 200, 'an alert');
is($r->{body}, "{\"rolled_back\":[\"CanaryErrorsWorse\"]}\n", 'is acted on');
is($ctl->state()->{variants}{sliceB}{share}, 0, 'the canary has no share');
like($ctl->split(), qr/^canary sliceB off;/, 'nor in the split file');
ok(!-e "$dir/executed", 'no text is executed');
my ($log) = $ctl->log();
is($log->{by}, 'alertmanager', 'it is logged as the doing of Alertmanager');
like(
    $log->{reason},
    qr/^alert CanaryErrorsWorse: it's "bad"; \$\(touch .*\) \x{65e5}+$/,
    'with the alert and its summary'
);
is(post($good)->{status}, 200, 'once more is fine');

$r = $t->post(
    '/rollback', $good,
    ':port' => $t->port(7),
    Authorization => 'Bearer s3cret'
);
is($r->{status}, 500, 'a rollback that fails: Alertmanager will try again');

# the token is read each time
$t->write('token', "another\n");
is(post($good)->{status}, 401, 'a token that was changed');
is(post($good, Authorization => 'Bearer another')->{status}, 200,
    'is in force');
unlink "$dir/token";
is(post($good, Authorization => 'Bearer ')->{status}, 401, 'no file, no entry');

unlike($t->read('webhook.log'), qr/s3cret|another$/m, 'no token is logged');

# how it is started
for my $args ('', '--alert X', '--alert X -- true',
    '--no-such', "--token-file $dir/no --alert X -- true")
{
    my $output = `'$root/scripts/canary-webhook' $args 2>&1`;
    is($? >> 8, 2, "'$args' is wrong usage");
}

$t->no_alerts();

done_testing();
