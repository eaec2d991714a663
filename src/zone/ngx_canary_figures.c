
#include "ngx_canary_picture.h"


#define NGX_CANARY_EXTREMES  2          /* the least and the greatest */


static void ngx_canary_figures_counts(ngx_canary_picture_t *pic,
    ngx_canary_figures_t *f, ngx_canary_counts_t *base);
static void ngx_canary_figures_since(ngx_canary_picture_t *pic,
    ngx_canary_step_cell_t *cell);
static void ngx_canary_figures_latency(ngx_canary_picture_t *pic,
    ngx_canary_scope_e scope, uint64_t low_us, uint64_t max_us,
    ngx_canary_figures_t *f);


static const uint32_t
    ngx_canary_quantile_ppm[NGX_CANARY_QUANTILES + NGX_CANARY_EXTREMES] = {
    0, 500000, 900000, 950000, 990000, 999000, NGX_CANARY_PPM
};


void
ngx_canary_figures_total(ngx_canary_picture_t *pic, ngx_canary_figures_t *f)
{
    ngx_canary_sum_t  *sum;

    sum = pic->sum;

    f->elapsed_us = pic->now_us - pic->zone->created_us;

    ngx_canary_figures_counts(pic, f, NULL);

    pic->hist = sum->cell.hist;

    ngx_canary_figures_latency(pic, NGX_CANARY_TOTAL, sum->past_low_us,
                               sum->past_max_us, f);
}


void
ngx_canary_figures_stage(ngx_canary_picture_t *pic, ngx_canary_cell_t *base,
    ngx_uint_t s, ngx_canary_figures_t *f)
{
    ngx_canary_sum_t  *sum;

    sum = pic->sum;

    f->elapsed_us = pic->split->stage_elapsed_us;

    ngx_canary_figures_counts(pic, f, &base->counts);

    if (!(pic->split->want & NGX_CANARY_WANT_QUANTILES)) {
        return;
    }

    pic->hist = sum->cell.hist;

    ngx_canary_hist_subtract(pic->hist, base->hist, sum->from, sum->to);
    ngx_canary_figures_latency(pic, NGX_CANARY_STAGE, sum->cell.low_us[s],
                               sum->cell.max_us[s], f);
}


/* extremes cannot be subtracted: those of a window are middles of buckets */

void
ngx_canary_figures_window(ngx_canary_picture_t *pic, ngx_uint_t slot,
    ngx_canary_figures_t *f)
{
    uint64_t                 start_us;
    ngx_canary_sum_t        *sum;
    ngx_canary_step_cell_t  *cell;

    sum = pic->sum;
    start_us = pic->zone->created_us;
    cell = NULL;

    if (pic->step) {
        start_us = pic->step->time_us;

        /* the slot may have been another variant's at that time */

        if (start_us >= pic->zone->slot_us[slot]) {
            cell = &pic->step->cells[slot];
        }
    }

    f->elapsed_us = pic->now_us - start_us;

    ngx_canary_figures_counts(pic, f, cell ? &cell->counts : NULL);
    ngx_canary_figures_since(pic, cell);
    ngx_canary_figures_latency(pic, NGX_CANARY_WINDOW, sum->past_low_us,
                               sum->past_max_us, f);
}


/* the totals less those of the step, or themselves where it has none */

static void
ngx_canary_figures_since(ngx_canary_picture_t *pic,
    ngx_canary_step_cell_t *cell)
{
    size_t             from, to;
    ngx_canary_sum_t  *sum;

    sum = pic->sum;

    from = cell ? ngx_max(sum->from, cell->from) : 1;
    to = cell ? ngx_min(sum->to, cell->to) : 0;

    if (from > to) {
        pic->hist = sum->cell.hist;
        return;
    }

    pic->hist = pic->work;

    /* the step knew fewer buckets than there are now */

    if (from > sum->from) {
        ngx_canary_hist_copy(pic->work, sum->cell.hist, sum->from, from - 1);
    }

    ngx_canary_hist_since(pic->work, sum->cell.hist, cell->hist, from, to);

    if (to < sum->to) {
        ngx_canary_hist_copy(pic->work, sum->cell.hist, to + 1, sum->to);
    }
}


