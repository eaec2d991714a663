
#include "ngx_canary_events.h"


static void ngx_canary_events_step(ngx_canary_events_t *events,
    uint64_t length_us, uint64_t now_us);
static void ngx_canary_events_slice(ngx_canary_events_t *events,
    uint64_t length_us, uint64_t now_us);


void
ngx_canary_events_tick(ngx_canary_events_t *events, uint64_t window_us)
{
    uint64_t  now_us;

    now_us = ngx_canary_now_us();

    ngx_canary_events_step(events, ngx_canary_step_us(window_us), now_us);
    ngx_canary_events_slice(events, ngx_canary_step_us(window_us), now_us);
}


/* ticks are due each second, and may be a little late or early */

static void
ngx_canary_events_step(ngx_canary_events_t *events, uint64_t length_us,
    uint64_t now_us)
{
    uint64_t                  next, number;
    ngx_uint_t                e, v;
    ngx_canary_event_step_t  *step;

    next = ngx_canary_load(&events->steps.next);

    if (next) {
        step = &events->ring[(next - 1) % NGX_CANARY_STEPS];

        if (now_us - step->time_us + NGX_CANARY_TICK_US / 2 < length_us) {
            return;
        }
    }

    number = ngx_canary_ring_take(&events->steps);

    step = &events->ring[number % NGX_CANARY_STEPS];
    ngx_canary_store(&step->mark, 0);

    for (e = 0; e < NGX_CANARY_MAX_EVENTS; e++) {

        if (events->slots[e].used == 0) {
            continue;
        }

        for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
            ngx_canary_events_sum(events, e, v, &step->counts[e][v]);
        }
    }

    /* what is counted from here on is surely not in it */

    step->time_us = ngx_canary_now_us();

    ngx_canary_ring_complete(&events->steps, &step->mark, number);
}


/*
 * A slice that is used again holds smaller totals of the same buckets, which
 * are overwritten, and the users of a window long ago, which are cleared.
 */

static void
ngx_canary_events_slice(ngx_canary_events_t *events, uint64_t length_us,
    uint64_t now_us)
{
    size_t                    b, from, to;
    uint32_t                 *hist;
    uint64_t                  last, number;
    ngx_uint_t                e, v, next;
    ngx_canary_event_cell_t  *cell;

    last = ngx_canary_load(&events->slices.next) - 1;

    if (now_us - events->slice_us[last % NGX_CANARY_SLICES]
        + NGX_CANARY_TICK_US / 2 < length_us)
    {
        return;
    }

    number = ngx_canary_ring_take(&events->slices);
    next = number % NGX_CANARY_SLICES;

    ngx_canary_store(&events->slice_mark[next], 0);

    for (e = 0; e < NGX_CANARY_MAX_EVENTS; e++) {
        for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
            cell = &events->cells[e][v];

            if (ngx_canary_load(&cell->users)) {
                ngx_memzero(events->slice_users[next][e][v],
                            sizeof(ngx_canary_sketch_t));
            }

            if (ngx_canary_events_range(cell, &from, &to)) {
                hist = events->slice_hist[next][e][v];

                for (b = from; b <= to; b++) {
                    hist[b] = (uint32_t)
                                      ngx_canary_load(&events->hist[e][v][b]);
                }
            }
        }
    }

    events->slice_us[next] = now_us;

    ngx_canary_ring_complete(&events->slices, &events->slice_mark[next],
                             number);
}


/*
 * The totals of this moment into the base that is not in use, and the extremes
 * of the stage before last, which had that index, into those of the past.
 */

void
ngx_canary_events_base(ngx_canary_events_t *events, uint64_t base)
{
    size_t                    b, from, to;
    ngx_uint_t                e, v;
    ngx_canary_event_cell_t  *cell;

    for (e = 0; e < NGX_CANARY_MAX_EVENTS; e++) {
        for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
            cell = &events->cells[e][v];

            ngx_canary_events_sum(events, e, v, &events->base[base][e][v]);

            if (ngx_canary_load(&cell->users)) {
                ngx_memzero(events->stage_users[base][e][v],
                            sizeof(ngx_canary_sketch_t));
            }

            if (!ngx_canary_events_range(cell, &from, &to)) {
                continue;
            }

            for (b = from; b <= to; b++) {
                events->base_hist[base][e][v][b] =
                                       ngx_canary_load(&events->hist[e][v][b]);
            }

            ngx_canary_raise(&cell->past_max,
                             ngx_canary_load(&cell->max[base]));
            ngx_canary_raise(&cell->past_low,
                             ngx_canary_load(&cell->low[base]));

            ngx_canary_store(&cell->max[base], 0);
            ngx_canary_store(&cell->low[base], 0);
        }
    }
}


