
#include "ngx_canary_series_tick.h"


static void ngx_canary_series_fill_gates(ngx_canary_series_tick_t *tick,
    ngx_canary_series_row_t *row, ngx_uint_t n);
static void ngx_canary_series_know(ngx_canary_series_tick_t *tick,
    ngx_canary_series_base_t *base);
static void ngx_canary_series_merge(ngx_canary_series_tick_t *tick,
    ngx_canary_series_row_t *to, ngx_uint_t n, ngx_canary_series_row_t *from,
    ngx_uint_t a, ngx_uint_t b);


void
ngx_canary_series_place(ngx_canary_series_zone_t *history,
    ngx_canary_series_e s, ngx_canary_series_place_t *place)
{
    uint64_t  word;

    place->series = &history->series[s];

    word = ngx_canary_load(&place->series->word);

    place->shift = ngx_canary_series_shift(word);
    place->row = ngx_canary_series_row(word);
    place->base = ngx_canary_series_base(word);
    place->count = ngx_canary_series_count(word);

    place->stretch_us = (uint64_t) (s == NGX_CANARY_SERIES_HOUR
                                    ? NGX_CANARY_SERIES_HOUR_US
                                    : NGX_CANARY_SERIES_STAGE_US)
                        << place->shift;
}


uint64_t
ngx_canary_series_fill(ngx_canary_series_tick_t *tick,
    ngx_canary_series_place_t *place)
{
    uint64_t                    length_us;
    ngx_uint_t                  n, v;
    ngx_canary_point_t         *p;
    ngx_canary_series_row_t    *row;
    ngx_canary_series_base_t   *base;
    ngx_canary_series_point_t  *point;

    row = &tick->history->rows[place->row];
    base = &place->series->bases[place->base];
    length_us = tick->now_us - base->start_us;

    n = (place->count - 1) % NGX_CANARY_HISTORY_POINTS;
    point = &row->points[n];

    ngx_canary_series_know(tick, base);

    ngx_canary_store(&point->mark, 0);
    __atomic_thread_fence(__ATOMIC_RELEASE);

    p = &point->point;
    p->start_ms = base->start_ms;
    p->length_ms = length_us / 1000;
    p->generation = tick->split->generation;

    ngx_canary_history_limits(p->limits_us, tick->split->limits_us,
                              base->limits_us);

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
        p->share_ppm[v] = 0;

        if (tick->variants[v]) {
            p->share_ppm[v] = tick->variants[v]->share_ppm;

            ngx_canary_history_since(&row->counts[v][n],
                                     tick->variants[v]->totals,
                                     tick->split->limits_us,
                                     &base->totals[v], base->limits_us);

        }
    }

    ngx_canary_series_fill_gates(tick, row, n);

    ngx_canary_store(&point->mark, place->count);

    return length_us;
}


static void
ngx_canary_series_fill_gates(ngx_canary_series_tick_t *tick,
    ngx_canary_series_row_t *row, ngx_uint_t n)
{
    ngx_uint_t                i, rule;
    ngx_canary_gate_t        *gate;
    ngx_canary_split_t       *split;
    ngx_canary_point_gate_t   now;

    split = tick->split;

    for (i = 0; i < split->ngates; i++) {
        gate = &split->gates[i];
        rule = tick->rules[gate->rule - split->rules];

        now.evidence = ngx_canary_history_evidence(gate->evidence_log10);
        now.threshold = ngx_canary_history_evidence(gate->threshold_log10);

        ngx_canary_history_raise(
                   &row->gates[rule][split->variants[gate->index].slot][n],
                   now);
    }
}


/*
 * A variant that was not there when the point began: its shares are new, so
 * it has counted since the stage began.
 */

static void
ngx_canary_series_know(ngx_canary_series_tick_t *tick,
    ngx_canary_series_base_t *base)
{
    ngx_uint_t               v;
    ngx_canary_base_cell_t  *cell;

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {

        if (tick->variants[v] == NULL || base->known[v]) {
            continue;
        }

        base->totals[v] = *tick->variants[v]->totals;

        if (tick->stage) {
            cell = &tick->cells[v];
            ngx_canary_series_totals(&base->totals[v], &cell->counts,
                                     cell->hist, 0,
                                     NGX_CANARY_HIST_BUCKETS - 1,
                                     base->limits_us);
        }

        ngx_canary_store(&base->known[v], 1);
    }
}


void
ngx_canary_series_from_now(ngx_canary_series_tick_t *tick,
    ngx_canary_series_place_t *place)
{
    ngx_uint_t                 v;
    ngx_canary_series_base_t  *base;

    base = &place->series->bases[!place->base];

    base->start_us = tick->now_us;
    base->start_ms = ngx_canary_now_ms()
                     - (ngx_canary_now_us() - tick->now_us) / 1000;
    base->stage_ms = place->series->bases[place->base].stage_ms;

    ngx_memcpy(base->limits_us, tick->split->limits_us,
               sizeof(base->limits_us));

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
        base->known[v] = (tick->variants[v] != NULL);

        if (tick->variants[v]) {
            base->totals[v] = *tick->variants[v]->totals;
        }
    }
}


