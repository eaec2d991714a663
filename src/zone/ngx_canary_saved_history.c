
#include "ngx_canary_keep.h"


#if (NGX_CANARY_SAVED_SHIFT > 31)
#error a series has no room for as many doublings
#endif


static void ngx_canary_saved_series(ngx_canary_series_zone_t *history,
    ngx_canary_series_e s, ngx_canary_saved_history_t *saved);
static void ngx_canary_saved_point(ngx_canary_series_row_t *row,
    ngx_uint_t from, ngx_canary_saved_history_t *saved,
    ngx_canary_saved_series_t *series, uint64_t to);
static void ngx_canary_given_series(ngx_canary_series_zone_t *history,
    ngx_canary_series_e s, ngx_canary_saved_history_t *saved);


void
ngx_canary_saved_history(ngx_canary_series_zone_t *history,
    ngx_canary_saved_history_t *saved)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        saved->names[i].len = ngx_min(ngx_canary_load(&history->names[i].len),
                                      NGX_CANARY_MAX_NAME);
        ngx_memcpy(saved->names[i].data, history->names[i].data,
                   saved->names[i].len);
    }

    for (i = 0; i < NGX_CANARY_MAX_RULES; i++) {
        saved->rules[i] = ngx_canary_load(&history->rules[i].signature);
    }

    for (i = 0; i < NGX_CANARY_SERIES; i++) {
        ngx_canary_saved_series(history, i, saved);
    }
}


static void
ngx_canary_saved_series(ngx_canary_series_zone_t *history,
    ngx_canary_series_e s, ngx_canary_saved_history_t *saved)
{
    uint64_t                    word, count, n, *mark;
    ngx_uint_t                  from;
    ngx_canary_series_t        *zone;
    ngx_canary_series_row_t    *row;
    ngx_canary_saved_series_t  *series;

    zone = &history->series[s];
    series = &saved->series[s];

    word = ngx_canary_load(&zone->word);
    count = ngx_canary_series_count(word);
    row = &history->rows[ngx_canary_series_row(word)];

    series->shift = ngx_canary_series_shift(word);
    series->stage_ms = zone->bases[ngx_canary_series_base(word)].stage_ms;

    n = count - ngx_min(count, NGX_CANARY_HISTORY_POINTS);

    for ( /* void */ ; n < count; n++) {
        from = n % NGX_CANARY_HISTORY_POINTS;
        mark = &row->points[from].mark;

        if (!ngx_canary_ring_holds(mark, n)) {
            continue;
        }

        ngx_canary_saved_point(row, from, saved, series, series->npoints);

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if (ngx_canary_ring_holds(mark, n)) {
            series->npoints++;
        }
    }
}


static void
ngx_canary_saved_point(ngx_canary_series_row_t *row, ngx_uint_t from,
    ngx_canary_saved_history_t *saved, ngx_canary_saved_series_t *series,
    uint64_t to)
{
    ngx_uint_t                  i, v;
    ngx_canary_point_counts_t  *counts;

    series->points[to] = row->points[from].point;

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {

        if (saved->names[v].len == 0) {
            series->points[to].share_ppm[v] = 0;
            continue;
        }

        counts = &series->counts[v][to];
        *counts = row->counts[v][from];

        /* counters that began anew did not do so in all bounds at once */

        for (i = 1; i < NGX_CANARY_HISTORY_LE; i++) {
            counts->le[i] = ngx_max(counts->le[i], counts->le[i - 1]);
        }

        for (i = 0; i < NGX_CANARY_MAX_RULES; i++) {
            if (saved->rules[i]) {
                series->gates[i][v][to] = row->gates[i][v][from];
            }
        }
    }
}


/* into memory that nobody has seen: the next tick begins a point */

void
ngx_canary_given_history(ngx_canary_series_zone_t *history,
    ngx_canary_saved_history_t *saved)
{
    ngx_uint_t                 i;
    ngx_canary_series_name_t  *name;

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        name = &history->names[i];

        name->len = saved->names[i].len;
        name->used = (name->len != 0);
        ngx_memcpy(name->data, saved->names[i].data, name->len);
    }

    for (i = 0; i < NGX_CANARY_MAX_RULES; i++) {
        history->rules[i].signature = saved->rules[i];
        history->rules[i].used_us = (saved->rules[i] != 0);
    }

    for (i = 0; i < NGX_CANARY_SERIES; i++) {
        ngx_canary_given_series(history, i, saved);
    }
}


static void
ngx_canary_given_series(ngx_canary_series_zone_t *history,
    ngx_canary_series_e s, ngx_canary_saved_history_t *saved)
{
    uint64_t                    n;
    ngx_uint_t                  i, v;
    ngx_canary_series_t        *zone;
    ngx_canary_series_row_t    *row;
    ngx_canary_saved_series_t  *series;

    zone = &history->series[s];
    series = &saved->series[s];

    /* a series has row 0, or the rows 1 and 2 */

    row = &history->rows[s];

    for (n = 0; n < series->npoints; n++) {
        row->points[n].mark = n + 1;
        row->points[n].point = series->points[n];

        for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {

            if (saved->names[v].len == 0) {
                continue;
            }

            row->counts[v][n] = series->counts[v][n];

            for (i = 0; i < NGX_CANARY_MAX_RULES; i++) {
                if (saved->rules[i]) {
                    row->gates[i][v][n] = series->gates[i][v][n];
                }
            }
        }
    }

    zone->bases[0].stage_ms = series->stage_ms;

    ngx_canary_store(&zone->word,
                     ngx_canary_series_word((uint64_t) 1, series->shift,
                                            (uint64_t) s, (uint64_t) 0,
                                            series->npoints));
}
