use strict;
use warnings;

# Totals of a split that has served more than 2^32 requests: they are exact, and
# a window, a stage and a point of the history that begin below a multiple of
# 2^32 and end above it are as well.  The state file of a young split is made to
# say that it is an old one.

use List::Util qw(sum0);
use Test::More;
use Text::ParseWords qw(shellwords);
use Canary;

# what is added to the totals, and to those of when the stage began
use constant {TOTAL => (3 << 32) - 7, BASE => (1 << 32) - 9};

my $root = Canary->_root();
my $t = Canary->new();
mkdir $t->dir() . '/state';
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
        canary_key $arg_u;
        canary_force $arg_f 1 canary;
        canary_gate error_rate <= 1%;
        canary_gate p95 <= 10s;
        canary_rollback manual;
        canary_state %%DIR%%/state/file;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
        location /fail { return 500; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://baseline;
            canary_event step value=$arg_v;
        }
        location /canary/ { canary_status; }
    }
CONF

my $source = $t->write('older.c', <<'CODE');
#include "src/pure/ngx_canary_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ngx_canary_saved_t          saved;
static ngx_canary_saved_event_t    events[NGX_CANARY_SAVED_EVENTS];
static ngx_canary_saved_history_t  history;
static unsigned char               data[1 << 22];

/* those in the bucket that is in use first */
static void
hist(uint64_t *total, uint64_t *base, uint64_t n, uint64_t of_base)
{
    size_t  i;

    for (i = 0; total[i] == 0; i++) { /* void */ }

    total[i] += n;
    base[i] += of_base;
}

static void
counts(ngx_canary_saved_tally_t *c, uint64_t n)
{
    c->n[NGX_CANARY_COUNT_2XX] += n;
    c->n[NGX_CANARY_COUNT_5XX] += n;
    c->n[NGX_CANARY_COUNT_FORCED] += n;
    c->n[NGX_CANARY_COUNT_ERRORS] += n;
    c->n[NGX_CANARY_TALLY_SUM] += 2000 * n;
}

static void
tally(ngx_canary_saved_tally_t *t, uint64_t n)
{
    t->n[NGX_CANARY_EVENT_COUNT] += n;
    t->n[NGX_CANARY_EVENT_VALUES] += n;
    t->n[NGX_CANARY_EVENT_SUM_LOW] += n * 7000;
}

int
main(int argc, char **argv)
{
    char      error[NGX_CANARY_STATE_ERROR];
    FILE     *file;
    size_t    len;
    uint64_t  n, base;

    (void) argc;

    n = strtoull(argv[2], NULL, 10);
    base = strtoull(argv[3], NULL, 10);

    file = fopen(argv[1], "r+");
    len = fread(data, 1, sizeof(data), file);

    saved.events = events;
    saved.nevents = NGX_CANARY_SAVED_EVENTS;
    saved.history = &history;

    if (ngx_canary_state_decode(&saved, data, len, error) != 0) {
        puts(error);
        return 1;
    }

    saved.unkeyed += n;
    saved.base_unkeyed += base;

    counts(&saved.variants[1].total, n);
    counts(&saved.variants[1].base, base);
    hist(saved.variants[1].total.hist, saved.variants[1].base.hist, 2 * n,
         2 * base);

    tally(&events[0].figures[1].total, n);
    tally(&events[0].figures[1].base, base);
    hist(events[0].figures[1].total.hist, events[0].figures[1].base.hist, n,
         base);

    len = ngx_canary_state_encode(&saved, data, sizeof(data));
    rewind(file);

    return len == 0 || fwrite(data, 1, len, file) != len || fclose(file) != 0;
}
CODE

my $older = $t->dir() . '/older';
is(
    system(
        shellwords($ENV{CC} || 'cc'),
        shellwords($ENV{CFLAGS} || '-O1'),
        "-I$root",
        '-o',
        $older,
        $source,
        (glob "$root/src/pure/ngx_canary_{state,walk}*.c"),
        qw(-lxxhash -lm),
        shellwords($ENV{LDFLAGS} || '')
    ),
    0,
    'a program that makes a split older'
);

