
#include "ngx_canary_keep.h"


#if (NGX_CANARY_SAVED_NAME < NGX_CANARY_MAX_EVENT_NAME                        \
     || NGX_CANARY_SAVED_EVENTS != NGX_CANARY_MAX_EVENTS                      \
     || NGX_CANARY_SAVED_SKETCH != 1 << NGX_CANARY_UNIQUE_BITS)
#error what is kept of an event differs from its place in the file
#endif


static void ngx_canary_saved_event(ngx_canary_events_t *events, ngx_uint_t e,
    uint64_t base, ngx_canary_saved_event_t *event);
static void ngx_canary_saved_figures(ngx_canary_events_t *events, ngx_uint_t e,
    ngx_uint_t v, uint64_t base, ngx_canary_saved_figures_t *f);
static void ngx_canary_saved_tally(ngx_canary_saved_tally_t *tally,
    ngx_canary_event_counts_t *counts, uint64_t max, uint64_t low);
static void ngx_canary_given_event(ngx_canary_events_t *events, ngx_uint_t e,
    ngx_canary_saved_event_t *event);
static void ngx_canary_given_figures(ngx_canary_events_t *events, ngx_uint_t e,
    ngx_uint_t v, ngx_canary_saved_figures_t *f);
static void ngx_canary_given_values(ngx_canary_events_t *events, ngx_uint_t e,
    ngx_uint_t v, ngx_canary_saved_figures_t *f);
static void ngx_canary_given_users(ngx_canary_events_t *events, ngx_uint_t e,
    ngx_uint_t v, ngx_canary_saved_figures_t *f);


ngx_int_t
ngx_canary_saved_events_take(ngx_canary_events_t *events, uint64_t base,
    ngx_canary_saved_t *saved)
{
    ngx_uint_t  e, n;

    n = 0;

    for (e = 0; e < NGX_CANARY_MAX_EVENTS; e++) {
        n += events->slots[e].used != 0;
    }

    if (n == 0) {
        return NGX_OK;
    }

    saved->events = ngx_canary_keep_alloc(n * sizeof(ngx_canary_saved_event_t));
    if (saved->events == NULL) {
        return NGX_ERROR;
    }

    for (e = 0; e < NGX_CANARY_MAX_EVENTS && saved->nevents < n; e++) {
        if (events->slots[e].used) {
            ngx_canary_saved_event(events, e, base,
                                   &saved->events[saved->nevents++]);
        }
    }

    return NGX_OK;
}


static void
ngx_canary_saved_event(ngx_canary_events_t *events, ngx_uint_t e,
    uint64_t base, ngx_canary_saved_event_t *event)
{
    ngx_uint_t                v;
    ngx_canary_event_slot_t  *slot;

    slot = &events->slots[e];

    event->used = slot->used;
    event->name.len = ngx_min(slot->len, NGX_CANARY_MAX_EVENT_NAME);
    ngx_memcpy(event->name.data, slot->data, event->name.len);

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
        ngx_canary_saved_figures(events, e, v, base, &event->figures[v]);
    }
}


static void
ngx_canary_saved_figures(ngx_canary_events_t *events, ngx_uint_t e,
    ngx_uint_t v, uint64_t base, ngx_canary_saved_figures_t *f)
{
    size_t                      from, to;
    uint64_t                    max, low;
    ngx_canary_event_cell_t    *cell;
    ngx_canary_event_counts_t   sum;

    ngx_canary_events_sum(events, e, v, &sum);

    if (sum.count == 0) {
        return;
    }

    cell = &events->cells[e][v];

    f->elapsed_us = ngx_canary_now_us() - ngx_max(events->created_us,
                                                  cell->since_us);
    f->last = ngx_canary_load(&cell->last);

    max = ngx_canary_events_extreme(&cell->past_max, cell->max);
    low = ngx_canary_events_extreme(&cell->past_low, cell->low);

    ngx_canary_saved_tally(&f->total, &sum, max, low);
    ngx_canary_saved_tally(&f->base, &events->base[base][e][v],
                           cell->max[base], cell->low[base]);

    if (ngx_canary_events_range(cell, &from, &to)) {
        ngx_canary_hist_copy(f->total.hist, events->hist[e][v], from, to);
        ngx_canary_hist_copy(f->base.hist, events->base_hist[base][e][v],
                             from, to);
    }

    if (ngx_canary_load(&cell->users)) {
        ngx_memcpy(f->total.sketch, events->users[e][v],
                   NGX_CANARY_SAVED_SKETCH);
        ngx_memcpy(f->base.sketch, events->stage_users[base][e][v],
                   NGX_CANARY_SAVED_SKETCH);
    }
}


