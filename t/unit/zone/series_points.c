/*
 * A day of ticks: the points of both series add up to what was counted, however
 * often the stage's were added up two by two, and to no more and no less when
 * writers are killed anywhere.
 */

#define _GNU_SOURCE

#include "../../../src/zone/ngx_canary_mutex.c"
#include "../../../src/zone/ngx_canary_series.c"
#include "../../../src/zone/ngx_canary_series_names.c"
#include "../../../src/zone/ngx_canary_series_picture.c"
#include "../../../src/zone/ngx_canary_series_point.c"

#include "../tap.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>


#define SECOND  1000000
#define CANARY  3
#define KILLS   300


/* in shared memory: what is counted goes on where a killed one left it */
typedef struct {
    uint64_t                   now_us;
    uint64_t                   ticks;
    ngx_canary_point_totals_t  totals[2];
    ngx_canary_series_zone_t   history;
} shared_t;


static shared_t            *shared;
static ngx_canary_zone_t   *zone;
static ngx_canary_split_t   split;
static ngx_canary_rule_t    rules[2];
static ngx_canary_gate_t    gates[2];


uint64_t
ngx_canary_now_us(void)
{
    return shared->now_us;
}


uint64_t
ngx_canary_now_ms(void)
{
    return shared->now_us / 1000;
}


/* of pictures; never given back */

void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    (void) pool;

    return calloc(1, size ? size : 1);
}


void *
ngx_palloc(ngx_pool_t *pool, size_t size)
{
    return ngx_pcalloc(pool, size);
}


static void
name(size_t v, const char *text)
{
    split.variants[v].name.data = (const unsigned char *) text;
    split.variants[v].name.len = strlen(text);
}


static void
begin(uint32_t share_ppm)
{
    size_t  i;

    memset(&split, 0, sizeof(split));
    memset(shared, 0, sizeof(*shared));
    memset(zone, 0, sizeof(*zone));

    shared->now_us = (uint64_t) 1763845800 * SECOND;
    (void) ngx_canary_mutex_init(&shared->history.mutex);

    split.nvariants = 2;
    split.variants[1].slot = CANARY;
    split.variants[1].canary = 1;
    split.variants[1].share_ppm = share_ppm;
    name(0, "baseline");
    name(1, "canary");

    for (i = 0; i < 2; i++) {
        split.variants[i].totals = &shared->totals[i];
        rules[i].signature = 11 + i;
        gates[i].rule = &rules[i];
        gates[i].index = 1;
        gates[i].threshold_log10 = 8;
    }

    split.rules = rules;
    split.nrules = 2;
    split.gates = gates;
    split.ngates = 2;
    split.limits_us[0] = 50000;
    split.want = NGX_CANARY_WANT_HISTORY;

    zone->stages[0].start_us = shared->now_us;
    zone->stages[0].start_ms = shared->now_us / 1000;
    split.stage_start_ms = zone->stages[0].start_ms;

    ngx_canary_series_tick(&shared->history, zone, &split);
}


static void
tick(void)
{
    size_t  i, k;

    shared->now_us += SECOND;

    for (i = 0; i < 2; i++) {
        shared->totals[i].requests += 3 + i;
        shared->totals[i].samples += 3 + i;
        shared->totals[i].count += 3 + i;
        shared->totals[i].errors += shared->ticks % 10 == 0;

        for (k = 10; k < NGX_CANARY_HISTORY_LE; k++) {
            shared->totals[i].le[k] += 3 + i;
        }

        shared->totals[i].limits[0] += 1;
        gates[i].evidence_log10 = shared->ticks == 5000 ? 3.5 : 1;
    }

    shared->ticks++;

    ngx_canary_series_tick(&shared->history, zone, &split);
}


static const ngx_canary_history_t *
series(ngx_canary_series_e s)
{
    if (ngx_canary_series_picture(&shared->history, &split, NULL) != NGX_OK) {
        abort();
    }

    return &split.history[s];
}


