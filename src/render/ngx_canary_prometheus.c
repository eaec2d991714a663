/*
 * The text format 0.0.4 of Prometheus and OpenMetrics 1.0.  They differ in
 * four points, marked by ctx->openmetrics: the family of a counter is named
 * without "_total", bounds are floats with a point, some have the time of their
 * creation, and "# EOF" ends the text.
 */


#include "ngx_canary_metrics.h"


#define NGX_CANARY_LABELS_LEN  248


typedef struct {
    size_t                     len;     /* 0: too long to be kept */
    unsigned char              text[NGX_CANARY_LABELS_LEN];
} ngx_canary_label_t;


/*
 * "{upstream=..,variant=.." of the series of a split: escaped once for all of
 * its metrics, as the escaping of names costs more than all the numbers.
 */
typedef struct {
    const ngx_canary_split_t  *split;   /* whose labels are kept */
    ngx_canary_label_t         label[1 + NGX_CANARY_MAX_VARIANTS];
} ngx_canary_labels_t;


typedef struct {
    ngx_canary_out_t            *out;
    const ngx_canary_metric_t   *metric;
    const ngx_canary_snapshot_t *snapshot;
    const ngx_canary_split_t    *split;
    const ngx_canary_variant_t  *variant;   /* NULL: of the whole split */
    const ngx_canary_gate_t     *gate;      /* of a row of gates */
    const ngx_canary_event_t    *event;     /* of a row of events */
    ngx_canary_labels_t          labels;
    unsigned                     openmetrics:1;
    unsigned                     headed:1;  /* HELP and TYPE are written */
} ngx_canary_prometheus_t;


static int ngx_canary_prometheus(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out, unsigned openmetrics);
static void ngx_canary_prometheus_row(ngx_canary_prometheus_t *ctx);
static void ngx_canary_prometheus_split(ngx_canary_prometheus_t *ctx);
static void ngx_canary_prometheus_events(ngx_canary_prometheus_t *ctx);
static void ngx_canary_prometheus_series(ngx_canary_prometheus_t *ctx,
    const void *base);
static void ngx_canary_prometheus_head(ngx_canary_prometheus_t *ctx);
static void ngx_canary_prometheus_name(ngx_canary_prometheus_t *ctx,
    const char *suffix, size_t len);
static void ngx_canary_prometheus_value(ngx_canary_prometheus_t *ctx,
    const void *base);
static void ngx_canary_prometheus_states(ngx_canary_prometheus_t *ctx,
    const char *label, const ngx_canary_str_t *names, size_t n,
    const void *base);
static void ngx_canary_prometheus_histogram(ngx_canary_prometheus_t *ctx,
    const ngx_canary_figures_t *figures);
static void ngx_canary_prometheus_summary(ngx_canary_prometheus_t *ctx,
    const ngx_canary_event_figures_t *figures);
static void ngx_canary_prometheus_created(ngx_canary_prometheus_t *ctx);
static void ngx_canary_labels_out(ngx_canary_labels_t *labels,
    const ngx_canary_split_t *split, const ngx_canary_variant_t *variant,
    ngx_canary_out_t *out);
static void ngx_canary_labels_keep(ngx_canary_labels_t *labels,
    const ngx_canary_split_t *split);
static void ngx_canary_labels_write(const ngx_canary_split_t *split,
    const ngx_canary_variant_t *variant, ngx_canary_out_t *out);
static int ngx_canary_labels_full(ngx_canary_out_t *out, size_t need);


/* a line up to its labels: "name_suffix{upstream=..,variant=.." */
#define ngx_canary_prometheus_open(ctx, suffix)                               \
    ngx_canary_prometheus_name(ctx, suffix, sizeof(suffix) - 1)


/* by ngx_canary_type_e */
static const ngx_canary_str_t  ngx_canary_types[] = {
    ngx_canary_text(" gauge\n"),
    ngx_canary_text(" counter\n"),
    ngx_canary_text(" summary\n"),
    ngx_canary_text(" counter\n"),
    ngx_canary_text(" histogram\n")
};

/* of a counter's name; none in OpenMetrics */
static const ngx_canary_str_t  ngx_canary_totals[] = {
    ngx_canary_text(""),
    ngx_canary_text("_total")
};


int
ngx_canary_render_prometheus(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out)
{
    return ngx_canary_prometheus(snap, out, 0);
}


int
ngx_canary_render_openmetrics(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out)
{
    return ngx_canary_prometheus(snap, out, 1);
}


