
/*
 * A stage is what the totals grew by since its base.  The master begins one
 * with new shares, a worker begins the one in force anew once the split was
 * re-armed.  Both fill a base that is not in force and then swap the published
 * word; whoever is killed before has changed nothing.
 *
 * The master and the workers have a base each that is not in force, and get the
 * one that was for it.  A worker that finds the word changed by the master
 * repeats its work.
 */

#include "ngx_canary_events.h"
#include "ngx_canary_mutex.h"


static ngx_uint_t ngx_canary_stage_due(ngx_canary_zone_t *zone, uint64_t word);


ngx_int_t
ngx_canary_stage_fill(ngx_canary_zone_t *zone, ngx_canary_event_plan_t *events,
    uint64_t base)
{
    ngx_uint_t           v;
    ngx_canary_sum_t    *sum;
    ngx_canary_stage_t  *stage;

    sum = ngx_alloc(sizeof(ngx_canary_sum_t), ngx_cycle->log);
    if (sum == NULL) {
        return NGX_ERROR;
    }

    stage = &zone->stages[base];

    stage->armed = ngx_canary_load(&zone->armed);
    stage->start_ms = ngx_canary_now_ms();
    stage->start_us = ngx_canary_now_us();

    zone->base_unkeyed[base] = ngx_canary_shards_sum(zone, unkeyed);

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {

        if (zone->slots[v].used == 0) {
            continue;
        }

        ngx_canary_tally_base(&zone->requests, v, base, sum);

        if (events) {
            ngx_canary_events_base(events, v, base, sum);
        }
    }

    ngx_free(sum);

    return NGX_OK;
}


void
ngx_canary_stage_renew(ngx_canary_zone_t *zone, ngx_canary_event_plan_t *events)
{
    uint64_t  word, next, base, spare;

    word = ngx_canary_load(&zone->published);

    if (!ngx_canary_stage_due(zone, word)) {
        return;
    }

    /* what a dead one was filling is not in force, and filled anew */

    if (!ngx_canary_mutex_try(&zone->stage_mutex)) {
        return;
    }

    word = ngx_canary_load(&zone->published);

    while (ngx_canary_stage_due(zone, word)) {
        /* 0, 1 and 2: the third of them */

        spare = ngx_canary_spare_at(word);
        base = NGX_CANARY_BASES - spare - ngx_canary_base_at(word);

        if (ngx_canary_stage_fill(zone, events, base) != NGX_OK) {
            break;
        }

        next = ngx_canary_word(ngx_canary_number(word) + 1,
                               ngx_canary_record_at(word), spare, base);

        /* on failure "word" is the one that the master published */

        if (__atomic_compare_exchange_n(&zone->published, &word, next, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        {
            break;
        }
    }

    ngx_canary_mutex_free(&zone->stage_mutex);
}


/* the stage in force began before the split was re-armed */

static ngx_uint_t
ngx_canary_stage_due(ngx_canary_zone_t *zone, uint64_t word)
{
    return word != 0
           && zone->stages[ngx_canary_base_at(word)].armed
              != ngx_canary_load(&zone->armed);
}
