/*
 * history.json: both series of one split, in columns of one length.  What is
 * not there is null: the rate and the quantiles of a point without requests, a
 * gate that did not exist yet.
 */

#include "ngx_canary_out.h"

#include "../pure/ngx_canary_hist.h"
#include "../pure/ngx_canary_history.h"


#define NGX_CANARY_HISTORY_NONE     UINT64_MAX     /* null */
#define NGX_CANARY_HISTORY_COLUMNS  9


typedef struct {
    const char            *name;
    unsigned               digits;      /* of its decimals */
} ngx_canary_column_t;


/* of all points, in the order of their columns */
typedef uint64_t  ngx_canary_rows_t[NGX_CANARY_HISTORY_POINTS]
                                   [NGX_CANARY_HISTORY_COLUMNS];


static void ngx_canary_history_series(const ngx_canary_split_t *split,
    const ngx_canary_history_t *series, ngx_canary_out_t *out);
static void ngx_canary_history_times(const ngx_canary_history_t *series,
    ngx_canary_out_t *out);
static void ngx_canary_history_variant(const ngx_canary_history_t *series,
    size_t v, ngx_canary_out_t *out);
static void ngx_canary_history_columns(const ngx_canary_column_t *column,
    ngx_canary_rows_t rows, size_t n, ngx_canary_out_t *out);
static void ngx_canary_history_gate(const ngx_canary_split_t *split,
    const ngx_canary_history_t *series, size_t g, ngx_canary_out_t *out);
static void ngx_canary_history_marks(const ngx_canary_split_t *split,
    const ngx_canary_history_t *series, ngx_canary_out_t *out);
static void ngx_canary_history_next(size_t i, ngx_canary_out_t *out);


static const ngx_canary_column_t  ngx_canary_history_points[] = {
    { "t", 3 },
    { "length", 3 },
    { "generation", 0 },
    { "share", 6 },
    { NULL, 0 }
};

static const ngx_canary_column_t  ngx_canary_history_counts[] = {
    { "share", 6 },
    { "requests", 0 },
    { "errors", 0 },
    { "samples", 0 },
    { "p50", 6 },
    { "p90", 6 },
    { "p95", 6 },
    { "p99", 6 },
    { "p999", 6 },
    { NULL, 0 }
};


int
ngx_canary_render_history(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out)
{
    const ngx_canary_split_t  *split;

    split = &snap->splits[0];

    ngx_canary_print(out, "{\"upstream\":%J,\"time\":%M,\"hour\":",
                     &split->name, snap->time_ms);
    ngx_canary_history_series(split, &split->history[NGX_CANARY_SERIES_HOUR],
                              out);
    ngx_canary_out_lit(out, ",\"stage\":");
    ngx_canary_history_series(split, &split->history[NGX_CANARY_SERIES_STAGE],
                              out);
    ngx_canary_out_lit(out, "}\n");

    return ngx_canary_out_end(out);
}


static void
ngx_canary_history_series(const ngx_canary_split_t *split,
    const ngx_canary_history_t *series, ngx_canary_out_t *out)
{
    size_t  i;

    ngx_canary_out_lit(out, "{\"step\":");
    ngx_canary_out_decimal(out, series->stretch_ms, 3);
    ngx_canary_out_lit(out, ",");
    ngx_canary_history_times(series, out);

    ngx_canary_out_lit(out, ",\"variants\":{");

    for (i = 0; i < split->nvariants && !out->failed; i++) {
        ngx_canary_print(out, "%s%J:{", i ? "," : "",
                         &split->variants[i].name);
        ngx_canary_history_variant(series, i, out);
        ngx_canary_out_lit(out, "}");
    }

    ngx_canary_out_lit(out, "},\"gates\":[");

    for (i = 0; i < split->ngates && !out->failed; i++) {
        ngx_canary_history_next(i, out);
        ngx_canary_history_gate(split, series, i, out);
    }

    ngx_canary_out_lit(out, "],\"marks\":[");
    ngx_canary_history_marks(split, series, out);
    ngx_canary_out_lit(out, "]}");
}