/* what the points of a variant are short of, or have too much */

static uint64_t
missing(const ngx_canary_history_t *h, size_t v)
{
    size_t                     i;
    ngx_canary_point_counts_t  sum;

    memset(&sum, 0, sizeof(sum));

    for (i = 0; i < h->npoints; i++) {
        ngx_canary_history_add(&sum, split.limits_us, &h->counts[v][i],
                               h->points[i].limits_us);
    }

    return (shared->totals[v].requests - sum.requests)
           | (shared->totals[v].errors - sum.errors)
           | (shared->totals[v].count - sum.count)
           | (shared->totals[v].le[10] - sum.le[10])
           | (shared->totals[v].le[9] - sum.le[9])
           | (shared->totals[v].limits[0] - sum.limits[0]);
}


static void
test_day(void)
{
    size_t                       i, apart;
    uint64_t                     length_ms;
    unsigned                     most;
    const ngx_canary_history_t  *h;

    begin(50000);

    while (shared->ticks < 100) {
        tick();
    }

    h = series(NGX_CANARY_SERIES_STAGE);
    is_u64(h->npoints, 100, "the first minutes: a point a second");
    is_u64(h->stretch_ms, 1000, "of a second");

    h = series(NGX_CANARY_SERIES_HOUR);
    is_u64(h->npoints, 10, "of ten seconds in the last hour");
    is_u64(missing(h, 1), 0, "nothing is missing there");

    split.want = NGX_CANARY_WANT_HOUR;
    is_u64(series(NGX_CANARY_SERIES_STAGE)->npoints, 0, "an overview: none");
    is_u64(missing(series(NGX_CANARY_SERIES_HOUR), 1), 0, "but for the hour");
    split.want = NGX_CANARY_WANT_HISTORY;

    while (shared->ticks < 361) {
        tick();
    }

    h = series(NGX_CANARY_SERIES_STAGE);
    is_u64(h->npoints, 181, "one more than there is room for: half as many");
    is_u64(h->stretch_ms, 2000, "twice as long");
    is_u64(missing(h, 0) | missing(h, 1), 0, "and nothing is missing");

    while (shared->ticks < 86400) {
        tick();
    }

    h = series(NGX_CANARY_SERIES_STAGE);
    is_u64(h->stretch_ms, 256000, "a day: of 256 seconds");
    is_u64(h->npoints, 338, "338 of them");
    is_u64(missing(h, 0) | missing(h, 1), 0, "nothing is missing");

    length_ms = 0;
    apart = 0;
    most = 0;

    for (i = 0; i < h->npoints; i++) {
        length_ms += h->points[i].length_ms;
        apart += i && h->points[i].start_ms
                      != h->points[i - 1].start_ms
                         + h->points[i - 1].length_ms;
        most += h->gates[1][i].evidence == 350;
    }

    is_u64(length_ms, 86400 * 1000, "they are a day long");
    is_u64(apart, 0, "without a gap");
    is_u64(most, 1, "the moment of most evidence is in one of them");

    /* half of the last point of the hour */

    while (shared->ticks < 86405) {
        tick();
    }

    h = series(NGX_CANARY_SERIES_HOUR);
    is_u64(h->npoints, 360, "the last hour has its points");
    is_u64(h->points[0].start_ms, shared->now_us / 1000 - 3595 * 1000,
           "and no more");
}