void
ngx_canary_series_from_stage(ngx_canary_series_tick_t *tick,
    ngx_canary_series_place_t *place)
{
    ngx_canary_series_base_t  *base;

    base = &place->series->bases[!place->base];

    base->start_us = tick->stage->start_us;
    base->start_ms = tick->stage->start_ms;
    base->stage_ms = tick->stage->start_ms;

    ngx_memcpy(base->limits_us, tick->split->limits_us,
               sizeof(base->limits_us));

    ngx_memzero(base->known, sizeof(base->known));
    ngx_canary_series_know(tick, base);
}


void
ngx_canary_series_next(ngx_canary_series_tick_t *tick,
    ngx_canary_series_place_t *place)
{
    uint64_t                   word;
    ngx_uint_t                 i, n, v;
    ngx_canary_series_row_t   *row;
    ngx_canary_series_zone_t  *history;

    history = tick->history;
    row = &history->rows[place->row];
    n = place->count % NGX_CANARY_HISTORY_POINTS;

    ngx_canary_store(&row->points[n].mark, 0);
    __atomic_thread_fence(__ATOMIC_RELEASE);

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {

        if (history->names[v].len == 0) {
            continue;
        }

        ngx_memzero(&row->counts[v][n], sizeof(ngx_canary_point_counts_t));

        for (i = 0; i < NGX_CANARY_MAX_RULES; i++) {
            if (v != NGX_CANARY_BASELINE && history->rules[i].signature) {
                ngx_memzero(&row->gates[i][v][n],
                            sizeof(ngx_canary_point_gate_t));
            }
        }
    }

    place->count++;
    place->base = !place->base;

    word = ngx_canary_load(&place->series->word);

    ngx_canary_store(&place->series->word,
                     ngx_canary_series_word(
                                       ngx_canary_series_number(word) + 1,
                                       place->shift, place->row, place->base,
                                       place->count));
}


void
ngx_canary_series_double(ngx_canary_series_tick_t *tick,
    ngx_canary_series_place_t *place)
{
    ngx_uint_t                n;
    ngx_canary_series_row_t  *from, *to;

    from = &tick->history->rows[place->row];
    place->row = (place->row == 1) ? 2 : 1;
    to = &tick->history->rows[place->row];

    for (n = 0; n < NGX_CANARY_HISTORY_POINTS / 2; n++) {
        ngx_canary_series_merge(tick, to, n, from, 2 * n, 2 * n + 1);
    }

    place->count = NGX_CANARY_HISTORY_POINTS / 2;
    place->shift++;
}


static void
ngx_canary_series_merge(ngx_canary_series_tick_t *tick,
    ngx_canary_series_row_t *to, ngx_uint_t n, ngx_canary_series_row_t *from,
    ngx_uint_t a, ngx_uint_t b)
{
    ngx_uint_t                  i, v;
    ngx_canary_point_t         *pa, *pb;
    ngx_canary_series_zone_t   *history;
    ngx_canary_series_point_t  *point;

    history = tick->history;
    point = &to->points[n];

    ngx_canary_store(&point->mark, 0);
    __atomic_thread_fence(__ATOMIC_RELEASE);

    pa = &from->points[a].point;
    pb = &from->points[b].point;

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {

        if (history->names[v].len == 0) {
            continue;
        }

        to->counts[v][n] = from->counts[v][a];
        ngx_canary_history_add(&to->counts[v][n], pa->limits_us,
                               &from->counts[v][b], pb->limits_us);

        for (i = 0; i < NGX_CANARY_MAX_RULES; i++) {
            if (v != NGX_CANARY_BASELINE && history->rules[i].signature) {
                to->gates[i][v][n] = from->gates[i][v][a];
                ngx_canary_history_raise(&to->gates[i][v][n],
                                         from->gates[i][v][b]);
            }
        }
    }

    point->point = *pa;
    ngx_canary_history_extend(&point->point, pb);

    ngx_canary_store(&point->mark, n + 1);
}


void
ngx_canary_series_totals(ngx_canary_point_totals_t *totals,
    const ngx_canary_counts_t *counts, const uint64_t *hist, size_t from,
    size_t to, const uint64_t *limits_us)
{
    size_t      n;
    uint64_t    le[NGX_CANARY_HISTORY_LE + 1], out[NGX_CANARY_HISTORY_LE + 1];
    ngx_uint_t  i;

    totals->requests = 0;

    for (i = 0; i < NGX_CANARY_CLASSES; i++) {
        totals->requests += counts->n[i];
    }

    totals->errors = counts->n[NGX_CANARY_COUNT_ERRORS];
    totals->samples = totals->requests
                      - ngx_min(counts->n[NGX_CANARY_COUNT_ABORTED],
                                totals->requests);

    ngx_memcpy(le, ngx_canary_history_le_us,
               NGX_CANARY_HISTORY_LE * sizeof(uint64_t));
    le[NGX_CANARY_HISTORY_LE] = UINT64_MAX;

    ngx_canary_hist_cumulate(hist, from, to, le, out,
                             NGX_CANARY_HISTORY_LE + 1);

    ngx_memcpy(totals->le, out, NGX_CANARY_HISTORY_LE * sizeof(uint64_t));
    totals->count = out[NGX_CANARY_HISTORY_LE];

    for (n = 0; n < NGX_CANARY_HISTORY_LIMITS && limits_us[n]; n++) {
        /* void */
    }

    ngx_memzero(totals->limits, sizeof(totals->limits));
    ngx_canary_hist_cumulate(hist, from, to, limits_us, totals->limits, n);
}
