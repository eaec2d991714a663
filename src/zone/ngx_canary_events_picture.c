
#include "ngx_canary_events_picture.h"


static void ngx_canary_events_figures(ngx_canary_events_picture_t *pic,
    ngx_canary_event_plan_t *plan);
static void ngx_canary_events_window(ngx_canary_events_picture_t *pic);
static void ngx_canary_events_place(ngx_canary_events_picture_t *pic,
    ngx_uint_t event, ngx_uint_t slot);
static void ngx_canary_events_total(ngx_canary_events_picture_t *pic,
    ngx_canary_event_figures_t *f);
static void ngx_canary_events_stage(ngx_canary_events_picture_t *pic,
    ngx_canary_event_figures_t *f);
static void ngx_canary_events_recent(ngx_canary_events_picture_t *pic,
    ngx_canary_event_figures_t *f);
static void ngx_canary_events_counts(ngx_canary_events_picture_t *pic,
    ngx_canary_event_counts_t *base, uint64_t start_us,
    ngx_canary_event_figures_t *f);
static void ngx_canary_events_values(ngx_canary_events_picture_t *pic,
    uint64_t low, uint64_t max, ngx_uint_t exact,
    ngx_canary_event_figures_t *f);
static void ngx_canary_events_users(ngx_canary_events_picture_t *pic,
    ngx_uint_t scope, ngx_canary_event_figures_t *f);


/* the least, the quantiles and the greatest */
static const uint32_t  ngx_canary_events_ppm[NGX_CANARY_QUANTILES + 2] = {
    0, 500000, 900000, 950000, 990000, 999000, NGX_CANARY_PPM
};


ngx_int_t
ngx_canary_events_picture(ngx_canary_event_plan_t *plan,
    ngx_canary_zone_t *zone, ngx_canary_split_t *split, ngx_pool_t *pool)
{
    uint64_t                      word;
    ngx_uint_t                    tries;
    ngx_canary_events_picture_t   pic;

    split->events = ngx_palloc(pool,
                               plan->nnames * sizeof(ngx_canary_event_t));
    pic.work = ngx_palloc(pool, NGX_CANARY_HIST_BUCKETS * sizeof(uint64_t));

    if (split->events == NULL || pic.work == NULL) {
        return NGX_ERROR;
    }

    split->nevents = plan->nnames;

    pic.events = plan->events;
    pic.zone = zone;
    pic.split = split;

    /* once more if a stage began meanwhile: its base is filled anew in time */

    for (tries = 0; tries < NGX_CANARY_READ_TRIES; tries++) {
        word = ngx_canary_published(zone, &pic.record);
        pic.base = ngx_canary_base_at(word);

        ngx_canary_events_figures(&pic, plan);

        if (ngx_canary_load(&zone->published) == word) {
            break;
        }
    }

    ngx_canary_events_ratios(split);

    return NGX_OK;
}


static void
ngx_canary_events_figures(ngx_canary_events_picture_t *pic,
    ngx_canary_event_plan_t *plan)
{
    ngx_int_t                    n;
    ngx_uint_t                   i, v, s;
    ngx_canary_event_t          *event;
    ngx_canary_split_t          *split;
    ngx_canary_event_figures_t  *f;

    split = pic->split;

    pic->now_us = ngx_canary_now_us();
    ngx_canary_events_window(pic);

    for (i = 0; i < plan->nnames; i++) {
        event = &split->events[i];

        ngx_memzero(event, sizeof(ngx_canary_event_t));

        event->name.len = plan->names[i].name.len;
        event->name.data = plan->names[i].name.data;
        event->unique = plan->names[i].unique;
        event->value = plan->names[i].value;

        n = ngx_canary_events_find(plan->events, &plan->names[i].name);

        for (v = 0; n != NGX_ERROR && v < split->nvariants; v++) {
            ngx_canary_events_place(pic, n, split->variants[v].slot);

            for (s = 0; s < NGX_CANARY_SCOPES; s++) {
                f = &event->figures[v][s];

                switch (s) {

                case NGX_CANARY_TOTAL:
                    ngx_canary_events_total(pic, f);
                    break;

                case NGX_CANARY_STAGE:
                    ngx_canary_events_stage(pic, f);
                    break;

                default:
                    ngx_canary_events_recent(pic, f);
                }

                if (event->unique && (split->want & NGX_CANARY_WANT_USERS)) {
                    ngx_canary_events_users(pic, s, f);
                }

                ngx_canary_events_trials(pic, i, v, s);
            }
        }
    }
}


