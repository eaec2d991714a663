/*
 * Stages that the master and a worker begin at the same time: whatever the
 * order, no base is filled while it is in force, and the one in force is that
 * which was filled last by whoever made it so.
 */

#include "../../../src/zone/ngx_canary_mutex.c"
#include "../../../src/zone/ngx_canary_publish.c"
#include "../../../src/zone/ngx_canary_stage.c"

#include "../tap.h"
#include "no_events.h"


#define STAGES  1000


static ngx_canary_zone_t   *zone;
static ngx_canary_target_t  target;
static ngx_canary_plan_t    plan;
static ngx_uint_t           generation, depth, wrong;
/* what comes in the middle of a worker's fill */
static ngx_uint_t           publishes;
/* by base: the fill that it holds */
static ngx_uint_t           fills, held[NGX_CANARY_BASES];
static ngx_cycle_t          cycle;
volatile ngx_cycle_t       *ngx_cycle = &cycle;


uint64_t
ngx_canary_now_us(void)
{
    return NGX_CANARY_EPOCH_US;
}


uint64_t
ngx_canary_now_ms(void)
{
    return 1;
}


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    (void) log;

    return malloc(size);
}


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    (void) level;
    (void) log;
    (void) err;
    (void) fmt;
}


u_char *
ngx_slprintf(u_char *buf, u_char *last, const char *fmt, ...)
{
    (void) last;
    (void) fmt;

    return buf;
}


u_char *
ngx_snprintf(u_char *buf, size_t max, const char *fmt, ...)
{
    (void) max;
    (void) fmt;

    return buf;
}


void
ngx_canary_journal_add(ngx_canary_zone_t *z, ngx_canary_kind_e kind,
    ngx_str_t *text)
{
    (void) z;
    (void) kind;
    (void) text;
}


ngx_uint_t
ngx_canary_latch_clear(ngx_canary_zone_t *z)
{
    (void) z;

    return 0;
}


void
ngx_canary_step_add(ngx_canary_zone_t *z, ngx_canary_event_plan_t *events,
    uint64_t window_us, ngx_uint_t first)
{
    (void) z;
    (void) events;
    (void) window_us;
    (void) first;
}


void
ngx_canary_tally_clear(ngx_canary_tally_t *tally, ngx_uint_t slot)
{
    (void) tally;
    (void) slot;

    abort();
}


void
ngx_canary_events_reset(ngx_canary_event_plan_t *events, ngx_uint_t slot)
{
    (void) events;
    (void) slot;

    abort();
}


/* another stage, or the same one once more */

static void
publish(ngx_uint_t stage)
{
    static u_char  name[2] = "a";

    name[0] = (u_char) (name[0] ^ (stage ? 1 : 0));
    plan.stage.data = name;
    plan.stage.len = 1;

    ngx_canary_publish(zone, &plan, ++generation, &cycle.new_log);
}


/* the first variant of each fill */

void
ngx_canary_tally_base(ngx_canary_tally_t *tally, ngx_uint_t slot,
    ngx_uint_t base, ngx_canary_sum_t *sum)
{
    ngx_uint_t  i, mine;
    uint64_t    word;

    (void) tally;
    (void) sum;

    if (slot) {
        return;
    }

    mine = ++fills;

    if (base >= NGX_CANARY_BASES) {
        wrong++;
        return;
    }

    if (depth == 0) {
        depth++;

        for (i = 0; i < publishes; i++) {
            publish(i % 3 != 2);
        }

        depth--;
    }

    word = zone->published;
    wrong += word && ngx_canary_base_at(word) == base;
    held[base] = mine;
}


/* a worker's, with so many publications in the middle */

static void
renew(ngx_uint_t n)
{
    zone->armed++;
    publishes = n;
    ngx_canary_stage_renew(zone, NULL);
    publishes = 0;
}


static ngx_uint_t
apart(void)
{
    uint64_t  base, spare;

    base = ngx_canary_base_at(zone->published);
    spare = ngx_canary_spare_at(zone->published);

    return base != spare && base < NGX_CANARY_BASES
           && spare < NGX_CANARY_BASES;
}


int
main(void)
{
    ngx_uint_t  i, lost, last;

    zone = calloc(1, sizeof(ngx_canary_zone_t));
    if (zone == NULL || ngx_canary_mutex_init(&zone->stage_mutex) != NGX_OK) {
        return 2;
    }

    target.name.data = (u_char *) "canary";
    target.name.len = 6;
    target.share_ppm = 50000;
    plan.split.data = (u_char *) "split";
    plan.split.len = 5;
    plan.ntargets = 1;
    plan.targets = &target;

    publish(0);
    ok(apart() && fills == 1, "the first stage");

    publish(0);
    is_u64(fills, 1, "the same once more fills nothing");

    publish(1);
    ok(apart() && held[ngx_canary_base_at(zone->published)] == 2,
       "another one is in force with what was filled for it");

    renew(0);
    ok(apart() && held[ngx_canary_base_at(zone->published)] == 3,
       "and so is one that a worker begins");
    is_u64(zone->stages[ngx_canary_base_at(zone->published)].armed, 1,
           "which knows that the split was re-armed");

    /* a worker that finds the word changed fills its base once more */

    last = fills;
    renew(1);
    is_u64(fills, last + 2, "a stage of the master's comes in the middle");
    ok(apart(), "and the worker has no more to do");

    lost = 0;

    for (i = 0; i < STAGES; i++) {
        renew(i % 7);
        lost += !apart();

        last = fills;
        publish(1);
        lost += held[ngx_canary_base_at(zone->published)] != last + 1;
    }

    is_u64(lost, 0, "each stage is that which was begun last");
    is_u64(wrong, 0, "no base was filled that was in force");

    free(zone);

    return tap_done();
}