# five of each: all is counted when its event is
sub requests {
    my ($total) = @_;

    for (1 .. 5) {
        $t->get('/?u=1&v=7');
        $t->get('/fail?u=1');
        $t->get('/?u=1&f=1');
        $t->get('/?v=7');
    }
    $t->wait_for(sub { figures('total')->[7] == $total }, 5);
    return;
}

sub now { return $t->status()->{splits}{baseline} }

# forced and unkeyed requests count no event
sub figures {
    my ($scope) = @_;

    my $split = now();
    my $v = $split->{variants}{canary}{$scope};
    my $event = $split->{events}{step}{canary}{$scope};

    return [
        @$v{qw(requests errors forced)}, @{$v->{responses}}{qw(2xx 5xx)},
        $v->{latency}{count}, $split->{unkeyed},
        $event->{count}, @{$event->{value}}{qw(count sum)}
    ];
}

# as figures() has them, of so many of each; /fail counts an event too
sub expected {
    my ($n, $more, $unkeyed) = @_;

    my $of = $n + $more;
    return [
        2 * $of, $of, $of, $of, $of,
        2 * $of, $unkeyed, $n + 2 * $more, $of, 7 * $of
    ];
}

$t->start();
requests(10);
is_deeply(figures($_), expected(0, 5, 5), "$_: a young split")
    for qw(total stage window);
$t->stop();

is(system($older, $t->dir() . '/state/file', TOTAL, BASE),
    0, 'is made an old one');
$t->start();
is(now()->{state}, 'active', 'its file is trusted');
is_deeply(
    figures('total'),
    expected(TOTAL, 5, TOTAL + 5),
    'beyond 2^32: the total'
);
is_deeply(
    figures('stage'),
    expected(TOTAL - BASE, 5, TOTAL + 5),
    'beyond 2^32: the stage'
);

requests(TOTAL + 20);
is_deeply(
    figures('total'),
    expected(TOTAL, 10, TOTAL + 10),
    'over a multiple of it: the total'
);
is_deeply(
    figures('stage'),
    expected(TOTAL - BASE, 10, TOTAL + 10),
    'over a multiple of it: the stage'
);
is_deeply(
    figures('window'),
    expected(0, 5, TOTAL + 10),
    'over a multiple of it: the window'
);

my $split = now();
is($split->{gates}[0]{samples}, 2 * (TOTAL - BASE + 10), 'samples of a gate');
is($split->{gates}[0]{actual}, 0.5, 'half of them are errors');

my $history;
$t->wait_for(
    sub {
        $history = $t->status('/canary/history.json?upstream=baseline')
            ->{hour}{variants}{canary};
        return sum0(@{$history->{requests}}) == 20;
    },
    5
);
is(sum0(@{$history->{requests}}), 20, 'the history has what came here');
is(sum0(@{$history->{errors}}), 10, 'and its errors');

my $metrics = $t->get('/canary/metrics')->{body};
my $of = 'upstream="baseline",variant="canary"';
for my $line (
    "requests_total{$of} " . 2 * (TOTAL + 10),
    "errors_total{$of} " . (TOTAL + 10),
    "latency_seconds_count{$of} " . 2 * (TOTAL + 10),
    "latency_seconds_bucket{$of,le=\"+Inf\"} " . 2 * (TOTAL + 10),
    'unkeyed_total{upstream="baseline"} ' . (TOTAL + 10)
    )
{
    like($metrics, qr/^nginx_canary_\Q$line\E$/m, "metrics: $line");
}

$t->stop();
$t->start();
is_deeply(
    figures('total'),
    expected(TOTAL, 10, TOTAL + 10),
    'a restart keeps them'
);

$t->no_alerts();
done_testing();
