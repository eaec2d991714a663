
#include "ngx_canary_picture.h"


static void ngx_canary_figures_since(ngx_canary_picture_t *pic,
    ngx_canary_step_cell_t *cell);
static void ngx_canary_figures_latency(ngx_canary_picture_t *pic,
    ngx_canary_scope_e scope, ngx_canary_latency_t *latency);


const ngx_canary_scope_e  ngx_canary_figures_scopes[NGX_CANARY_SCOPES] = {
    NGX_CANARY_TOTAL, NGX_CANARY_WINDOW, NGX_CANARY_STAGE
};


void
ngx_canary_figures_scope(ngx_canary_picture_t *pic, ngx_canary_tally_t *tally,
    ngx_canary_scope_e scope)
{
    ngx_uint_t               i;
    ngx_canary_sum_t        *sum;
    ngx_canary_step_cell_t  *cell;
    ngx_canary_base_cell_t  *begin;

    static const ngx_canary_counts_t   none;
    const ngx_canary_counts_t         *base;

    sum = pic->sum;
    base = &none;

    pic->hist = sum->cell.hist;
    pic->low = sum->past_low;
    pic->max = sum->past_max;

    switch (scope) {

    case NGX_CANARY_TOTAL:
        break;

    case NGX_CANARY_STAGE:
        begin = &tally->base[pic->base][pic->slot];
        base = &begin->counts;

        pic->low = sum->cell.low[pic->base];
        pic->max = sum->cell.max[pic->base];

        if (pic->split->want & NGX_CANARY_WANT_QUANTILES) {
            ngx_canary_hist_subtract(pic->hist, begin->hist, sum->from,
                                     sum->to);

        } else {
            pic->hist = NULL;
        }

        break;

    default:

        /* the slot may have been another variant's at that time */

        if (pic->step != NGX_CANARY_NO_STEP
            && pic->start_us[scope] >= tally->since_us[pic->slot])
        {
            cell = &tally->steps[pic->at][pic->slot];
            base = &cell->counts;
            ngx_canary_figures_since(pic, cell);
        }
    }

    for (i = 0; i < NGX_CANARY_TALLY; i++) {
        pic->n[i] = sum->cell.counts.n[i] - base->n[i];
    }
}


/* the totals less those of the step, or themselves where it has none */

static void
ngx_canary_figures_since(ngx_canary_picture_t *pic,
    ngx_canary_step_cell_t *cell)
{
    size_t             from, to;
    ngx_canary_sum_t  *sum;

    sum = pic->sum;

    from = ngx_max(sum->from, cell->from);
    to = ngx_min(sum->to, cell->to);

    if (from > to) {
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


/* extremes cannot be subtracted: those of a window are middles of buckets */

uint64_t
ngx_canary_figures_values(ngx_canary_picture_t *pic, ngx_canary_scope_e scope,
    uint64_t *min, uint64_t *max, uint64_t *quantile)
{
    uint64_t    q[NGX_CANARY_HIST_SHOWN], count;
    ngx_uint_t  exact;

    if (pic->low == 0 || pic->hist == NULL) {
        return 0;
    }

    count = ngx_canary_hist_quantiles(pic->hist, pic->sum->from, pic->sum->to,
                                      UINT64_MAX - pic->low, pic->max,
                                      ngx_canary_hist_ppm, q,
                                      NGX_CANARY_HIST_SHOWN);
    if (count == 0) {
        return 0;
    }

    exact = (scope != NGX_CANARY_WINDOW);

    *min = exact ? UINT64_MAX - pic->low : q[0];
    *max = exact ? pic->max : q[NGX_CANARY_HIST_SHOWN - 1];

    ngx_memcpy(quantile, &q[1], NGX_CANARY_QUANTILES * sizeof(uint64_t));

    return count;
}


void
ngx_canary_figures_requests(ngx_canary_picture_t *pic, ngx_canary_scope_e scope,
    ngx_canary_figures_t *f)
{
    ngx_uint_t  i;

    f->elapsed_us = pic->now_us - pic->start_us[scope];
    f->requests = 0;

    for (i = 0; i < NGX_CANARY_COUNTS; i++) {
        f->counts[i] = pic->n[i];
        f->requests += i < NGX_CANARY_CLASSES ? pic->n[i] : 0;
    }

    /* a request that is being counted may stand in one of them only */

    f->samples = f->requests
                 - ngx_min(ngx_canary_count(f, ABORTED), f->requests);

    ngx_memzero(&f->latency, sizeof(ngx_canary_latency_t));
    ngx_canary_figures_latency(pic, scope, &f->latency);
}


static void
ngx_canary_figures_latency(ngx_canary_picture_t *pic, ngx_canary_scope_e scope,
    ngx_canary_latency_t *latency)
{
    ngx_uint_t           want;
    ngx_canary_split_t  *split;

    split = pic->split;
    want = split->want;

    if (scope == NGX_CANARY_WINDOW || (want & NGX_CANARY_WANT_QUANTILES)) {
        latency->count = ngx_canary_figures_values(pic, scope,
                                                   &latency->min_us,
                                                   &latency->max_us,
                                                   latency->quantile_us);
    }

    if (pic->low && (want & NGX_CANARY_WANT_BOUNDS)
        && (scope == NGX_CANARY_TOTAL || split->nrules))
    {
        ngx_canary_hist_cumulate(pic->hist, pic->sum->from, pic->sum->to,
                                 split->le_us, latency->le, split->nle + 1);
        latency->count = latency->le[split->nle];
    }

    if (latency->count) {
        latency->sum_us = pic->n[NGX_CANARY_TALLY_SUM];
    }
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
