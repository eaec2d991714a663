/*
 * history.json: both series of one split, in columns of one length.  What is
 * not there is null: the rate and the quantiles of a point without requests, a
 * gate that did not exist yet.
 */

#include "ngx_canary_out.h"

#include "../pure/ngx_canary_history.h"


#define NGX_CANARY_HISTORY_QUANTILES  5


typedef uint64_t (*ngx_canary_column_pt)(const ngx_canary_history_t *series,
    size_t v, size_t i);


static void ngx_canary_history_series(const ngx_canary_split_t *split,
    const ngx_canary_history_t *series, ngx_canary_out_t *out);
static void ngx_canary_history_times(const ngx_canary_history_t *series,
    ngx_canary_out_t *out);
static void ngx_canary_history_variant(const ngx_canary_history_t *series,
    size_t v, ngx_canary_out_t *out);
static void ngx_canary_history_figures(const ngx_canary_history_t *series,
    size_t v, ngx_canary_out_t *out);
static void ngx_canary_history_gate(const ngx_canary_split_t *split,
    const ngx_canary_history_t *series, size_t g, ngx_canary_out_t *out);
static void ngx_canary_history_marks(const ngx_canary_split_t *split,
    const ngx_canary_history_t *series, ngx_canary_out_t *out);
static void ngx_canary_history_micro(const ngx_canary_history_t *series,
    size_t v, ngx_canary_column_pt value, ngx_canary_out_t *out);
static void ngx_canary_history_number(const ngx_canary_history_t *series,
    size_t v, ngx_canary_column_pt value, ngx_canary_out_t *out);
static uint64_t ngx_canary_history_share(const ngx_canary_history_t *series,
    size_t v, size_t i);
static uint64_t ngx_canary_history_requests(
    const ngx_canary_history_t *series, size_t v, size_t i);
static uint64_t ngx_canary_history_errors(const ngx_canary_history_t *series,
    size_t v, size_t i);
static uint64_t ngx_canary_history_samples(
    const ngx_canary_history_t *series, size_t v, size_t i);
static void ngx_canary_history_next(size_t i, ngx_canary_out_t *out);