/*
 * Where the window begins: of the steps, and of the slices, the newest that is
 * at least as old as the window is long, else all that there is.
 */

static void
ngx_canary_events_window(ngx_canary_events_picture_t *pic)
{
    uint64_t                  n, oldest, window_us;
    ngx_canary_events_t      *events;
    ngx_canary_event_step_t  *step, *found;

    events = pic->events;
    window_us = pic->split->window_us;

    pic->step = NULL;
    pic->start_us = events->created_us;

    n = ngx_canary_load(&events->steps.next);

    /* the one behind the newest may be about to be written */

    oldest = n > NGX_CANARY_STEPS - 2 ? n - (NGX_CANARY_STEPS - 2) : 0;
    found = NULL;

    while (n > oldest
           && (found == NULL || found->time_us + window_us > pic->now_us))
    {
        step = &events->ring[--n % NGX_CANARY_STEPS];

        if (ngx_canary_ring_holds(&step->mark, n)) {
            found = step;
        }
    }

    /* the oldest one also begins a window that is longer than the ring */

    if (found
        && (found->time_us + window_us <= pic->now_us
            || oldest > 0 || events->restored))
    {
        pic->step = found;
        pic->start_us = found->time_us;
    }

    n = ngx_canary_load(&events->slices.next) - 1;
    oldest = n > NGX_CANARY_WINDOW_SLICES ? n - NGX_CANARY_WINDOW_SLICES : 0;
    pic->slice = n;

    while (n > oldest
           && events->slice_us[pic->slice % NGX_CANARY_SLICES] + window_us
              > pic->now_us)
    {
        n--;

        if (ngx_canary_ring_holds(&events->slice_mark[n % NGX_CANARY_SLICES],
                                  n))
        {
            pic->slice = n;
        }
    }
}


static void
ngx_canary_events_place(ngx_canary_events_picture_t *pic, ngx_uint_t event,
    ngx_uint_t slot)
{
    ngx_canary_event_cell_t  *cell;

    cell = &pic->events->cells[event][slot];

    pic->event = event;
    pic->slot = slot;
    pic->since_us = ngx_max(pic->events->created_us, cell->since_us);

    ngx_canary_events_sum(pic->events, event, slot, &pic->sum);

    pic->valued = ngx_canary_events_range(cell, &pic->from, &pic->to);
    pic->low = ngx_canary_events_extreme(&cell->past_low, cell->low);
    pic->max = ngx_canary_events_extreme(&cell->past_max, cell->max);
}


static void
ngx_canary_events_total(ngx_canary_events_picture_t *pic,
    ngx_canary_event_figures_t *f)
{
    ngx_canary_events_counts(pic, NULL, pic->since_us, f);

    if (pic->valued) {
        ngx_canary_hist_copy(pic->work,
                             pic->events->hist[pic->event][pic->slot],
                             pic->from, pic->to);
        ngx_canary_events_values(pic, pic->low, pic->max, 1, f);
    }
}


static void
ngx_canary_events_stage(ngx_canary_events_picture_t *pic,
    ngx_canary_event_figures_t *f)
{
    ngx_uint_t                e, v, base;
    ngx_canary_events_t      *events;
    ngx_canary_event_cell_t  *cell;

    events = pic->events;
    e = pic->event;
    v = pic->slot;
    base = pic->base;

    ngx_canary_events_counts(pic, &events->base[base][e][v],
                             pic->zone->stages[base].start_us, f);

    if (pic->valued) {
        cell = &events->cells[e][v];

        ngx_canary_hist_copy(pic->work, events->hist[e][v], pic->from, pic->to);
        ngx_canary_hist_subtract(pic->work, events->base_hist[base][e][v],
                                 pic->from, pic->to);
        ngx_canary_events_values(pic, cell->low[base], cell->max[base], 1, f);
    }
}


/* extremes cannot be subtracted: those of a window are middles of buckets */

