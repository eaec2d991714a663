
#include "ngx_canary_mutex.h"
#include "ngx_canary_series_tick.h"


static void ngx_canary_series_begin(ngx_canary_series_tick_t *tick,
    ngx_canary_zone_t *zone);
static void ngx_canary_series_hour(ngx_canary_series_tick_t *tick);
static void ngx_canary_series_stage(ngx_canary_series_tick_t *tick);


void
ngx_canary_series_tick(ngx_canary_series_zone_t *history,
    ngx_canary_zone_t *zone, ngx_canary_split_t *split)
{
    ngx_canary_series_tick_t  tick;

    if (!ngx_canary_mutex_try(&history->mutex)) {
        return;
    }

    tick.history = history;
    tick.split = split;
    tick.now_us = ngx_canary_now_us();

    ngx_canary_series_begin(&tick, zone);
    ngx_canary_series_hour(&tick);
    ngx_canary_series_stage(&tick);

    ngx_canary_mutex_free(&history->mutex);
}


ngx_uint_t
ngx_canary_series_due(ngx_canary_series_zone_t *history)
{
    ngx_canary_series_place_t  place;

    ngx_canary_series_place(history, NGX_CANARY_SERIES_HOUR, &place);

    return place.series->bases[place.base].start_us == 0;
}


static void
ngx_canary_series_begin(ngx_canary_series_tick_t *tick,
    ngx_canary_zone_t *zone)
{
    uint64_t                   base;
    ngx_uint_t                 i;
    ngx_canary_split_t        *split;
    ngx_canary_series_zone_t  *history;
    ngx_canary_variant_t      *v;

    split = tick->split;
    history = tick->history;

    base = ngx_canary_base_at(ngx_canary_load(&zone->published));

    tick->stage = &zone->stages[base];
    tick->cells = zone->requests.base[base];

    /* published since the picture was taken: the next tick sees it */

    if (tick->stage->start_ms != split->stage_start_ms) {
        tick->stage = NULL;
    }

    ngx_memzero(tick->variants, sizeof(tick->variants));
    tick->idle = 1;

    for (i = 0; i < split->nvariants; i++) {
        v = &split->variants[i];

        tick->variants[v->slot] = v;
        tick->idle &= !(v->canary && v->share_ppm);

        ngx_canary_series_name(history, v->slot, v->name.data, v->name.len);
    }

    ngx_canary_series_rules(history, split, tick->now_us);

    for (i = 0; i < split->nrules; i++) {
        tick->rules[i] = ngx_canary_series_find(history,
                                                split->rules[i].signature);
    }
}


static void
ngx_canary_series_hour(ngx_canary_series_tick_t *tick)
{
    ngx_canary_series_place_t  place;

    ngx_canary_series_place(tick->history, NGX_CANARY_SERIES_HOUR, &place);

    if (place.series->bases[place.base].start_us == 0
        || ngx_canary_series_fill(tick, &place) + NGX_CANARY_TICK_US / 2
           >= place.stretch_us)
    {
        ngx_canary_series_from_now(tick, &place);
        ngx_canary_series_next(tick, &place);
    }
}


/*
 * A stage without a share in force is none: a rollback leaves the series, and
 * what comes after it is added as long as there is room.
 */

static void
ngx_canary_series_stage(ngx_canary_series_tick_t *tick)
{
    uint64_t                    length_us;
    ngx_canary_series_base_t   *base;
    ngx_canary_series_place_t   place;

    ngx_canary_series_place(tick->history, NGX_CANARY_SERIES_STAGE, &place);
    base = &place.series->bases[place.base];

    if (!tick->idle
        && (place.count == 0
            || base->stage_ms != tick->split->stage_start_ms))
    {
        if (tick->stage == NULL) {
            return;
        }

        /* the row that is not in use, 1 or 2 */

        place.row = (place.row == 1) ? 2 : 1;
        place.shift = 0;
        place.stretch_us = NGX_CANARY_SERIES_STAGE_US;
        place.count = 0;

        ngx_canary_series_from_stage(tick, &place);
        ngx_canary_series_next(tick, &place);

        base = &place.series->bases[place.base];
    }

    if (place.count == 0) {
        return;
    }

    if (base->start_us) {
        length_us = tick->now_us - base->start_us;

        if (tick->idle
            && place.count == NGX_CANARY_HISTORY_POINTS
            && length_us > place.stretch_us + NGX_CANARY_TICK_US / 2)
        {
            return;
        }

        length_us = ngx_canary_series_fill(tick, &place);

        if (length_us + NGX_CANARY_TICK_US / 2 < place.stretch_us) {
            return;
        }
    }

    if (place.count == NGX_CANARY_HISTORY_POINTS) {
        if (tick->idle) {
            return;
        }

        ngx_canary_series_double(tick, &place);
    }

    ngx_canary_series_from_now(tick, &place);
    ngx_canary_series_next(tick, &place);
}