void
ngx_canary_events_reset(ngx_canary_events_t *events, ngx_uint_t slot)
{
    ngx_uint_t  e;

    for (e = 0; e < NGX_CANARY_MAX_EVENTS; e++) {
        ngx_canary_events_clear(events, e, slot);
    }
}


/* what was never used stays untouched, and costs no memory */

void
ngx_canary_events_clear(ngx_canary_events_t *events, ngx_uint_t event,
    ngx_uint_t slot)
{
    size_t                    from, to;
    ngx_uint_t                i, e, v;
    ngx_canary_event_cell_t  *cell;

    e = event;
    v = slot;
    cell = &events->cells[e][v];

    for (i = 0; i < events->nshards; i++) {
        ngx_memzero(&events->shards[i][e][v],
                    sizeof(ngx_canary_event_counts_t));
    }

    for (i = 0; i < NGX_CANARY_BASES; i++) {
        ngx_memzero(&events->base[i][e][v], sizeof(ngx_canary_event_counts_t));
    }

    if (cell->users) {
        ngx_memzero(events->users[e][v], sizeof(ngx_canary_sketch_t));

        for (i = 0; i < NGX_CANARY_BASES; i++) {
            ngx_memzero(events->stage_users[i][e][v],
                        sizeof(ngx_canary_sketch_t));
        }

        for (i = 0; i < NGX_CANARY_SLICES; i++) {
            ngx_memzero(events->slice_users[i][e][v],
                        sizeof(ngx_canary_sketch_t));
        }
    }

    if (ngx_canary_events_range(cell, &from, &to)) {
        to -= from - 1;

        ngx_memzero(&events->hist[e][v][from], to * sizeof(uint64_t));

        for (i = 0; i < NGX_CANARY_BASES; i++) {
            ngx_memzero(&events->base_hist[i][e][v][from],
                        to * sizeof(uint64_t));
        }

        for (i = 0; i < NGX_CANARY_SLICES; i++) {
            ngx_memzero(&events->slice_hist[i][e][v][from],
                        to * sizeof(uint32_t));
        }
    }

    ngx_memzero(cell, sizeof(ngx_canary_event_cell_t));

    cell->since_us = ngx_canary_now_us();
}


void
ngx_canary_events_sum(ngx_canary_events_t *events, ngx_uint_t event,
    ngx_uint_t slot, ngx_canary_event_counts_t *sum)
{
    ngx_uint_t                  i;
    ngx_canary_event_counts_t  *counts, all;

    ngx_memzero(&all, sizeof(ngx_canary_event_counts_t));

    for (i = 0; i < events->nshards; i++) {
        counts = &events->shards[i][event][slot];

        all.count += ngx_canary_load(&counts->count);
        all.nvalues += ngx_canary_load(&counts->nvalues);
        all.sum_low += ngx_canary_load(&counts->sum_low);
        all.sum_high += ngx_canary_load(&counts->sum_high);
    }

    *sum = all;
}


ngx_uint_t
ngx_canary_events_range(ngx_canary_event_cell_t *cell, size_t *from,
    size_t *to)
{
    uint64_t  low, max;

    low = ngx_canary_events_extreme(&cell->past_low, cell->low);

    if (low == 0) {
        return 0;
    }

    max = ngx_canary_events_extreme(&cell->past_max, cell->max);

    *from = ngx_canary_hist_index(UINT64_MAX - low);
    *to = ngx_canary_hist_index(max);

    return 1;
}


/*
 * Of the stages before and of each base.  A stage that ends is folded into the
 * past before it is cleared, so the past is read last.
 */

uint64_t
ngx_canary_events_extreme(uint64_t *past, uint64_t *by_base)
{
    uint64_t    value, extreme;
    ngx_uint_t  i;

    extreme = 0;

    for (i = 0; i < NGX_CANARY_BASES; i++) {
        value = ngx_canary_load(&by_base[i]);
        extreme = ngx_max(extreme, value);
    }

    value = ngx_canary_load(past);

    return ngx_max(extreme, value);
}
