/*
 * What a tile shows of a gate: the limit on the axis of its figures, and the
 * interval of confidence around the canary's figure.
 */

#include "ngx_canary_tile.h"
#include "../pure/ngx_canary_hist.h"
#include "../pure/ngx_canary_interval.h"


static void ngx_canary_tile_limit(ngx_canary_tile_t *tile);
static void ngx_canary_tile_interval(ngx_canary_tile_t *tile);
static void ngx_canary_tile_ranks(ngx_canary_tile_t *tile);


void
ngx_canary_tile_figures(ngx_canary_tile_t *tile)
{
    ngx_canary_tile_limit(tile);
    ngx_canary_tile_interval(tile);
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
        tile->has_limit = gate->has_baseline > 0;
        tile->limit = (double) gate->baseline_actual
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