int
ngx_canary_render_history(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out)
{
    const ngx_canary_split_t  *split;

    split = &snap->splits[0];

    ngx_canary_out_lit(out, "{\"upstream\":");
    ngx_canary_out_json(out, split->name);
    ngx_canary_out_lit(out, ",\"time\":");
    ngx_canary_out_moment(out, snap->time_ms);
    ngx_canary_out_lit(out, ",\"hour\":");
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

    ngx_canary_history_times(series, out);

    ngx_canary_out_lit(out, ",\"variants\":{");

    for (i = 0; i < split->nvariants && !out->failed; i++) {
        ngx_canary_history_next(i, out);
        ngx_canary_out_json(out, split->variants[i].name);
        ngx_canary_history_variant(series, i, out);
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
    size_t    i, v;
    uint64_t  share;

    ngx_canary_out_lit(out, ",\"t\":[");

    for (i = 0; i < series->npoints && !out->failed; i++) {
        ngx_canary_history_next(i, out);
        ngx_canary_out_decimal(out, series->points[i].start_ms, 3);
    }

    ngx_canary_out_lit(out, "],\"length\":[");

    for (i = 0; i < series->npoints && !out->failed; i++) {
        ngx_canary_history_next(i, out);
        ngx_canary_out_decimal(out, series->points[i].length_ms, 3);
    }

    ngx_canary_out_lit(out, "],\"generation\":[");

    for (i = 0; i < series->npoints && !out->failed; i++) {
        ngx_canary_history_next(i, out);
        ngx_canary_out_u64(out, series->points[i].generation);
    }

    /* of all canaries: the baseline is the first */

    ngx_canary_out_lit(out, "],\"share\":[");

    for (i = 0; i < series->npoints && !out->failed; i++) {
        share = 0;

        for (v = 1; v < NGX_CANARY_MAX_VARIANTS; v++) {
            share += series->points[i].share_ppm[v];
        }

        ngx_canary_history_next(i, out);
        ngx_canary_out_micro(out, share);
    }

    ngx_canary_out_lit(out, "]");
}


static void
ngx_canary_history_variant(const ngx_canary_history_t *series, size_t v,
    ngx_canary_out_t *out)
{
    ngx_canary_out_lit(out, ":{\"share\":");
    ngx_canary_history_micro(series, v, ngx_canary_history_share, out);
    ngx_canary_out_lit(out, ",\"requests\":");
    ngx_canary_history_number(series, v, ngx_canary_history_requests, out);
    ngx_canary_out_lit(out, ",\"errors\":");
    ngx_canary_history_number(series, v, ngx_canary_history_errors, out);
    ngx_canary_out_lit(out, ",\"samples\":");
    ngx_canary_history_number(series, v, ngx_canary_history_samples, out);
    ngx_canary_history_figures(series, v, out);
    ngx_canary_out_lit(out, "}");
}


static void
ngx_canary_history_figures(const ngx_canary_history_t *series, size_t v,
    ngx_canary_out_t *out)
{
    size_t    i, q;
    uint32_t  count;
    uint64_t  us[NGX_CANARY_HISTORY_POINTS][NGX_CANARY_HISTORY_QUANTILES];

    static const uint32_t  ppm[NGX_CANARY_HISTORY_QUANTILES] = {
        500000, 900000, 950000, 990000, 999000
    };

    static const ngx_canary_str_t  names[NGX_CANARY_HISTORY_QUANTILES] = {
        ngx_canary_text(",\"p50\":["),
        ngx_canary_text(",\"p90\":["),
        ngx_canary_text(",\"p95\":["),
        ngx_canary_text(",\"p99\":["),
        ngx_canary_text(",\"p999\":[")
    };

    for (i = 0; i < series->npoints; i++) {
        (void) ngx_canary_history_quantiles(&series->counts[v][i],
                                            series->points[i].limits_us, ppm,
                                            us[i],
                                            NGX_CANARY_HISTORY_QUANTILES);
    }

    for (q = 0; q < NGX_CANARY_HISTORY_QUANTILES; q++) {
        ngx_canary_out_str(out, names[q]);

        for (i = 0; i < series->npoints && !out->failed; i++) {
            count = series->counts[v][i].count;

            ngx_canary_history_next(i, out);

            if (count == 0) {
                ngx_canary_out_lit(out, "null");

            } else {
                ngx_canary_out_micro(out, us[i][q]);
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

    ngx_canary_out_lit(out, "{\"variant\":");
    ngx_canary_out_json(out, gate->variant);
    ngx_canary_out_lit(out, ",\"text\":");
    ngx_canary_out_json(out, gate->text);
    ngx_canary_out_lit(out, ",\"threshold\":");
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

        if (series->npoints == 0
            || note->time_ms < series->points[0].start_ms)
        {
            continue;
        }

        ngx_canary_history_next(n++, out);
        ngx_canary_out_lit(out, "{\"time\":");
        ngx_canary_out_moment(out, note->time_ms);
        ngx_canary_out_lit(out, ",\"event\":");
        ngx_canary_out_json(out, note->event);
        ngx_canary_out_lit(out, ",\"text\":");
        ngx_canary_out_json(out, note->text);
        ngx_canary_out_lit(out, "}");
    }
}


static void
ngx_canary_history_micro(const ngx_canary_history_t *series, size_t v,
    ngx_canary_column_pt value, ngx_canary_out_t *out)
{
    size_t  i;

    ngx_canary_out_lit(out, "[");

    for (i = 0; i < series->npoints && !out->failed; i++) {
        ngx_canary_history_next(i, out);
        ngx_canary_out_micro(out, value(series, v, i));
    }

    ngx_canary_out_lit(out, "]");
}


static void
ngx_canary_history_number(const ngx_canary_history_t *series, size_t v,
    ngx_canary_column_pt value, ngx_canary_out_t *out)
{
    size_t  i;

    ngx_canary_out_lit(out, "[");

    for (i = 0; i < series->npoints && !out->failed; i++) {
        ngx_canary_history_next(i, out);
        ngx_canary_out_u64(out, value(series, v, i));
    }

    ngx_canary_out_lit(out, "]");
}


static uint64_t
ngx_canary_history_share(const ngx_canary_history_t *series, size_t v,
    size_t i)
{
    return series->points[i].share_ppm[v];
}


static uint64_t
ngx_canary_history_requests(const ngx_canary_history_t *series, size_t v,
    size_t i)
{
    return series->counts[v][i].requests;
}


static uint64_t
ngx_canary_history_errors(const ngx_canary_history_t *series, size_t v,
    size_t i)
{
    return series->counts[v][i].errors;
}


static uint64_t
ngx_canary_history_samples(const ngx_canary_history_t *series, size_t v,
    size_t i)
{
    return series->counts[v][i].samples;
}


/* a comma before all but the first */
static void
ngx_canary_history_next(size_t i, ngx_canary_out_t *out)
{
    if (i) {
        ngx_canary_out_lit(out, ",");
    }
}
