
#include "ngx_canary_picture.h"
#include "ngx_canary_series.h"


static ngx_int_t ngx_canary_picture_split(ngx_canary_picture_t *pic,
    ngx_pool_t *pool);
static void ngx_canary_picture_scopes(ngx_canary_picture_t *pic);
static ngx_uint_t ngx_canary_picture_holds(ngx_canary_picture_t *pic);
static void ngx_canary_picture_passages(ngx_canary_picture_t *pic);
static ngx_int_t ngx_canary_picture_state(ngx_canary_picture_t *pic,
    ngx_pool_t *pool);
static ngx_int_t ngx_canary_picture_variant(ngx_canary_picture_t *pic,
    ngx_uint_t slot, uint32_t share_ppm, ngx_pool_t *pool);
static ngx_int_t ngx_canary_picture_totals(ngx_canary_picture_t *pic,
    ngx_canary_variant_t *v, ngx_pool_t *pool);
static ngx_int_t ngx_canary_picture_copy(ngx_canary_str_t *dst, u_char *data,
    size_t len, ngx_pool_t *pool);


ngx_int_t
ngx_canary_picture(ngx_canary_zone_t *zone, ngx_canary_event_plan_t *events,
    ngx_canary_split_t *split, ngx_pool_t *pool)
{
    uint64_t              word;
    ngx_uint_t            tries;
    ngx_canary_picture_t  pic;

    pic.zone = zone;
    pic.events = events;
    pic.split = split;

    split->history = NULL;
    split->nevents = 0;

    if (events) {
        split->events = ngx_palloc(pool,
                                   events->nnames * sizeof(ngx_canary_event_t));
        if (split->events == NULL) {
            return NGX_ERROR;
        }

        split->nevents = events->nnames;
    }

    if (split->nrules) {
        split->want |= NGX_CANARY_WANT_BOUNDS|NGX_CANARY_WANT_QUANTILES;
    }

    /* behind the last bound is the count */

    split->le_us[split->nle] = UINT64_MAX;

    pic.sum = ngx_palloc(pool, sizeof(ngx_canary_sum_t));
    pic.work = ngx_palloc(pool, NGX_CANARY_HIST_BUCKETS * sizeof(uint64_t));

    if (pic.sum == NULL || pic.work == NULL) {
        return NGX_ERROR;
    }

    /*
     * Once more if it was published meanwhile, or the window's step was taken
     * for another one: all of it must fit together.
     */

    for (tries = 0; tries < NGX_CANARY_READ_TRIES; tries++) {
        word = ngx_canary_published(zone, &pic.record);
        pic.base = ngx_canary_base_at(word);

        if (ngx_canary_picture_split(&pic, pool) != NGX_OK) {
            return NGX_ERROR;
        }

        if (events) {
            ngx_canary_picture_events(&pic);
        }

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if (ngx_canary_load(&zone->published) == word
            && ngx_canary_picture_holds(&pic))
        {
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

    ngx_canary_picture_scopes(pic);

    split->generation = record->generation;
    split->loaded_ms = record->loaded_ms;
    split->created_ms = zone->created_ms;
    split->verdict = NGX_CANARY_VERDICT_PENDING;
    split->stage_start_ms = zone->stages[pic->base].start_ms;
    split->stage_elapsed_us = pic->now_us - pic->start_us[NGX_CANARY_STAGE];
    split->nvariants = 0;

    for (i = 0; i < NGX_CANARY_CAUSES; i++) {
        split->rollbacks[i] = ngx_canary_load(&zone->rollbacks[i]);
    }

    if (ngx_canary_picture_state(pic, pool) != NGX_OK
        || ngx_canary_picture_copy(&split->stage, record->stage,
                                   record->stage_len, pool)
           != NGX_OK
        || ngx_canary_picture_gates(pic, pool) != NGX_OK)
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

    ngx_canary_picture_passages(pic);

    return NGX_OK;
}


/* where each scope begins */

static void
ngx_canary_picture_scopes(ngx_canary_picture_t *pic)
{
    ngx_canary_zone_t  *zone;

    zone = pic->zone;

    pic->now_us = ngx_canary_now_us();
    pic->step = ngx_canary_step_find(zone, pic->split->window_us, pic->now_us);
    pic->at = pic->step % NGX_CANARY_STEPS;

    pic->start_us[NGX_CANARY_TOTAL] = zone->created_us;
    pic->start_us[NGX_CANARY_STAGE] = zone->stages[pic->base].start_us;
    pic->start_us[NGX_CANARY_WINDOW] = (pic->step == NGX_CANARY_NO_STEP)
                                       ? zone->created_us
                                       : zone->ring[pic->at].time_us;
}


static ngx_uint_t
ngx_canary_picture_holds(ngx_canary_picture_t *pic)
{
    return pic->step == NGX_CANARY_NO_STEP
           || ngx_canary_ring_holds(&pic->zone->ring[pic->at].mark, pic->step);
}


/* requests through the split, whatever decided them */

static void
ngx_canary_picture_passages(ngx_canary_picture_t *pic)
{
    uint64_t               unkeyed[NGX_CANARY_SCOPES];
    ngx_uint_t             i, s;
    ngx_canary_zone_t     *zone;
    ngx_canary_split_t    *split;
    ngx_canary_figures_t  *f;

    zone = pic->zone;
    split = pic->split;

    split->unkeyed = ngx_canary_shards_sum(zone, unkeyed);
    split->bypassed = ngx_canary_shards_sum(zone, bypassed);

    unkeyed[NGX_CANARY_TOTAL] = split->unkeyed;
    unkeyed[NGX_CANARY_STAGE] = split->unkeyed
                                - zone->base_unkeyed[pic->base];
    unkeyed[NGX_CANARY_WINDOW] = split->unkeyed
                                 - (pic->step == NGX_CANARY_NO_STEP
                                    ? 0 : zone->ring[pic->at].unkeyed);

    for (s = 0; s < NGX_CANARY_SCOPES; s++) {
        split->passages[s] = unkeyed[s];
        split->elapsed_us[s] = split->variants[0].figures[s].elapsed_us;

        for (i = 0; i < split->nvariants; i++) {
            f = &split->variants[i].figures[s];
            split->passages[s] += f->requests
                                  + ngx_canary_count(f, FORCED);
        }
    }
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
    ngx_uint_t             i;
    ngx_canary_zone_t     *zone;
    ngx_canary_scope_e     s;
    ngx_canary_variant_t  *v;

    zone = pic->zone;

    v = &pic->split->variants[pic->split->nvariants++];

    if (ngx_canary_picture_copy(&v->name, zone->slots[slot].name,
                                zone->slots[slot].len, pool)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    v->slot = slot;
    v->canary = (slot != NGX_CANARY_BASELINE);
    v->configured_share_ppm = share_ppm;
    v->share_ppm = share_ppm;

    if (pic->split->state == NGX_CANARY_STATE_ROLLED_BACK) {
        v->share_ppm = v->canary ? 0 : NGX_CANARY_PPM;
    }

    pic->slot = slot;
    ngx_canary_tally_sum(&zone->requests, slot, pic->sum);

    if (ngx_canary_picture_totals(pic, v, pool) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_CANARY_SCOPES; i++) {
        s = ngx_canary_figures_scopes[i];

        ngx_canary_figures_scope(pic, &zone->requests, s);
        ngx_canary_figures_requests(pic, s, &v->figures[s]);
        ngx_canary_picture_trials(pic, s);

        if (ngx_canary_figures_keep(pic, s, &v->figures[s].latency, pool)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_canary_picture_totals(ngx_canary_picture_t *pic, ngx_canary_variant_t *v,
    ngx_pool_t *pool)
{
    ngx_canary_point_totals_t  *totals;

    v->totals = NULL;

    if (!(pic->split->want & NGX_CANARY_WANT_TOTALS)) {
        return NGX_OK;
    }

    totals = ngx_palloc(pool, sizeof(ngx_canary_point_totals_t));
    if (totals == NULL) {
        return NGX_ERROR;
    }

    ngx_canary_series_totals(totals, &pic->sum->cell.counts,
                             pic->sum->cell.hist, pic->sum->from, pic->sum->to,
                             pic->split->limits_us);
    v->totals = totals;

    return NGX_OK;
}


static ngx_int_t
ngx_canary_picture_copy(ngx_canary_str_t *dst, u_char *data, size_t len,
    ngx_pool_t *pool)
{
    ngx_str_t  src;

    src.len = len;
    src.data = data;

    dst->len = len;
    dst->data = ngx_pstrdup(pool, &src);

    return dst->data ? NGX_OK : NGX_ERROR;
}
