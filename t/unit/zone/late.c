/*
 * Requests that their clients gave up: one is a bad trial of each latency rule
 * beyond whose limit it was by then, and slower than any in the quantile; it is
 * none of a limit that was set later.
 */

#include "../../../src/zone/ngx_canary_figures.c"
#include "../../../src/zone/ngx_canary_mutex.c"
#include "../../../src/zone/ngx_canary_picture.c"
#include "../../../src/zone/ngx_canary_record.c"
#include "../../../src/zone/ngx_canary_series_point.c"
#include "../../../src/zone/ngx_canary_stage.c"
#include "../../../src/zone/ngx_canary_tally.c"
#include "../../../src/zone/ngx_canary_trials.c"
#include "../../../src/zone/ngx_canary_window.c"

#include "judge.h"
#include "picture.h"


#define CANARY    1
#define SHARDS    2
#define MS        1000
#define ABSOLUTE  NGX_CANARY_METRIC_P95
#define RELATIVE  (NGX_CANARY_QUANTILES + NGX_CANARY_METRIC_P95)


/* nginx's own */
ngx_uint_t  ngx_worker;

static ngx_canary_gate_t  *absolute, *relative;


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    (void) log;

    return malloc(size);
}


u_char *
ngx_pstrdup(ngx_pool_t *pool, ngx_str_t *src)
{
    return memcpy(ngx_pcalloc(pool, src->len + 1), src->data, src->len);
}


uint64_t
ngx_canary_published(ngx_canary_zone_t *z, ngx_canary_record_t *record)
{
    *record = z->records[0];

    return z->published;
}


static void
picture(void)
{
    forget();

    if (ngx_canary_picture(zone, NULL, &split, NULL) != NGX_OK) {
        abort();
    }

    absolute = &split.gates[0];
    relative = &split.gates[1];
}


static void
tick(void)
{
    now_us += SECOND;
    ngx_canary_step_add(zone, NULL, split.window_us, 0);
    picture();
    ngx_canary_judge_tick(zone, &split);
    picture();
}


static void
count(ngx_uint_t shard, ngx_uint_t slot, ngx_uint_t what, uint64_t ms)
{
    ngx_canary_outcome_t  oc;

    oc.response = 2;
    oc.what = what;
    oc.latency_us = ms * MS;

    ngx_canary_record(zone, &zone->shards[shard].variants[slot], &oc);
}


static void
give_up(ngx_uint_t shard, ngx_uint_t slot, uint64_t ms)
{
    count(shard, slot, NGX_CANARY_ABORTED, ms);
}


static int
late(ngx_uint_t rule, uint64_t total, uint64_t stage, uint64_t window)
{
    ngx_canary_gate_t  *gate;

    picture();

    gate = &split.gates[rule];

    return gate->late[NGX_CANARY_TOTAL] == total
           && gate->late[NGX_CANARY_STAGE] == stage
           && gate->late[NGX_CANARY_WINDOW] == window;
}


static int
setup(void)
{
    ngx_uint_t  i;

    zone = calloc(1, sizeof(ngx_canary_zone_t)
                     + SHARDS * sizeof(ngx_canary_shard_t));
    if (zone == NULL) {
        return 0;
    }

    ngx_canary_shards_init(zone, SHARDS);
    zone->created_us = now_us;
    zone->slots[0].used = 1;
    zone->slots[CANARY].used = 1;
    zone->records[0].ncanaries = 1;
    zone->records[0].canaries[0].slot = CANARY;
    zone->records[0].canaries[0].share_ppm = 500000;
    memset(zone->limits_us, 0xff, sizeof(zone->limits_us));

    split.rules = rules;
    split.nrules = 2;
    split.nle = 1;
    split.le_us[0] = 500 * MS;
    split.window_us = 10 * SECOND;
    split.false_alarm_s = 1e6;
    split.pause_s = 1;

    judge_rule(&rules[0], NGX_CANARY_METRIC_P95, NGX_CANARY_AT_MOST, 500 * MS);
    judge_rule(&rules[1], NGX_CANARY_METRIC_P95, NGX_CANARY_NOT_WORSE, 500000);

    for (i = 0; i < 2; i++) {
        rules[i].min = 20;
        rules[i].quantile_ppm = 950000;
    }

    if (ngx_canary_stage_fill(zone, NULL, 0) != NGX_OK) {
        return 0;
    }

    zone->published = ngx_canary_word(1, 0, 1, 0);
    ngx_canary_step_add(zone, NULL, 0, 1);

    for (i = 0; i < 20; i++) {
        count(0, 0, NGX_CANARY_TIMED, 200);
        count(1, CANARY, NGX_CANARY_TIMED, 200);
    }

    return 1;
}


