/*
 * What a tile shows of a gate: the baseline's figure, the limit on the same
 * axis, and the interval of confidence around the canary's figure.
 */

#include "ngx_canary_tile.h"
#include "../pure/ngx_canary_hist.h"
#include "../pure/ngx_canary_interval.h"


static void ngx_canary_tile_baseline_event(ngx_canary_tile_t *tile);
static void ngx_canary_tile_limit(ngx_canary_tile_t *tile);
static void ngx_canary_tile_interval(ngx_canary_tile_t *tile);
static void ngx_canary_tile_ranks(ngx_canary_tile_t *tile);


void
ngx_canary_tile_figures(ngx_canary_tile_t *tile)
{
    ngx_canary_tile_baseline(tile);
    ngx_canary_tile_limit(tile);
    ngx_canary_tile_interval(tile);
}


void
ngx_canary_tile_baseline(ngx_canary_tile_t *tile)
{
    const ngx_canary_rule_t     *rule;
    const ngx_canary_figures_t  *f;

    rule = tile->gate->rule;
    f = &tile->split->variants[0].figures[NGX_CANARY_STAGE];

    if (tile->gate->has_baseline) {
        tile->has_baseline = 1;
        tile->baseline = tile->gate->baseline_actual;
        return;
    }

    switch (rule->metric) {

    case NGX_CANARY_METRIC_THROUGHPUT:
        tile->has_baseline = 0;
        break;

    case NGX_CANARY_METRIC_ERROR_RATE:
        tile->has_baseline = f->samples;
        tile->baseline = ngx_canary_ratio_ppm(ngx_canary_count(f, ERRORS),
                                              f->samples);
        break;

    case NGX_CANARY_METRIC_ABORT_RATE:
        tile->has_baseline = f->requests;
        tile->baseline = ngx_canary_ratio_ppm(ngx_canary_count(f, ABORTED),
                                              f->requests);
        break;

    case NGX_CANARY_METRIC_RETRY_RATE:
        tile->has_baseline = f->requests;
        tile->baseline = ngx_canary_ratio_ppm(ngx_canary_count(f, RETRIES),
                                              f->requests);
        break;

    case NGX_CANARY_METRIC_EVENT_RATE:
    case NGX_CANARY_METRIC_EVENT_RATIO:
    case NGX_CANARY_METRIC_EVENT_MEAN:
    case NGX_CANARY_METRIC_EVENT_QUANTILE:
        ngx_canary_tile_baseline_event(tile);
        break;

    default: /* a quantile */
        tile->has_baseline = f->latency.count;
        tile->baseline = f->latency.quantile_us[rule->metric];
    }
}


static void
ngx_canary_tile_baseline_event(ngx_canary_tile_t *tile)
{
    const ngx_canary_rule_t           *rule;
    const ngx_canary_event_figures_t  *e, *per;

    rule = tile->gate->rule;
    tile->has_baseline = 0;

    if (rule->event >= tile->split->nevents) {
        return;
    }

    e = &tile->split->events[rule->event].figures[0][NGX_CANARY_STAGE];

    switch (rule->metric) {

    case NGX_CANARY_METRIC_EVENT_RATE:
        tile->has_baseline = e->elapsed_us;
        tile->baseline = ngx_canary_rate_ppm(e->count, e->elapsed_us);
        break;

    case NGX_CANARY_METRIC_EVENT_RATIO:
        if (rule->per < tile->split->nevents) {
            per = &tile->split->events[rule->per].figures[0][NGX_CANARY_STAGE];
            tile->has_baseline = per->count;
            tile->baseline = ngx_canary_ratio_ppm(e->count, per->count);
        }

        break;

    case NGX_CANARY_METRIC_EVENT_MEAN:
        tile->has_baseline = e->nvalues;
        tile->baseline = e->mean;
        break;

    default:
        tile->has_baseline = e->ncounted;
        tile->baseline = e->quantile[rule->le] * 1000;
    }
}


