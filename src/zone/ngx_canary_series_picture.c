
#include "ngx_canary_series.h"


/* all points of an hour, and some drift of their lengths */
#define NGX_CANARY_SERIES_HOUR_MS  (3600 * 1000 + 60 * 1000)


/* a series as it is copied */
typedef struct {
    ngx_canary_series_zone_t   *history;
    ngx_canary_split_t         *split;
    ngx_canary_series_row_t    *row;
    ngx_canary_history_t       *to;
    ngx_canary_point_t         *points;
    ngx_canary_point_counts_t  *counts[NGX_CANARY_MAX_VARIANTS];
    size_t                      ngates;
    ngx_canary_point_gate_t   **gates;
    ngx_int_t                  *rules;      /* columns, by gate */
    ngx_uint_t                  named[NGX_CANARY_MAX_VARIANTS];
    uint64_t                    oldest_ms;
} ngx_canary_series_copy_t;


static ngx_int_t ngx_canary_series_alloc(ngx_canary_series_copy_t *copy,
    size_t n, ngx_pool_t *pool);
static void ngx_canary_series_columns(ngx_canary_series_copy_t *copy);
static void ngx_canary_series_copy(ngx_canary_series_copy_t *copy,
    uint64_t number);
static void ngx_canary_series_copy_point(ngx_canary_series_copy_t *copy,
    ngx_uint_t from, size_t to);


ngx_int_t
ngx_canary_series_picture(ngx_canary_series_zone_t *history,
    ngx_canary_split_t *split, ngx_pool_t *pool)
{
    uint64_t                   word, number, count, first;
    ngx_uint_t                 s, whole;
    ngx_canary_history_t      *series;
    ngx_canary_series_copy_t   copy;

    series = ngx_pcalloc(pool,
                         NGX_CANARY_SERIES * sizeof(ngx_canary_history_t));
    if (series == NULL) {
        return NGX_ERROR;
    }

    copy.history = history;
    copy.split = split;

    whole = split->want & NGX_CANARY_WANT_HISTORY;
    copy.ngates = whole ? split->ngates : 0;

    for (s = 0; s < (whole ? NGX_CANARY_SERIES : NGX_CANARY_SERIES_STAGE);
         s++)
    {
        word = ngx_canary_load(&history->series[s].word);
        count = ngx_canary_series_count(word);
        first = count - ngx_min(count, NGX_CANARY_HISTORY_POINTS);

        /* with gaps, as over a restart, an hour is fewer points */

        copy.oldest_ms = (s == NGX_CANARY_SERIES_HOUR)
                         ? ngx_canary_now_ms() - NGX_CANARY_SERIES_HOUR_MS : 0;

        copy.to = &series[s];
        copy.row = &history->rows[ngx_canary_series_row(word)];

        if (ngx_canary_series_alloc(&copy, count - first, pool) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_canary_series_columns(&copy);

        copy.to->stretch_ms = (uint64_t) (s == NGX_CANARY_SERIES_HOUR
                                          ? NGX_CANARY_SERIES_HOUR_US
                                          : NGX_CANARY_SERIES_STAGE_US)
                              / 1000 << ngx_canary_series_shift(word);

        for (number = first; number < count; number++) {
            ngx_canary_series_copy(&copy, number);
        }
    }

    split->history = series;

    return NGX_OK;
}


static ngx_int_t
ngx_canary_series_alloc(ngx_canary_series_copy_t *copy, size_t n,
    ngx_pool_t *pool)
{
    ngx_uint_t           i;
    ngx_canary_split_t  *split;

    split = copy->split;

    copy->points = ngx_palloc(pool, n * sizeof(ngx_canary_point_t));
    copy->gates = ngx_palloc(pool, copy->ngates * sizeof(void *));
    copy->rules = ngx_palloc(pool, copy->ngates * sizeof(ngx_int_t));

    if (copy->points == NULL || copy->gates == NULL || copy->rules == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < split->nvariants; i++) {
        copy->counts[i] = ngx_pcalloc(pool,
                                      n * sizeof(ngx_canary_point_counts_t));
        if (copy->counts[i] == NULL) {
            return NGX_ERROR;
        }

        copy->to->counts[i] = copy->counts[i];
    }

    for (i = 0; i < copy->ngates; i++) {
        copy->gates[i] = ngx_pcalloc(pool,
                                     n * sizeof(ngx_canary_point_gate_t));
        if (copy->gates[i] == NULL) {
            return NGX_ERROR;
        }
    }

    copy->to->points = copy->points;
    copy->to->gates = (const ngx_canary_point_gate_t **) copy->gates;

    return NGX_OK;
}


static void
ngx_canary_series_columns(ngx_canary_series_copy_t *copy)
{
    ngx_uint_t             i;
    ngx_canary_split_t    *split;
    ngx_canary_variant_t  *v;

    split = copy->split;

    for (i = 0; i < split->nvariants; i++) {
        v = &split->variants[i];
        copy->named[i] = ngx_canary_series_is(copy->history, v->slot,
                                              v->name.data, v->name.len);
    }

    for (i = 0; i < copy->ngates; i++) {
        copy->rules[i] = ngx_canary_series_find(copy->history,
                                             split->gates[i].rule->signature);
    }
}


/* a point that is torn is tried again, and left out if it stays so */

static void
ngx_canary_series_copy(ngx_canary_series_copy_t *copy, uint64_t number)
{
    ngx_uint_t                  n, tries;
    ngx_canary_series_point_t  *point;

    n = number % NGX_CANARY_HISTORY_POINTS;
    point = &copy->row->points[n];

    for (tries = 0; tries < NGX_CANARY_READ_TRIES; tries++) {

        if (!ngx_canary_ring_holds(&point->mark, number)) {
            continue;
        }

        ngx_canary_series_copy_point(copy, n, copy->to->npoints);

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if (ngx_canary_ring_holds(&point->mark, number)) {

            /* nothing was counted yet in one that has just begun */

            if (copy->points[copy->to->npoints].length_ms
                && copy->points[copy->to->npoints].start_ms
                   >= copy->oldest_ms)
            {
                copy->to->npoints++;
            }

            return;
        }
    }
}


static void
ngx_canary_series_copy_point(ngx_canary_series_copy_t *copy, ngx_uint_t from,
    size_t to)
{
    ngx_uint_t                i, slot;
    ngx_canary_split_t       *split;
    ngx_canary_point_t       *point;
    ngx_canary_series_row_t  *row;

    split = copy->split;
    row = copy->row;
    point = &copy->points[to];

    *point = row->points[from].point;

    ngx_memzero(point->share_ppm, sizeof(point->share_ppm));

    for (i = 0; i < split->nvariants; i++) {

        if (copy->named[i]) {
            slot = split->variants[i].slot;

            point->share_ppm[i] = row->points[from].point.share_ppm[slot];
            copy->counts[i][to] = row->counts[slot][from];
        }
    }

    for (i = 0; i < copy->ngates; i++) {
        slot = split->variants[split->gates[i].index].slot;

        if (copy->rules[i] != NGX_ERROR
            && copy->named[split->gates[i].index])
        {
            copy->gates[i][to] = row->gates[copy->rules[i]][slot][from];
        }
    }
}