static int
ngx_canary_prometheus(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out, unsigned openmetrics)
{
    const ngx_canary_metric_t  *m, *end;
    const ngx_canary_str_t     *name;
    ngx_canary_prometheus_t     ctx = { 0 };

    ctx.out = out;
    ctx.snapshot = snap;
    ctx.split = snap->splits;
    ctx.openmetrics = openmetrics & 1;

    name = NULL;
    end = ngx_canary_metrics + ngx_canary_nmetrics;

    for (m = ngx_canary_metrics; m < end && !out->failed; m++) {

        if (m->name.len == 0) {
            continue;
        }

        if (name == NULL || !ngx_canary_metric_same(&m->name, name)) {
            ctx.headed = 0;
            name = &m->name;
        }

        ctx.metric = m;
        ngx_canary_prometheus_row(&ctx);
    }

    if (openmetrics) {
        ngx_canary_out_lit(out, "# EOF\n");
    }

    return ngx_canary_out_end(out);
}


static void
ngx_canary_prometheus_row(ngx_canary_prometheus_t *ctx)
{
    size_t  i;

    if (ctx->metric->level == NGX_CANARY_LEVEL_SNAPSHOT) {
        ngx_canary_prometheus_series(ctx, ctx->snapshot);
        return;
    }

    for (i = 0; i < ctx->snapshot->nsplits && !ctx->out->failed; i++) {
        ctx->split = &ctx->snapshot->splits[i];
        ctx->variant = NULL;
        ngx_canary_prometheus_split(ctx);
    }
}


static void
ngx_canary_prometheus_split(ngx_canary_prometheus_t *ctx)
{
    size_t                      i;
    const ngx_canary_metric_t  *m;

    m = ctx->metric;

    if (m->level == NGX_CANARY_LEVEL_GATE) {

        for (i = 0; i < ctx->split->ngates; i++) {
            ctx->gate = &ctx->split->gates[i];
            ctx->variant = &ctx->split->variants[ctx->gate->index];
            ngx_canary_prometheus_series(ctx, ctx->gate);
        }

        return;
    }

    if (m->level >= NGX_CANARY_LEVEL_EVENT) {
        ngx_canary_prometheus_events(ctx);
        return;
    }

    if (m->level < NGX_CANARY_LEVEL_VARIANT) {
        ngx_canary_prometheus_series(ctx, ctx->split);
        return;
    }

    for (i = 0; i < ctx->split->nvariants; i++) {
        ctx->variant = &ctx->split->variants[i];

        if (m->level == NGX_CANARY_LEVEL_VARIANT) {
            ngx_canary_prometheus_series(ctx, ctx->variant);

        } else {
            ngx_canary_prometheus_series(ctx,
                                         &ctx->variant->figures[m->scope]);
        }
    }
}


/* an event has users and values only if it asks for them */
static void
ngx_canary_prometheus_events(ngx_canary_prometheus_t *ctx)
{
    size_t                      i, v;
    const ngx_canary_event_t   *event;
    const ngx_canary_metric_t  *m;

    m = ctx->metric;

    for (i = 0; i < ctx->split->nevents && !ctx->out->failed; i++) {
        event = &ctx->split->events[i];

        if ((m->level == NGX_CANARY_LEVEL_USERS && !event->unique)
            || (m->level == NGX_CANARY_LEVEL_VALUES && !event->value))
        {
            continue;
        }

        ctx->event = event;

        for (v = 0; v < ctx->split->nvariants; v++) {
            ctx->variant = &ctx->split->variants[v];
            ngx_canary_prometheus_series(ctx, &event->figures[v][m->scope]);
        }
    }
}


static void
ngx_canary_prometheus_series(ngx_canary_prometheus_t *ctx, const void *base)
{
    if (ngx_canary_metric_null(ctx->metric, base)) {
        return;
    }

    if (!ctx->headed) {
        ngx_canary_prometheus_head(ctx);
        ctx->headed = 1;
    }

    if (ctx->metric->kind == NGX_CANARY_KIND_HISTOGRAM) {
        ngx_canary_prometheus_histogram(ctx, base);

    } else if (ctx->metric->kind == NGX_CANARY_KIND_SUMMARY) {
        ngx_canary_prometheus_summary(ctx, base);

    } else if (ctx->metric->kind == NGX_CANARY_KIND_VERDICT) {
        ngx_canary_prometheus_states(ctx, "verdict", ngx_canary_verdicts,
                                     NGX_CANARY_VERDICTS, base);

    } else if (ctx->metric->kind == NGX_CANARY_KIND_STATUS) {
        ngx_canary_prometheus_states(ctx, "status", ngx_canary_statuses,
                                     NGX_CANARY_GATE_STATUSES, base);

    } else if (ngx_canary_metric_counter(ctx->metric)) {
        ngx_canary_prometheus_open(ctx, "_total");
        ngx_canary_prometheus_value(ctx, base);

    } else {
        ngx_canary_prometheus_open(ctx, "");
        ngx_canary_prometheus_value(ctx, base);
    }

    if (ctx->openmetrics && ctx->metric->type >= NGX_CANARY_TYPE_CREATED) {
        ngx_canary_prometheus_created(ctx);
    }
}