/*
 * A relative quantile has none on the axis of times: what is compared is the
 * part of the requests beyond the baseline's quantile.
 */
static void
ngx_canary_tile_limit(ngx_canary_tile_t *tile)
{
    const ngx_canary_gate_t  *gate;

    gate = tile->gate;
    tile->has_limit = 1;
    tile->limit = (double) gate->limit;

    if (gate->rule->op != NGX_CANARY_NOT_WORSE) {
        return;
    }

    switch (gate->rule->metric) {

    case NGX_CANARY_METRIC_ERROR_RATE:
    case NGX_CANARY_METRIC_ABORT_RATE:
    case NGX_CANARY_METRIC_RETRY_RATE:
    case NGX_CANARY_METRIC_EVENT_RATE:
    case NGX_CANARY_METRIC_EVENT_RATIO:
        tile->has_limit = tile->has_baseline > 0;
        tile->limit = (double) tile->baseline
                      * (1 + (double) gate->limit / 1e6);
        break;

    default:
        tile->has_limit = 0;
    }
}


static void
ngx_canary_tile_interval(ngx_canary_tile_t *tile)
{
    double                     low, high;
    const ngx_canary_gate_t   *gate;
    const ngx_canary_trial_t  *t;

    gate = tile->gate;
    t = &gate->canary[NGX_CANARY_STAGE];

    tile->has_interval = 0;
    tile->open = 0;

    if (!gate->has_actual) {
        return;
    }

    switch (gate->rule->metric) {

    case NGX_CANARY_METRIC_THROUGHPUT:
    case NGX_CANARY_METRIC_EVENT_RATE:
    case NGX_CANARY_METRIC_EVENT_MEAN:
    case NGX_CANARY_METRIC_EVENT_QUANTILE:
        return;

    case NGX_CANARY_METRIC_ERROR_RATE:
    case NGX_CANARY_METRIC_ABORT_RATE:
    case NGX_CANARY_METRIC_RETRY_RATE:
    case NGX_CANARY_METRIC_EVENT_RATIO:
        if (t->n == 0 || t->bad > t->n) {
            return;
        }

        ngx_canary_interval_part((double) t->bad, (double) t->n, &low, &high);

        if (gate->rule->op == NGX_CANARY_AT_LEAST) {
            tile->low = (1 - high) * 1e6;
            tile->high = (1 - low) * 1e6;

        } else {
            tile->low = low * 1e6;
            tile->high = high * 1e6;
        }

        tile->has_interval = 1;
        return;

    default:
        ngx_canary_tile_ranks(tile);
    }
}


/* requests that were given up rank behind all that were timed */
static void
ngx_canary_tile_ranks(ngx_canary_tile_t *tile)
{
    size_t                       i, from;
    uint64_t                     low, high, n;
    const ngx_canary_gate_t     *gate;
    const ngx_canary_latency_t  *latency;

    gate = tile->gate;
    latency = &tile->split->variants[gate->index].figures[NGX_CANARY_STAGE]
                    .latency;

    if (latency->hist == NULL) {
        return;
    }

    ngx_canary_interval_ranks(latency->count + gate->late[NGX_CANARY_STAGE],
                              gate->rule->quantile_ppm, &low, &high);

    from = ngx_canary_hist_index(latency->min_us);
    n = 0;

    tile->has_interval = 1;
    tile->open = 1;
    tile->low = low ? (double) latency->max_us : (double) latency->min_us;

    for (i = from; i < NGX_CANARY_HIST_BUCKETS - 1; i++) {

        if (low && n < low && n + latency->hist[i] >= low) {
            tile->low = i ? (double) ngx_canary_hist_upper(i - 1) : 0;
        }

        n += latency->hist[i];

        if (n >= high) {
            tile->high = (double) ngx_canary_hist_upper(i);
            tile->open = 0;
            break;
        }
    }

    if (tile->low < (double) latency->min_us) {
        tile->low = (double) latency->min_us;
    }
}
