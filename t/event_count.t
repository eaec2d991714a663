# What is counted on which variant: how often, by how many users, with which
# value; by the answer's headers, in the log phase.

use strict;
use warnings;

use Test::More;
use Canary;

my $t = Canary->new();

# one worker: it has counted a request before it answers the next
$t->conf(<<'CONF');
    map $status $failed { default ""; "~^5" 1; }
    map $arg_k $user { default $arg_k; none ""; }
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_key $user;
        canary_force $arg_force always canary;
    }
    upstream unsplit { server 127.0.0.1:%%PORT2%%; }
    upstream refused { server 127.0.0.1:%%PORT3%%; }
    upstream spare {
        server 127.0.0.1:%%PORT2%%;
        canary refused 100%;
        canary_key $arg_k;
    }
    canary_event everywhere;
    server {
        listen 127.0.0.1:%%PORT1%%;
        add_header X-Queue $arg_q always;
        add_header X-Valid $arg_valid always;
        location / { return 200 canary; }
        location /parts {
            return 200 '<!--#include virtual="/part?k=$arg_k" -->';
        }
        location /broken { return 500; }
        location /moved {
            add_header X-Accel-Redirect /static always;
            return 200;
        }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        add_header X-Queue $arg_q always;
        location / { return 200 baseline; }
        location /broken { return 500; }
        location /moved {
            add_header X-Accel-Redirect /static always;
            return 200;
        }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;

        canary_event request;
        canary_event failed if=$failed;
        canary_event valid  if=$upstream_http_x_valid;
        canary_event queue  value=$upstream_http_x_queue;
        canary_event user   unique=$arg_u if=$arg_u;
        canary_event never  if=0;
        canary_event text   if="$arg_u-";

        location / { proxy_pass http://baseline; }
        location /moved { proxy_pass http://baseline; }
        location /static { return 200 static; }
        location /broken {
            proxy_intercept_errors on;
            error_page 500 = /static;
            proxy_pass http://baseline;
        }
        location /parts {
            ssi on;
            ssi_types *;
            proxy_pass http://baseline;
        }
        location /part {
            log_subrequest on;
            proxy_pass http://baseline;
        }
        location /other {
            canary_event user unique=$arg_v;
            proxy_pass http://baseline;
        }
        location /unsplit { proxy_pass http://unsplit; }
        location /spare { proxy_pass http://spare; }
        location /canary/ { canary_status; }
    }
    server {
        listen 127.0.0.1:%%PORT4%%;
        location / { proxy_pass http://baseline; }
    }
CONF
$t->start();

# keys that the hash sends to one or the other

my %keys = (canary => [], baseline => []);
for my $k (1 .. 40) {
    push @{$keys{$t->get("/unsplit?k=$k", ':port' => $t->port(4))->{body}}}, $k;
}

sub events {
    my ($split) = @_;
    return $t->status()->{splits}{$split || 'baseline'}{events};
}

sub counts {
    my ($events, $variant) = @_;
    return {
        map { $_ => $events->{$_}{$variant}{total}{count} }
            keys %$events
    };
}

sub grown {
    my ($sub, $split, $canary) = @_;
    my $before = events($split);
    $sub->();
    my $after = events($split);
    my %grown;
    for my $variant ($split || 'baseline', $canary || 'canary') {
        my ($one, $two) =
            (counts($before, $variant), counts($after, $variant));
        $grown{$variant} = {
            map {
                $two->{$_} > $one->{$_} ? ($_ => $two->{$_} - $one->{$_}) : ()
                }
                keys %$two
        };
    }
    return \%grown;
}

is_deeply(
    [sort keys %{events()}],
    [sort qw(everywhere request failed valid queue user never text)],
    'each name of any location is an event of the split'
);
is(
    events()->{everywhere}{canary}{total}{count},
    scalar @{$keys{canary}},
    'at the level of http, where none stands below'
);
is(events()->{request}{canary}{total}{count}, 0, 'and none where they do');

my ($in, $out) = ($keys{canary}[0], $keys{baseline}[0]);

is_deeply(
    grown(sub { $t->get("/?k=$in") for 1 .. 3 }),
    {canary => {request => 3, queue => 3, text => 3}, baseline => {}},
    'on the canary, which served them'
);
is_deeply(
    grown(sub { $t->get("/?k=$out&u=ann") }),
    {
        canary => {},
        baseline => {request => 1, queue => 1, user => 1, text => 1}
    },
    'on the baseline'
);
is_deeply(
    grown(sub { $t->get("/?k=$in&valid=yes"); $t->get("/?k=$in&valid=0") }),
    {
        canary => {request => 2, queue => 2, text => 2, valid => 1},
        baseline => {}
    },
    'if= takes what is neither empty nor 0, out of the header of an answer'
);
is_deeply(
    grown(sub { $t->get("/other?k=$in") }),
    {canary => {user => 1}, baseline => {}},
    'a location with its own inherits none'
);

is_deeply(
    grown(sub { $t->get("/?k=$in&force=always") }),
    {canary => {}, baseline => {}},
    'a forced request is no event'
);
is_deeply(
    grown(sub { $t->get('/?k=none') }),
    {canary => {}, baseline => {}},
    'nor is one without a key'
);
is_deeply(
    grown(sub { $t->get("/unsplit?k=$in"); $t->get("/static?k=$in") }),
    {canary => {}, baseline => {}},
    'nor one that met no split'
);

is_deeply(
    grown(sub { is($t->get("/broken?k=$in")->{body}, 'static', 'moved') }),
    {canary => {request => 1, queue => 1, text => 1}, baseline => {}},
    'error_page: the variant that answered, by the last location'
);
is_deeply(
    grown(sub { is($t->get("/moved?k=$in")->{body}, 'static', 'moved') }),
    {canary => {request => 1, queue => 1, text => 1}, baseline => {}},
    'X-Accel-Redirect: the same'
);
is_deeply(
    grown(sub { is($t->get("/parts?k=$in")->{body}, 'canary', 'parts') }),
    {canary => {request => 1, queue => 1, text => 1}, baseline => {}},
    'a request with a part is one, also where the part is logged by itself'
);
is_deeply(
    grown(
        sub { is($t->get("/spare?k=$in")->{body}, 'baseline', 'fell back') },
        'spare', 'refused'
    ),
    {refused => {}, spare => {request => 1, queue => 1, text => 1}},
    'a fallback: on the baseline, which served it'
);

# values: exact but for quantiles

$t->get("/?k=$in&q=$_") for qw(7 0.25 1700.5 12.3456 -1 1e3 many), '', 7;

my $value = events()->{queue}{canary}{total}{value};
is($value->{count}, 5, 'what is no number has no value');
is($value->{sum}, 7 + 0.25 + 1700.5 + 12.345 + 7, 'sum, to a thousandth');
is($value->{min}, 0.25, 'min');
is($value->{max}, 1700.5, 'max');
is($value->{last}, 7, 'last');
cmp_ok(abs($value->{p50} - 7), '<', 7 * 0.006, 'median within 0.5%');
is(events()->{queue}{baseline}{total}{value}{max}, undef, 'null of nothing');
is(events()->{queue}{baseline}{total}{value}{last}, undef, 'and no last');

$t->get("/?k=$out&q=5000000");
$value = events()->{queue}{baseline}{total}{value};
is($value->{max}, 5000000, 'beyond the last bucket: max is exact');
is($value->{p50}, 5000000, 'and a quantile at most that');
$value = events()->{queue}{baseline}{window}{value};
is($value->{p50}, 5000000, 'in the window, too');

# users

$t->get("/?k=$in&u=user" . $_ % 30) for 1 .. 90;
my $user = events()->{user}{canary}{total};
is($user->{count}, 91, 'events of users');
ok($user->{unique} >= 29 && $user->{unique} <= 31, 'by 30 of them');
is(events()->{user}{baseline}{total}{unique}, 1, 'one on the other');

ok(!exists events()->{request}{canary}{total}{unique}, 'no users, not asked');
ok(!exists events()->{request}{canary}{total}{value}, 'no values either');

for my $scope (qw(stage window)) {
    my $figures = events()->{user}{canary}{$scope};
    is($figures->{count}, 91, "$scope: the same count");
    ok($figures->{unique} >= 29 && $figures->{unique} <= 31, "$scope: users");
}
cmp_ok(events()->{user}{canary}{window}{rate}, '>', 0, 'a rate');

# the same in metrics

my $metrics = $t->get('/canary/metrics')->{body};
my $labels = '\\{upstream="baseline",variant="canary",event="%s"';
like($metrics,
    qr/^nginx_canary_events_total${\ sprintf $labels, 'user'}\} 91$/m,
    'counter');
like(
    $metrics,
    qr/^nginx_canary_event_users${\ sprintf $labels, 'user'}\} (?:29|3[01])$/m,
    'users of the window'
);
like(
    $metrics,
    qr/^nginx_canary_event_value_count${\ sprintf $labels, 'queue'}\} 5$/m,
    'how many values'
);
like(
    $metrics,
    qr/^nginx_canary_event_value${\ sprintf $labels, 'queue'},quantile="0\.5"/m,
    'a quantile of the window'
);

$t->no_alerts();
done_testing();