static void
test_idle(void)
{
    size_t                       i;
    uint64_t                     requests, first;
    const ngx_canary_history_t  *h;

    begin(0);
    tick();
    is_u64(series(NGX_CANARY_SERIES_STAGE)->npoints, 0, "no share, no stage");

    begin(50000);

    while (shared->ticks < 200) {
        tick();
    }

    requests = shared->totals[1].requests;
    split.variants[1].share_ppm = 0;
    first = series(NGX_CANARY_SERIES_STAGE)->points[0].start_ms;

    while (shared->ticks < 20000) {
        tick();
    }

    h = series(NGX_CANARY_SERIES_STAGE);
    is_u64(h->npoints, 360, "a rollback: the stage is filled up");
    is_u64(h->stretch_ms, 1000, "and never made coarser");
    is_u64(h->points[0].start_ms, first, "it begins where it did");

    for (i = 0; i < 200; i++) {
        requests -= h->counts[1][i].requests;
    }

    is_u64(requests, 0, "with all of the canary's requests");

    /* resumed */

    zone->stages[0].start_us = shared->now_us;
    zone->stages[0].start_ms = shared->now_us / 1000;

    for (i = 0; i < 2; i++) {
        zone->requests.base[0][i ? CANARY : 0].counts.n[1] =
            shared->totals[i].requests;
    }

    split.stage_start_ms = zone->stages[0].start_ms;
    split.variants[1].share_ppm = 50000;
    tick();

    h = series(NGX_CANARY_SERIES_STAGE);
    is_u64(h->npoints, 1, "a stage with a share begins it anew");
    is_u64(h->counts[1][0].requests, 4, "with what came since");
}


static void
test_names(void)
{
    const ngx_canary_history_t  *h;

    begin(50000);

    while (shared->ticks < 30) {
        tick();
    }

    /* its slot is another's, whose counters began anew */

    name(1, "other");
    memset(&shared->totals[1], 0, sizeof(shared->totals[1]));
    tick();

    h = series(NGX_CANARY_SERIES_HOUR);
    is_u64(missing(h, 1), 0, "another name has none of its points");
    is_u64(missing(h, 0), 0, "the baseline has all");

    /* a rule with another limit is another rule */

    rules[0].signature = 99;
    tick();

    h = series(NGX_CANARY_SERIES_STAGE);
    is_u64(h->gates[0][0].threshold, 0, "there was no such gate");
    ok(h->gates[0][h->npoints - 1].threshold == 800, "until now");
    rules[0].signature = 11;

    name(1, "canary");
    ok(series(NGX_CANARY_SERIES_HOUR)->counts[1][0].requests == 0,
       "nor does a name that has no column");
}


static void
test_limits(void)
{
    const ngx_canary_history_t  *h;

    begin(50000);
    tick();
    split.limits_us[0] = 70000;
    tick();
    tick();

    h = series(NGX_CANARY_SERIES_STAGE);
    is_u64(h->points[0].limits_us[0], 50000, "a point knows its limit");
    is_u64(h->points[1].limits_us[0], 0, "none where it changed");
    is_u64(h->points[2].limits_us[0], 70000, "and the other one since");
    is_u64(h->counts[1][2].limits[0], 1, "with its count");
}


static void
test_killed(void)
{
    int      status;
    pid_t    pid;
    size_t   i, wrong, unread;

    begin(50000);
    wrong = 0;
    unread = 0;
    srand(7);

    for (i = 0; i < KILLS; i++) {
        pid = fork();

        if (pid == 0) {
            for ( ;; ) {
                tick();
            }
        }

        usleep(300 + rand() % 3000);
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, &status, 0);

        /* what it left can be read, but for the point that it was at */

        unread += shared->ticks > 20
                  && series(NGX_CANARY_SERIES_STAGE)->npoints < 10;

        tick();
        wrong += missing(series(NGX_CANARY_SERIES_STAGE), 1) != 0;
    }

    ok(shared->ticks > 10 * KILLS, "%d killed after %" PRIu64 " ticks", KILLS,
       shared->ticks);
    is_u64(unread, 0, "whoever is killed leaves what can be read");
    is_u64(wrong, 0, "and nothing is lost, or counted twice");
}


int
main(void)
{
    zone = calloc(1, sizeof(ngx_canary_zone_t));
    shared = mmap(NULL, sizeof(shared_t), PROT_READ|PROT_WRITE,
                  MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (zone == NULL || shared == MAP_FAILED) {
        abort();
    }

    test_day();
    test_idle();
    test_names();
    test_limits();
    test_killed();

    return tap_done();
}