static void
ngx_canary_events_recent(ngx_canary_events_picture_t *pic,
    ngx_canary_event_figures_t *f)
{
    ngx_uint_t                  e, v, slice;
    ngx_canary_events_t        *events;
    ngx_canary_event_counts_t  *base;

    events = pic->events;
    e = pic->event;
    v = pic->slot;
    slice = pic->slice % NGX_CANARY_SLICES;

    base = NULL;

    /* the event or the variant may have been another one at that time */

    if (pic->step && pic->step->time_us >= pic->since_us) {
        base = &pic->step->counts[e][v];
    }

    ngx_canary_events_counts(pic, base, pic->start_us, f);

    if (!pic->valued) {
        return;
    }

    ngx_canary_hist_copy(pic->work, events->hist[e][v], pic->from, pic->to);

    if (events->slice_us[slice] >= pic->since_us) {
        ngx_canary_hist_since(pic->work, pic->work,
                              events->slice_hist[slice][e][v], pic->from,
                              pic->to);
    }

    ngx_canary_events_values(pic, pic->low, pic->max, 0, f);
}


static void
ngx_canary_events_counts(ngx_canary_events_picture_t *pic,
    ngx_canary_event_counts_t *base, uint64_t start_us,
    ngx_canary_event_figures_t *f)
{
    ngx_canary_event_sum_t     sum;
    ngx_canary_event_counts_t  none;

    if (base == NULL) {
        ngx_memzero(&none, sizeof(ngx_canary_event_counts_t));
        base = &none;
    }

    start_us = ngx_max(start_us, pic->since_us);

    f->elapsed_us = pic->now_us > start_us ? pic->now_us - start_us : 0;
    f->count = pic->sum.count - base->count;
    f->nvalues = pic->sum.nvalues - base->nvalues;

    sum = ngx_canary_event_sum(&pic->sum) - ngx_canary_event_sum(base);
    f->sum = sum > UINT64_MAX ? UINT64_MAX : (uint64_t) sum;

    if (f->nvalues) {
        f->mean = (uint64_t) (sum * 1000 / f->nvalues);
        f->last = ngx_canary_load(&pic->events->cells[pic->event][pic->slot]
                                  .last);
    }
}


/* of the values in pic->work; "low" is UINT64_MAX less the least of them */

static void
ngx_canary_events_values(ngx_canary_events_picture_t *pic, uint64_t low,
    uint64_t max, ngx_uint_t exact, ngx_canary_event_figures_t *f)
{
    uint64_t  q[NGX_CANARY_QUANTILES + 2];

    f->ncounted = ngx_canary_hist_quantiles(pic->work, pic->from, pic->to,
                                            UINT64_MAX - low, max,
                                            ngx_canary_events_ppm, q,
                                            NGX_CANARY_QUANTILES + 2);
    if (f->ncounted == 0) {
        return;
    }

    f->min = exact ? UINT64_MAX - low : q[0];
    f->max = exact ? max : q[NGX_CANARY_QUANTILES + 1];

    ngx_memcpy(f->quantile, &q[1], sizeof(f->quantile));
}


static void
ngx_canary_events_users(ngx_canary_events_picture_t *pic, ngx_uint_t scope,
    ngx_canary_event_figures_t *f)
{
    uint64_t              n, next;
    ngx_uint_t            e, v, s;
    ngx_canary_events_t  *events;
    ngx_canary_sketch_t   sketch;

    events = pic->events;
    e = pic->event;
    v = pic->slot;

    if (ngx_canary_load(&events->cells[e][v].users) == 0) {
        return;
    }

    switch (scope) {

    case NGX_CANARY_TOTAL:
        f->unique = ngx_canary_unique_estimate(events->users[e][v]);
        return;

    case NGX_CANARY_STAGE:
        f->unique = ngx_canary_unique_estimate(
                              events->stage_users[pic->base][e][v]);
        return;
    }

    ngx_memzero(sketch, sizeof(ngx_canary_sketch_t));

    next = ngx_canary_load(&events->slices.next);

    for (n = pic->slice; n < next; n++) {
        s = n % NGX_CANARY_SLICES;

        if (ngx_canary_ring_holds(&events->slice_mark[s], n)) {
            ngx_canary_unique_merge(sketch, events->slice_users[s][e][v]);
        }
    }

    f->unique = ngx_canary_unique_estimate(sketch);
}