static void
ngx_canary_figures_counts(ngx_canary_picture_t *pic, ngx_canary_figures_t *f,
    ngx_canary_counts_t *base)
{
    uint64_t              from;
    ngx_uint_t            i;
    ngx_canary_counts_t  *sum, none;

    sum = &pic->sum->cell.counts;

    if (base == NULL) {
        ngx_memzero(&none, sizeof(ngx_canary_counts_t));
        base = &none;
    }

    f->requests = 0;

    for (i = 0; i < NGX_CANARY_COUNTS; i++) {
        f->counts[i] = sum->n[i] - base->n[i];
        f->requests += i < NGX_CANARY_CLASSES ? f->counts[i] : 0;
    }

    /* a request that is being counted may stand in one of them only */

    f->samples = f->requests
                 - ngx_min(ngx_canary_count(f, ABORTED), f->requests);

    ngx_memzero(&f->latency, sizeof(ngx_canary_latency_t));

    f->latency.sum_us = sum->sum_us - base->sum_us;

    /* what came before its limit was set is another limit's */

    for (i = 0; i < NGX_CANARY_LIMITS; i++) {
        from = ngx_canary_load(&pic->zone->late_from[pic->slot][i]);
        from = ngx_max(from, base->late[i]);

        pic->late[i] = sum->late[i] - ngx_min(from, sum->late[i]);
    }
}


/*
 * The latencies in pic->hist, of which none is beyond the extremes; low_us is
 * UINT64_MAX less the least of them, 0 if there is none.
 */

static void
ngx_canary_figures_latency(ngx_canary_picture_t *pic, ngx_canary_scope_e scope,
    uint64_t low_us, uint64_t max_us, ngx_canary_figures_t *f)
{
    size_t                 from, to;
    uint64_t               q[NGX_CANARY_QUANTILES + NGX_CANARY_EXTREMES];
    uint64_t               min_us;
    ngx_uint_t             exact, want;
    ngx_canary_split_t    *split;
    ngx_canary_latency_t  *latency;

    split = pic->split;
    want = split->want;
    latency = &f->latency;
    from = pic->sum->from;
    to = pic->sum->to;
    min_us = UINT64_MAX - low_us;
    exact = (scope != NGX_CANARY_WINDOW);

    ngx_memzero(q, sizeof(q));

    if (low_us && (!exact || (want & NGX_CANARY_WANT_QUANTILES))) {
        latency->count = ngx_canary_hist_quantiles(pic->hist, from, to, min_us,
                                                   max_us,
                                                   ngx_canary_quantile_ppm, q,
                                                   NGX_CANARY_QUANTILES
                                                   + NGX_CANARY_EXTREMES);
    }

    if (low_us && (want & NGX_CANARY_WANT_BOUNDS)
        && (scope == NGX_CANARY_TOTAL || split->nrules))
    {
        ngx_canary_hist_cumulate(pic->hist, from, to, split->le_us,
                                 latency->le, split->nle + 1);
        latency->count = latency->le[split->nle];
    }

    if (latency->count == 0) {
        latency->sum_us = 0;
        return;
    }

    latency->min_us = exact ? min_us : q[0];
    latency->max_us = exact ? max_us : q[NGX_CANARY_QUANTILES + 1];

    ngx_memcpy(latency->quantile_us, &q[1], sizeof(latency->quantile_us));
}


ngx_int_t
ngx_canary_figures_keep(ngx_canary_picture_t *pic, ngx_canary_scope_e scope,
    ngx_canary_latency_t *latency, ngx_pool_t *pool)
{
    uint64_t    *hist;
    ngx_uint_t   want;

    want = NGX_CANARY_WANT_BUCKETS;

    if (scope == NGX_CANARY_STAGE) {
        want |= NGX_CANARY_WANT_STAGE;
    }

    if (!(pic->split->want & want) || latency->count == 0) {
        return NGX_OK;
    }

    hist = ngx_pcalloc(pool, NGX_CANARY_HIST_BUCKETS * sizeof(uint64_t));
    if (hist == NULL) {
        return NGX_ERROR;
    }

    ngx_canary_hist_copy(hist, pic->hist, pic->sum->from, pic->sum->to);

    latency->hist = hist;

    return NGX_OK;
}