static void
ngx_canary_prometheus_head(ngx_canary_prometheus_t *ctx)
{
    ngx_canary_out_t           *out;
    ngx_canary_str_t            total;
    const ngx_canary_metric_t  *m;

    out = ctx->out;
    m = ctx->metric;
    total = ngx_canary_totals[ngx_canary_metric_counter(m)
                              && !ctx->openmetrics];

    ngx_canary_out_lit(out, "# HELP ");
    ngx_canary_out_str(out, m->name);
    ngx_canary_out_str(out, total);
    ngx_canary_out_lit(out, " ");
    ngx_canary_out_str(out, m->help);
    ngx_canary_out_lit(out, "\n# TYPE ");
    ngx_canary_out_str(out, m->name);
    ngx_canary_out_str(out, total);
    ngx_canary_out_str(out, ngx_canary_types[m->type]);
}


static void
ngx_canary_prometheus_name(ngx_canary_prometheus_t *ctx, const char *suffix,
    size_t len)
{
    ngx_canary_out_t           *out;
    const ngx_canary_metric_t  *m;

    out = ctx->out;
    m = ctx->metric;

    ngx_canary_out_str(out, m->name);
    ngx_canary_out_bytes(out, suffix, len);

    if (m->level == NGX_CANARY_LEVEL_SNAPSHOT) {
        ngx_canary_out_lit(out, "{version=\"");
        ngx_canary_out_label(out, ctx->snapshot->version);
        ngx_canary_out_lit(out, "\",nginx_version=\"");
        ngx_canary_out_label(out, ctx->snapshot->server_version);
        ngx_canary_out_lit(out, "\"");
        return;
    }

    ngx_canary_labels_out(&ctx->labels, ctx->split, ctx->variant, out);

    if (m->level == NGX_CANARY_LEVEL_STAGE) {
        ngx_canary_out_lit(out, ",stage=\"");
        ngx_canary_out_label(out, ctx->split->stage);
        ngx_canary_out_lit(out, "\"");
    }

    if (m->level == NGX_CANARY_LEVEL_GATE && ctx->gate) {
        ngx_canary_out_lit(out, ",gate=\"");
        ngx_canary_out_label(out, ctx->gate->text);
        ngx_canary_out_lit(out, "\"");
    }

    if (m->level >= NGX_CANARY_LEVEL_EVENT && ctx->event) {
        ngx_canary_out_lit(out, ",event=\"");
        ngx_canary_out_label(out, ctx->event->name);
        ngx_canary_out_lit(out, "\"");
    }

    if (m->label.len) {
        ngx_canary_out_lit(out, ",");
        ngx_canary_out_str(out, m->label);
    }
}


static void
ngx_canary_prometheus_value(ngx_canary_prometheus_t *ctx, const void *base)
{
    ngx_canary_out_t           *out;
    const ngx_canary_metric_t  *m;

    out = ctx->out;
    m = ctx->metric;

    ngx_canary_out_lit(out, "} ");

    if (m->kind == NGX_CANARY_KIND_TEXT) {
        ngx_canary_out_lit(out, "1");

    } else if (m->kind == NGX_CANARY_KIND_STATE) {
        ngx_canary_out_u64(out, ngx_canary_metric_state(m, base)
                                == NGX_CANARY_STATE_ROLLED_BACK);

    } else {
        ngx_canary_metric_number(m, base, out);
    }

    ngx_canary_out_lit(out, "\n");
}


/* a series for each of n states, 1 for the current one */
static void
ngx_canary_prometheus_states(ngx_canary_prometheus_t *ctx, const char *label,
    const ngx_canary_str_t *names, size_t n, const void *base)
{
    size_t  i, current;

    current = ngx_canary_metric_state(ctx->metric, base);

    for (i = 0; i < n; i++) {
        ngx_canary_prometheus_open(ctx, "");
        ngx_canary_print(ctx->out, ",%s=\"%V\"} %s\n", label, &names[i],
                         i == current ? "1" : "0");
    }
}