static void
one_limit(void)
{
    ngx_uint_t  i;

    give_up(0, CANARY, 900);
    ok(late(0, 0, 0, 0), "before its limit is set none is counted");

    tick();
    is_u64(zone->limits_us[ABSOLUTE], 500 * MS, "the limit of the rule");
    is_u64(zone->limits_us[RELATIVE], 200 * MS, "what the other is beyond");

    give_up(0, CANARY, 500);
    ok(late(0, 0, 0, 0), "at the limit is not beyond it");
    ok(late(1, 1, 1, 1), "but it is beyond the other's");

    give_up(1, CANARY, 501);
    ok(late(0, 1, 1, 1) && late(1, 2, 2, 2),
       "beyond both, in another shard");
    is_u64(absolute->canary[NGX_CANARY_STAGE].n, 21, "a trial");
    is_u64(absolute->canary[NGX_CANARY_STAGE].bad, 1, "that is bad");
    is_u64(absolute->baseline[NGX_CANARY_STAGE].n, 20, "and the baseline's");
    ok(absolute->quantile_us[NGX_CANARY_STAGE] / MS == 200
       && !absolute->beyond[NGX_CANARY_STAGE],
       "p95 is still among those answered");

    give_up(0, CANARY, 600);
    give_up(0, 0, 600);
    picture();
    ok(absolute->beyond[NGX_CANARY_STAGE]
       && absolute->quantile_us[NGX_CANARY_STAGE] == 0,
       "then it falls among those given up");
    is_u64(relative->late_baseline[NGX_CANARY_STAGE], 1,
           "the baseline has its own");
    is_u64(relative->baseline[NGX_CANARY_TOTAL].bad, 1, "as bad ones");

    for (i = 0; i < NGX_CANARY_LIMITS; i++) {
        if (i != ABSOLUTE && i != RELATIVE) {
            is_u64(zone->shards[0].variants[CANARY].counts
                   .n[NGX_CANARY_TALLY_LATE + i], 0,
                   "none of a rule that is not there");
        }
    }

}


static void
scopes(void)
{
    ngx_uint_t  i;

    if (ngx_canary_stage_fill(zone, NULL, 1) != NGX_OK) {
        abort();
    }

    zone->published = ngx_canary_word(2, 0, 0, 1);
    ok(late(0, 2, 0, 2), "a new stage has none");

    give_up(0, CANARY, 700);
    ok(late(0, 3, 1, 3), "but those of its own");

    for (i = 0; i < 20; i++) {
        tick();
    }

    ok(late(0, 3, 1, 0), "a window has what is as young");
}


static void
another_limit(void)
{
    split.le_us[0] = 300 * MS;
    judge_rule(&rules[0], NGX_CANARY_METRIC_P95, NGX_CANARY_AT_MOST, 300 * MS);
    rules[0].quantile_ppm = 950000;

    ok(late(0, 0, 0, 0), "those of another limit are no matter");

    give_up(0, CANARY, 700);
    tick();
    is_u64(zone->limits_us[ABSOLUTE], 300 * MS, "the new limit");
    ok(late(0, 0, 0, 0), "what was counted for the old one is not its");

    give_up(0, CANARY, 301);
    give_up(1, CANARY, 299);
    ok(late(0, 1, 1, 1), "what comes then is");
    ok(relative->late[NGX_CANARY_TOTAL] == 7, "the other rule goes on");

    /* a worker is killed while it changes a limit */

    ngx_canary_late_change(zone, ABSOLUTE, UINT64_MAX);
    zone->late_from[CANARY][ABSOLUTE] = 0;
    ok(late(0, 0, 0, 0), "a change that is not complete: none");

    give_up(0, CANARY, 301);
    tick();
    give_up(0, CANARY, 301);
    ok(late(0, 1, 1, 1), "the next tick completes it");
}


int
main(void)
{
    if (!setup()) {
        return 2;
    }

    one_limit();
    scopes();
    another_limit();

    forget();
    free(zone);

    return tap_done();
}
