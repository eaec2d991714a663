
#include "ngx_canary_zone.h"


/* sums and room to work in, taken once for all variants */
typedef struct {
    ngx_canary_zone_t    *zone;
    ngx_canary_split_t   *split;
    ngx_canary_record_t   record;
    ngx_canary_cell_t    *sum;
    uint64_t              now_us;
    size_t                from;         /* buckets in use */
    size_t                to;
} ngx_canary_picture_t;


static ngx_int_t ngx_canary_picture_split(ngx_canary_picture_t *pic,
    ngx_pool_t *pool);
static ngx_int_t ngx_canary_picture_state(ngx_canary_picture_t *pic,
    ngx_pool_t *pool);
static ngx_int_t ngx_canary_picture_variant(ngx_canary_picture_t *pic,
    ngx_uint_t slot, uint32_t share_ppm, ngx_pool_t *pool);
static void ngx_canary_picture_hist(ngx_canary_picture_t *pic,
    ngx_uint_t slot, uint64_t used);
static void ngx_canary_picture_figures(ngx_canary_picture_t *pic,
    ngx_canary_cell_t *base, uint64_t low_us, uint64_t max_us,
    ngx_canary_figures_t *f);
static ngx_int_t ngx_canary_picture_copy(ngx_canary_str_t *dst, u_char *data,
    size_t len, ngx_pool_t *pool);


static const uint32_t  ngx_canary_quantile_ppm[NGX_CANARY_QUANTILES] = {
    500000, 900000, 950000, 990000, 999000
};


ngx_int_t
ngx_canary_picture(ngx_canary_zone_t *zone, ngx_canary_split_t *split,
    ngx_pool_t *pool)
{
    uint64_t              number;
    ngx_uint_t            tries;
    ngx_canary_picture_t  pic;

    pic.zone = zone;
    pic.split = split;

    pic.sum = ngx_palloc(pool, sizeof(ngx_canary_cell_t));
    if (pic.sum == NULL) {
        return NGX_ERROR;
    }

    /* once more if a reload came in between, so that all of it fits together */

    for (tries = 0; tries < 3; tries++) {
        number = ngx_canary_published(zone, &pic.record);

        if (ngx_canary_picture_split(&pic, pool) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_canary_load(&zone->published) == number) {
            break;
        }
    }

    return ngx_canary_journal_read(zone, split, pool);
}