static void
ngx_canary_prometheus_histogram(ngx_canary_prometheus_t *ctx,
    const ngx_canary_figures_t *figures)
{
    size_t                       i;
    ngx_canary_out_t            *out;
    const ngx_canary_latency_t  *latency;

    out = ctx->out;
    latency = (const void *) ((const char *) figures + ctx->metric->offset);

    for (i = 0; i < ctx->split->nle; i++) {
        ngx_canary_prometheus_open(ctx, "_bucket");
        ngx_canary_out_lit(out, ",le=\"");
        ngx_canary_out_bound(out, ctx->split->le_us[i], ctx->openmetrics);
        ngx_canary_out_lit(out, "\"} ");
        ngx_canary_out_u64(out, latency->le[i]);
        ngx_canary_out_lit(out, "\n");
    }

    ngx_canary_prometheus_open(ctx, "_bucket");
    ngx_canary_print(out, ",le=\"+Inf\"} %u\n", latency->count);

    ngx_canary_prometheus_open(ctx, "_sum");
    ngx_canary_out_lit(out, "} ");
    ngx_canary_out_micro(out, latency->sum_us);
    ngx_canary_out_lit(out, "\n");

    ngx_canary_prometheus_open(ctx, "_count");
    ngx_canary_print(out, "} %u\n", latency->count);
}


/* sum and count only grow, quantiles are those of the window */
static void
ngx_canary_prometheus_summary(ngx_canary_prometheus_t *ctx,
    const ngx_canary_event_figures_t *figures)
{
    size_t                             i;
    ngx_canary_out_t                  *out;
    const ngx_canary_event_figures_t  *window;

    static const char  *names[NGX_CANARY_QUANTILES] = {
        "0.5", "0.9", "0.95", "0.99", "0.999"
    };

    out = ctx->out;
    window = figures + (NGX_CANARY_WINDOW - NGX_CANARY_TOTAL);

    for (i = 0; i < NGX_CANARY_QUANTILES && window->ncounted; i++) {
        ngx_canary_prometheus_open(ctx, "");
        ngx_canary_print(out, ",quantile=\"%s\"} ", names[i]);
        ngx_canary_out_decimal(out, window->quantile[i], 3);
        ngx_canary_out_lit(out, "\n");
    }

    ngx_canary_prometheus_open(ctx, "_sum");
    ngx_canary_out_lit(out, "} ");
    ngx_canary_out_decimal(out, figures->sum, 3);
    ngx_canary_out_lit(out, "\n");

    ngx_canary_prometheus_open(ctx, "_count");
    ngx_canary_print(out, "} %u\n", figures->nvalues);
}


static void
ngx_canary_prometheus_created(ngx_canary_prometheus_t *ctx)
{
    if (ctx->split->created_ms == 0) {
        return;
    }

    ngx_canary_prometheus_open(ctx, "_created");
    ngx_canary_print(ctx->out, "} %M\n", ctx->split->created_ms);
}


/* without the brace that closes them; "variant" NULL: of the whole split */
static void
ngx_canary_labels_out(ngx_canary_labels_t *labels,
    const ngx_canary_split_t *split, const ngx_canary_variant_t *variant,
    ngx_canary_out_t *out)
{
    const ngx_canary_label_t  *label;

    if (labels->split != split) {
        ngx_canary_labels_keep(labels, split);
        labels->split = split;
    }

    label = &labels->label[variant ? 1 + (size_t) (variant - split->variants)
                                   : 0];

    if (label->len) {
        ngx_canary_out_bytes(out, label->text, label->len);

    } else {
        ngx_canary_labels_write(split, variant, out);
    }
}


static void
ngx_canary_labels_keep(ngx_canary_labels_t *labels,
    const ngx_canary_split_t *split)
{
    size_t               i;
    ngx_canary_out_t     out;
    ngx_canary_label_t  *label;

    for (i = 0; i <= split->nvariants; i++) {
        label = &labels->label[i];

        out.pos = label->text;
        out.last = label->text + NGX_CANARY_LABELS_LEN;
        out.more = ngx_canary_labels_full;
        out.data = NULL;
        out.failed = 0;

        ngx_canary_labels_write(split, i ? &split->variants[i - 1] : NULL,
                                &out);

        label->len = out.failed ? 0 : (size_t) (out.pos - label->text);
    }
}


static void
ngx_canary_labels_write(const ngx_canary_split_t *split,
    const ngx_canary_variant_t *variant, ngx_canary_out_t *out)
{
    ngx_canary_out_lit(out, "{upstream=\"");
    ngx_canary_out_label(out, split->name);

    if (variant) {
        ngx_canary_out_lit(out, "\",variant=\"");
        ngx_canary_out_label(out, variant->name);
    }

    ngx_canary_out_lit(out, "\"");
}


static int
ngx_canary_labels_full(ngx_canary_out_t *out, size_t need)
{
    (void) out;
    (void) need;

    return -1;
}
