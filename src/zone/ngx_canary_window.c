
#include "ngx_canary_events.h"


ngx_uint_t
ngx_canary_tick_claim(ngx_canary_zone_t *zone, uint64_t now_us)
{
    uint64_t  due, next;

    due = ngx_canary_load(&zone->tick_due_us);

    if (now_us < due) {
        return 0;
    }

    /* whole seconds, so that the ticks of all splits come together */

    next = now_us - now_us % NGX_CANARY_TICK_US + NGX_CANARY_TICK_US;

    return __atomic_compare_exchange_n(&zone->tick_due_us, &due, next, 0,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}


/*
 * A worker that was stopped in the middle completes a step with totals later
 * than its time, which only makes a window shorter.
 */

void
ngx_canary_step_add(ngx_canary_zone_t *zone, ngx_canary_event_plan_t *events,
    uint64_t window_us, ngx_uint_t first)
{
    uint64_t            now_us, next, number;
    ngx_uint_t          v, n;
    ngx_canary_sum_t   *sum;
    ngx_canary_step_t  *step;

    now_us = ngx_canary_now_us();
    next = ngx_canary_load(&zone->steps.next);

    if (next ? first : !first) {
        return;
    }

    if (next) {
        step = &zone->ring[(next - 1) % NGX_CANARY_STEPS];

        /* ticks are due each second, and may be a little late or early */

        if (now_us - step->time_us + NGX_CANARY_TICK_US / 2
            < ngx_canary_step_us(window_us))
        {
            return;
        }
    }

    sum = ngx_alloc(sizeof(ngx_canary_sum_t), ngx_cycle->log);
    if (sum == NULL) {
        return;
    }

    number = ngx_canary_ring_take(&zone->steps);
    n = number % NGX_CANARY_STEPS;

    step = &zone->ring[n];
    ngx_canary_store(&step->mark, 0);
    __atomic_thread_fence(__ATOMIC_RELEASE);

    step->unkeyed = ngx_canary_shards_sum(zone, unkeyed);

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {

        if (zone->slots[v].used == 0) {
            continue;
        }

        ngx_canary_tally_step(&zone->requests, v, n, sum);

        if (events) {
            ngx_canary_events_step(events, v, n, sum);
        }
    }

    ngx_free(sum);

    if (events) {
        ngx_canary_events_slice(events, number + 1);
    }

    /* what is counted from here on is surely not in it */

    step->time_us = ngx_canary_now_us();

    ngx_canary_ring_complete(&zone->steps, &step->mark, number);
}


uint64_t
ngx_canary_step_find(ngx_canary_zone_t *zone, uint64_t window_us,
    uint64_t now_us)
{
    uint64_t            n, next, oldest, found;
    ngx_canary_step_t  *step;

    next = ngx_canary_load(&zone->steps.next);
    oldest = next > NGX_CANARY_STEPS ? next - NGX_CANARY_STEPS : 0;
    found = NGX_CANARY_NO_STEP;

    for (n = next; n > oldest; /* void */ ) {
        step = &zone->ring[--n % NGX_CANARY_STEPS];

        if (!ngx_canary_ring_holds(&step->mark, n)) {
            continue;
        }

        found = n;

        if (step->time_us + window_us <= now_us) {
            break;
        }
    }

    return found;
}