static void
ngx_canary_history_times(const ngx_canary_history_t *series,
    ngx_canary_out_t *out)
{
    size_t                     i, v;
    ngx_canary_rows_t          rows;
    const ngx_canary_point_t  *point;

    for (i = 0; i < series->npoints; i++) {
        point = &series->points[i];

        rows[i][0] = point->start_ms;
        rows[i][1] = point->length_ms;
        rows[i][2] = point->generation;
        rows[i][3] = 0;

        /* of all canaries: the baseline is the first */

        for (v = 1; v < NGX_CANARY_MAX_VARIANTS; v++) {
            rows[i][3] += point->share_ppm[v];
        }
    }

    ngx_canary_history_columns(ngx_canary_history_points, rows, i, out);
}


static void
ngx_canary_history_variant(const ngx_canary_history_t *series, size_t v,
    ngx_canary_out_t *out)
{
    size_t                            i, q;
    ngx_canary_rows_t                 rows;
    const ngx_canary_point_t         *point;
    const ngx_canary_point_counts_t  *counts;

    for (i = 0; i < series->npoints; i++) {
        point = &series->points[i];
        counts = &series->counts[v][i];

        rows[i][0] = point->share_ppm[v];
        rows[i][1] = counts->requests;
        rows[i][2] = counts->errors;
        rows[i][3] = counts->samples;

        for (q = 0; q < NGX_CANARY_QUANTILES; q++) {
            rows[i][4 + q] = NGX_CANARY_HISTORY_NONE;
        }

        if (counts->count) {
            (void) ngx_canary_history_quantiles(counts, point->limits_us,
                                                ngx_canary_hist_ppm + 1,
                                                &rows[i][4],
                                                NGX_CANARY_QUANTILES);
        }
    }

    ngx_canary_history_columns(ngx_canary_history_counts, rows, i, out);
}


static void
ngx_canary_history_columns(const ngx_canary_column_t *column,
    ngx_canary_rows_t rows, size_t n, ngx_canary_out_t *out)
{
    size_t  i, k;

    for (k = 0; column[k].name; k++) {
        ngx_canary_print(out, "%s\"%s\":[", k ? "," : "", column[k].name);

        for (i = 0; i < n && !out->failed; i++) {
            ngx_canary_history_next(i, out);

            if (rows[i][k] == NGX_CANARY_HISTORY_NONE) {
                ngx_canary_out_lit(out, "null");

            } else {
                ngx_canary_out_decimal(out, rows[i][k], column[k].digits);
            }
        }

        ngx_canary_out_lit(out, "]");
    }
}


static void
ngx_canary_history_gate(const ngx_canary_split_t *split,
    const ngx_canary_history_t *series, size_t g, ngx_canary_out_t *out)
{
    size_t                          i;
    const ngx_canary_gate_t        *gate;
    const ngx_canary_point_gate_t  *points;

    gate = &split->gates[g];
    points = series->gates[g];

    ngx_canary_print(out, "{\"variant\":%J,\"text\":%J,\"threshold\":",
                     &gate->variant, &gate->text);
    ngx_canary_out_real(out, gate->threshold_log10);
    ngx_canary_out_lit(out, ",\"evidence\":[");

    for (i = 0; i < series->npoints && !out->failed; i++) {
        ngx_canary_history_next(i, out);

        if (points[i].threshold == 0) {
            ngx_canary_out_lit(out, "null");

        } else {
            ngx_canary_out_decimal(out, points[i].evidence, 2);
        }
    }

    ngx_canary_out_lit(out, "]}");
}


/* what the journal holds since the first point began */
static void
ngx_canary_history_marks(const ngx_canary_split_t *split,
    const ngx_canary_history_t *series, ngx_canary_out_t *out)
{
    size_t                    i, n;
    const ngx_canary_note_t  *note;

    n = 0;

    for (i = 0; i < split->njournal && !out->failed; i++) {
        note = &split->journal[i];

        if (series->npoints && note->time_ms >= series->points[0].start_ms) {
            ngx_canary_history_next(n++, out);
            ngx_canary_print(out, "{\"time\":%M,\"event\":%J,\"text\":%J}",
                             note->time_ms, &note->event, &note->text);
        }
    }
}


/* a comma before all but the first */
static void
ngx_canary_history_next(size_t i, ngx_canary_out_t *out)
{
    if (i) {
        ngx_canary_out_lit(out, ",");
    }
}
