
#include "ngx_canary_zone.h"


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
 * A slot of the ring that was used before holds smaller totals of the same
 * variant, or those of a variant that is gone: their buckets are told apart by
 * "from" and "to".  A worker that was stopped in the middle completes a step
 * with totals later than its time, which only makes a window shorter.
 */

void
ngx_canary_step_add(ngx_canary_zone_t *zone, uint64_t window_us,
    ngx_uint_t first)
{
    size_t                   b;
    uint64_t                 now_us, next, number;
    ngx_uint_t               i, v;
    ngx_canary_sum_t        *sum;
    ngx_canary_step_t       *step;
    ngx_canary_step_cell_t  *cell;

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

    step = &zone->ring[number % NGX_CANARY_STEPS];
    ngx_canary_store(&step->mark, 0);

    step->unkeyed = 0;

    for (i = 0; i < zone->nshards; i++) {
        step->unkeyed += ngx_canary_load(&zone->shards[i].unkeyed);
    }

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {

        if (zone->slots[v].used == 0) {
            continue;
        }

        ngx_canary_sum(zone, v, sum);

        cell = &step->cells[v];

        cell->counts = sum->cell.counts;
        cell->from = sum->from;
        cell->to = sum->to;

        for (b = sum->from; b <= sum->to; b++) {
            cell->hist[b] = (uint32_t) sum->cell.hist[b];
        }
    }

    ngx_free(sum);

    /* what is counted from here on is surely not in it */

    step->time_us = ngx_canary_now_us();

    ngx_canary_ring_complete(&zone->steps, &step->mark, number);
}


ngx_canary_step_t *
ngx_canary_step_find(ngx_canary_zone_t *zone, uint64_t window_us,
    uint64_t now_us)
{
    uint64_t            n, next, oldest;
    ngx_canary_step_t  *step, *found;

    next = ngx_canary_load(&zone->steps.next);

    if (next == 0) {
        return NULL;
    }

    /* the slot behind the newest may be about to be written */

    oldest = next > NGX_CANARY_STEPS - 2 ? next - (NGX_CANARY_STEPS - 2) : 0;

    n = next - 1;
    found = &zone->ring[n % NGX_CANARY_STEPS];

    while (n > oldest && found->time_us + window_us > now_us) {
        step = &zone->ring[--n % NGX_CANARY_STEPS];

        if (ngx_canary_ring_holds(&step->mark, n)) {
            found = step;
        }
    }

    return found;
}