static void
ngx_canary_saved_tally(ngx_canary_saved_tally_t *tally,
    ngx_canary_event_counts_t *counts, uint64_t max, uint64_t low)
{
    tally->count = counts->count;
    tally->nvalues = counts->nvalues;
    tally->sum_low = counts->sum_low;
    tally->sum_high = counts->sum_high;
    tally->max = max;
    tally->low = low;
}


/* a window begins here: its first step and slice are what was kept */

void
ngx_canary_saved_events_give(ngx_canary_events_t *events, uint64_t created_us,
    ngx_canary_saved_t *saved)
{
    ngx_uint_t  e;

    for (e = 0; e < NGX_CANARY_MAX_EVENTS; e++) {
        if (events->slots[e].used) {
            return;
        }
    }

    events->created_us = created_us;
    events->restored = 1;
    events->ring[0].time_us = ngx_canary_now_us();
    events->slice_us[0] = ngx_canary_now_us();

    for (e = 0; e < saved->nevents; e++) {
        ngx_canary_given_event(events, e, &saved->events[e]);
    }

    events->naming++;
    ngx_canary_ring_complete(&events->steps, &events->ring[0].mark,
                             ngx_canary_ring_take(&events->steps));
}


static void
ngx_canary_given_event(ngx_canary_events_t *events, ngx_uint_t e,
    ngx_canary_saved_event_t *event)
{
    ngx_uint_t                v;
    ngx_canary_event_slot_t  *slot;

    slot = &events->slots[e];

    slot->used = event->used;
    slot->len = ngx_min(event->name.len, NGX_CANARY_MAX_EVENT_NAME);
    ngx_memcpy(slot->data, event->name.data, slot->len);

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
        if (event->figures[v].total.count) {
            ngx_canary_given_figures(events, e, v, &event->figures[v]);
        }
    }
}


static void
ngx_canary_given_figures(ngx_canary_events_t *events, ngx_uint_t e,
    ngx_uint_t v, ngx_canary_saved_figures_t *f)
{
    ngx_canary_event_cell_t    *cell;
    ngx_canary_event_counts_t  *counts;

    counts = &events->shards[0][e][v];

    counts->count = f->total.count;
    counts->nvalues = f->total.nvalues;
    counts->sum_low = f->total.sum_low;
    counts->sum_high = f->total.sum_high;

    events->ring[0].counts[e][v] = *counts;

    counts = &events->base[0][e][v];

    counts->count = f->base.count;
    counts->nvalues = f->base.nvalues;
    counts->sum_low = f->base.sum_low;
    counts->sum_high = f->base.sum_high;

    cell = &events->cells[e][v];

    cell->last = f->last;
    cell->max[0] = f->base.max;
    cell->low[0] = f->base.low;
    cell->past_max = f->total.max;
    cell->past_low = f->total.low;
    cell->since_us = ngx_canary_now_us() - f->elapsed_us;

    ngx_canary_given_values(events, e, v, f);
    ngx_canary_given_users(events, e, v, f);
}


/* memory that is not needed stays untouched */

static void
ngx_canary_given_values(ngx_canary_events_t *events, ngx_uint_t e,
    ngx_uint_t v, ngx_canary_saved_figures_t *f)
{
    size_t  b, from, to;

    if (!ngx_canary_events_range(&events->cells[e][v], &from, &to)) {
        return;
    }

    for (b = from; b <= to; b++) {
        events->hist[e][v][b] = f->total.hist[b];
        events->base_hist[0][e][v][b] = f->base.hist[b];
        events->slice_hist[0][e][v][b] = (uint32_t) f->total.hist[b];
    }
}


static void
ngx_canary_given_users(ngx_canary_events_t *events, ngx_uint_t e,
    ngx_uint_t v, ngx_canary_saved_figures_t *f)
{
    size_t  i;

    for (i = 0; f->total.sketch[i] == 0; i++) {
        if (i == NGX_CANARY_SAVED_SKETCH - 1) {
            return;
        }
    }

    ngx_memcpy(events->users[e][v], f->total.sketch, NGX_CANARY_SAVED_SKETCH);
    ngx_memcpy(events->stage_users[0][e][v], f->base.sketch,
               NGX_CANARY_SAVED_SKETCH);

    events->cells[e][v].users = 1;
}