static ngx_int_t
ngx_canary_picture_split(ngx_canary_picture_t *pic, ngx_pool_t *pool)
{
    uint32_t              rest;
    ngx_uint_t            i;
    ngx_canary_zone_t    *zone;
    ngx_canary_split_t   *split;
    ngx_canary_record_t  *record;

    zone = pic->zone;
    split = pic->split;
    record = &pic->record;

    pic->now_us = ngx_canary_now_us();

    split->generation = record->generation;
    split->created_ms = zone->created_ms;
    split->verdict = NGX_CANARY_VERDICT_PENDING;
    split->stage_start_ms = record->stage_start_ms;
    split->stage_elapsed_us = pic->now_us - record->stage_start_us;
    split->unkeyed = 0;
    split->windowed = 0;
    split->nvariants = 0;

    for (i = 0; i < zone->nshards; i++) {
        split->unkeyed += ngx_canary_load(&zone->shards[i].unkeyed);
    }

    for (i = 0; i < NGX_CANARY_CAUSES; i++) {
        split->rollbacks[i] = ngx_canary_load(&zone->rollbacks[i]);
    }

    if (ngx_canary_picture_state(pic, pool) != NGX_OK
        || ngx_canary_picture_copy(&split->stage, record->stage,
                                   record->stage_len, pool)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    rest = NGX_CANARY_PPM;

    for (i = 0; i < record->ncanaries; i++) {
        rest -= record->canaries[i].share_ppm;
    }

    if (ngx_canary_picture_variant(pic, NGX_CANARY_BASELINE, rest, pool)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < record->ncanaries; i++) {
        if (ngx_canary_picture_variant(pic, record->canaries[i].slot,
                                       record->canaries[i].share_ppm, pool)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_canary_picture_state(ngx_canary_picture_t *pic, ngx_pool_t *pool)
{
    uint64_t             ticket;
    ngx_uint_t           i;
    ngx_canary_split_t  *split;
    ngx_canary_latch_t  *latch;

    split = pic->split;

    split->state = NGX_CANARY_STATE_OFF;
    split->reason.len = 0;
    split->reason.data = (u_char *) "";

    for (i = 0; i < pic->record.ncanaries; i++) {
        if (!pic->record.canaries[i].off) {
            split->state = NGX_CANARY_STATE_ACTIVE;
        }
    }

    ticket = ngx_canary_load(&pic->zone->latch);

    if (ticket == 0) {
        return NGX_OK;
    }

    split->state = NGX_CANARY_STATE_ROLLED_BACK;
    split->verdict = NGX_CANARY_VERDICT_ROLLBACK;

    latch = &pic->zone->reasons[ticket % NGX_CANARY_MAX_LATCHES];

    return ngx_canary_picture_copy(&split->reason, latch->reason.data,
                                   ngx_min(latch->reason.len,
                                           NGX_CANARY_MAX_TEXT),
                                   pool);
}


static ngx_int_t
ngx_canary_picture_variant(ngx_canary_picture_t *pic, ngx_uint_t slot,
    uint32_t share_ppm, ngx_pool_t *pool)
{
    uint64_t               base, max_us[2], low_us[2], total_max, total_low;
    uint64_t               used;
    ngx_uint_t             i, s;
    ngx_canary_cell_t     *cell, *sum;
    ngx_canary_zone_t     *zone;
    ngx_canary_variant_t  *v;
    ngx_canary_figures_t  *total, *stage;

    zone = pic->zone;
    sum = pic->sum;
    base = pic->record.base & 1;

    v = &pic->split->variants[pic->split->nvariants++];

    if (ngx_canary_picture_copy(&v->name, zone->slots[slot].name,
                                zone->slots[slot].len, pool)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    v->canary = (slot != NGX_CANARY_BASELINE);
    v->configured_share_ppm = share_ppm;
    v->share_ppm = share_ppm;

    if (pic->split->state == NGX_CANARY_STATE_ROLLED_BACK) {
        v->share_ppm = v->canary ? 0 : NGX_CANARY_PPM;
    }

    ngx_memzero(sum, offsetof(ngx_canary_cell_t, hist));
    ngx_memzero(max_us, sizeof(max_us));
    ngx_memzero(low_us, sizeof(low_us));

    used = 0;

    for (i = 0; i < zone->nshards; i++) {
        cell = &zone->shards[i].cells[slot];

        if (ngx_canary_cell_sum(sum, cell)) {
            used |= (uint64_t) 1 << i;
        }

        for (s = 0; s < 2; s++) {
            max_us[s] = ngx_max(max_us[s], ngx_canary_load(&cell->max_us[s]));
            low_us[s] = ngx_max(low_us[s], ngx_canary_load(&cell->low_us[s]));
        }
    }

    total_max = ngx_max(ngx_max(max_us[0], max_us[1]), zone->past_max_us[slot]);
    total_low = ngx_max(ngx_max(low_us[0], low_us[1]), zone->past_low_us[slot]);

    pic->from = ngx_canary_hist_index(total_low ? UINT64_MAX - total_low : 0);
    pic->to = ngx_canary_hist_index(total_max);

    ngx_canary_picture_hist(pic, slot, used);

    total = &v->figures[NGX_CANARY_TOTAL];
    total->elapsed_us = pic->now_us - zone->created_us;
    ngx_canary_picture_figures(pic, NULL, total_low, total_max, total);

    ngx_canary_hist_cumulate(sum->hist, pic->from, pic->to, pic->split->le_us,
                             total->latency.le, pic->split->nle);

    stage = &v->figures[NGX_CANARY_STAGE];
    stage->elapsed_us = pic->split->stage_elapsed_us;
    ngx_canary_picture_figures(pic, &zone->base[base][slot], low_us[base],
                               max_us[base], stage);

    ngx_memzero(&v->figures[NGX_CANARY_WINDOW], sizeof(ngx_canary_figures_t));

    return NGX_OK;
}


/*
 * Adds up pic->from .. pic->to of the shards in the bitmap "used".  The first
 * is copied, so that the sum need not be zeroed.
 */

static void
ngx_canary_picture_hist(ngx_canary_picture_t *pic, ngx_uint_t slot,
    uint64_t used)
{
    ngx_uint_t   i, copied;
    uint64_t    *sum, *counts;

    sum = pic->sum->hist;
    copied = 0;

    for (i = 0; i < pic->zone->nshards; i++) {

        if (!(used & ((uint64_t) 1 << i))) {
            continue;
        }

        counts = pic->zone->shards[i].cells[slot].hist;

        if (copied) {
            ngx_canary_hist_merge(sum, counts, pic->from, pic->to);

        } else {
            ngx_canary_hist_copy(sum, counts, pic->from, pic->to);
            copied = 1;
        }
    }

    if (!copied) {
        ngx_memzero(sum, NGX_CANARY_HIST_BUCKETS * sizeof(uint64_t));
    }
}


/*
 * The figures of pic->sum, less "base" if there is one; then the sum is
 * changed.  Outside pic->from .. pic->to there is nothing to look at.
 */

static void
ngx_canary_picture_figures(ngx_canary_picture_t *pic, ngx_canary_cell_t *base,
    uint64_t low_us, uint64_t max_us, ngx_canary_figures_t *f)
{
    ngx_uint_t             i;
    ngx_canary_cell_t     *sum;
    ngx_canary_latency_t  *latency;

    sum = pic->sum;
    f->requests = 0;

    for (i = 0; i < NGX_CANARY_CLASSES; i++) {
        f->responses[i] = sum->responses[i] - (base ? base->responses[i] : 0);
        f->requests += f->responses[i];
    }

    f->forced = sum->forced - (base ? base->forced : 0);
    f->errors = sum->errors - (base ? base->errors : 0);
    f->fallbacks = sum->fallbacks - (base ? base->fallbacks : 0);

    latency = &f->latency;
    ngx_memzero(latency, sizeof(ngx_canary_latency_t));

    if (low_us == 0) {
        return;
    }

    latency->sum_us = sum->sum_us - (base ? base->sum_us : 0);
    latency->min_us = UINT64_MAX - low_us;
    latency->max_us = max_us;

    if (base) {
        ngx_canary_hist_subtract(sum->hist, base->hist, pic->from, pic->to);
    }

    latency->count = ngx_canary_hist_quantiles(sum->hist, pic->from, pic->to,
                                               latency->min_us, max_us,
                                               ngx_canary_quantile_ppm,
                                               latency->quantile_us,
                                               NGX_CANARY_QUANTILES);
}


static ngx_int_t
ngx_canary_picture_copy(ngx_canary_str_t *dst, u_char *data, size_t len,
    ngx_pool_t *pool)
{
    u_char  *p;

    p = ngx_pnalloc(pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, data, len);

    dst->len = len;
    dst->data = p;

    return NGX_OK;
}
