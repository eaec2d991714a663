/*
 * Which part of a stage's requests takes longer than a time, both axes
 * logarithmic.  A gate such as p95 <= 500ms is a corner: at 500 ms the curve
 * must be below 5%.
 */

#include <math.h>

#include "ngx_canary_chart.h"
#include "ngx_canary_page.h"
#include "../pure/ngx_canary_hist.h"


#define NGX_CANARY_TAIL_POINTS  120
#define NGX_CANARY_TAIL_TOP     4       /* pixels */
#define NGX_CANARY_TAIL_HEIGHT  200
#define NGX_CANARY_TAIL_TICKS   5


typedef struct {
    const ngx_canary_split_t  *split;
    ngx_canary_out_t          *out;
    ngx_canary_scale_t         x;       /* us */
    ngx_canary_scale_t         y;       /* parts of 1 */
} ngx_canary_tail_t;


static int ngx_canary_tail_scales(ngx_canary_tail_t *tail);
static void ngx_canary_tail_heading(const ngx_canary_tail_t *tail);
static void ngx_canary_tail_curve(const ngx_canary_tail_t *tail, size_t v);
static void ngx_canary_tail_corners(const ngx_canary_tail_t *tail);
static void ngx_canary_tail_names(const ngx_canary_tail_t *tail);
static void ngx_canary_tail_labels(const ngx_canary_tail_t *tail);
static int ngx_canary_tail_corner(const ngx_canary_tail_t *tail,
    const ngx_canary_rule_t *rule, double *x, double *y);


void
ngx_canary_page_tail(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t             i;
    ngx_canary_tail_t  tail;

    tail.split = split;
    tail.out = out;

    if (!ngx_canary_tail_scales(&tail)) {
        return;
    }

    ngx_canary_tail_heading(&tail);

    ngx_canary_out_lit(out, "<svg class=\"plot tall\" aria-hidden=\"true\">");
    ngx_canary_plot_open(out, NGX_CANARY_TAIL_TOP, NGX_CANARY_TAIL_HEIGHT);
    ngx_canary_plot_grid(&tail.y, NGX_CANARY_TAIL_TICKS, out);
    ngx_canary_tail_corners(&tail);

    for (i = 0; i < split->nvariants; i++) {
        ngx_canary_tail_curve(&tail, i);
    }

    ngx_canary_plot_close(out);
    ngx_canary_tail_labels(&tail);
    ngx_canary_tail_names(&tail);
    ngx_canary_out_lit(out, "</svg>\n</figure>\n");
}


/* over all that was timed, and the limits; 0 if there is nothing to draw */
static int
ngx_canary_tail_scales(ngx_canary_tail_t *tail)
{
    size_t                       i;
    uint64_t                     min_us, max_us, most;
    const ngx_canary_rule_t     *rule;
    const ngx_canary_latency_t  *latency;

    min_us = UINT64_MAX;
    max_us = 0;
    most = 0;

    for (i = 0; i < tail->split->nvariants; i++) {
        latency = &tail->split->variants[i].figures[NGX_CANARY_STAGE].latency;

        if (latency->hist == NULL || latency->count == 0) {
            continue;
        }

        min_us = latency->min_us < min_us ? latency->min_us : min_us;
        max_us = latency->max_us > max_us ? latency->max_us : max_us;
        most = latency->count > most ? latency->count : most;
    }

    if (most == 0) {
        return 0;
    }

    for (i = 0; i < tail->split->nrules; i++) {
        rule = &tail->split->rules[i];

        if (rule->metric <= NGX_CANARY_METRIC_P999
            && rule->op != NGX_CANARY_NOT_WORSE && rule->limit > max_us)
        {
            max_us = rule->limit;
        }
    }

    min_us = min_us < 10 ? 10 : min_us;

    tail->x.log = 1;
    tail->x.from = (double) min_us;
    tail->x.to = fmax((double) max_us * 1.3, tail->x.from * 10);
    tail->y.log = 1;
    tail->y.from = most > 20000 ? 1e-4 : 1e-3;
    tail->y.to = 1;

    return 1;
}


static void
ngx_canary_tail_heading(const ngx_canary_tail_t *tail)
{
    size_t                       i;
    uint64_t                     aborted;
    ngx_canary_out_t            *out;
    const ngx_canary_variant_t  *v;

    out = tail->out;
    aborted = 0;

    for (i = 1; i < tail->split->nvariants; i++) {
        v = &tail->split->variants[i];
        aborted += ngx_canary_count(&v->figures[NGX_CANARY_STAGE], ABORTED);
    }

    ngx_canary_out_lit(out, "<figure class=\"chart\" id=\"tail\">\n"
                            "<figcaption><b>How many requests take longer</b> "
                            "than a time, in this stage; both axes are "
                            "logarithmic, baseline dashed.");

    if (aborted) {
        ngx_canary_out_lit(out, " Not in it: ");
        ngx_canary_page_number(aborted, "request", "requests", out);
        ngx_canary_out_lit(out, " to the canary that clients gave up.");
    }

    ngx_canary_out_lit(out, "</figcaption>\n");
}


/* at edges of buckets, where the counts are exact */
static void
ngx_canary_tail_curve(const ngx_canary_tail_t *tail, size_t v)
{
    char                         class[] = "curve v0";
    size_t                       i, k, to;
    double                       part;
    uint64_t                     n, us, last;
    ngx_canary_curve_t           curve;
    const ngx_canary_latency_t  *latency;

    latency = &tail->split->variants[v].figures[NGX_CANARY_STAGE].latency;

    if (latency->hist == NULL || latency->count == 0) {
        return;
    }

    class[sizeof(class) - 2] = (char) ('0' + v);

    ngx_canary_curve_open(&curve, class, tail->out);

    i = 0;
    n = 0;
    last = 0;

    for (k = 0; k <= NGX_CANARY_TAIL_POINTS; k++) {
        us = (uint64_t) (tail->x.from
                         * pow(tail->x.to / tail->x.from,
                               (double) k / NGX_CANARY_TAIL_POINTS));
        to = ngx_canary_hist_index(us);

        if (to == NGX_CANARY_HIST_BUCKETS - 1
            || ngx_canary_hist_upper(to) == last)
        {
            continue;
        }

        last = ngx_canary_hist_upper(to);

        for ( /* void */ ; i <= to; i++) {
            n += latency->hist[i];
        }

        part = 1 - (double) n / (double) latency->count;

        ngx_canary_curve_to(&curve,
                            ngx_canary_scale_at(&tail->x, (double) last),
                            ngx_canary_scale_at(&tail->y, part));

        if (part < tail->y.from) {
            break;
        }
    }

    ngx_canary_curve_close(&curve);
}


static void
ngx_canary_tail_corners(const ngx_canary_tail_t *tail)
{
    size_t              i;
    double              x, y;
    ngx_canary_curve_t  curve;

    ngx_canary_curve_open(&curve, "corner", tail->out);

    for (i = 0; i < tail->split->nrules; i++) {
        if (ngx_canary_tail_corner(tail, &tail->split->rules[i], &x, &y)) {
            ngx_canary_curve_to(&curve, x, 1);
            ngx_canary_curve_to(&curve, x, y);
            ngx_canary_curve_to(&curve, 1, y);
            ngx_canary_curve_gap(&curve);
        }
    }

    ngx_canary_curve_close(&curve);
}


static int
ngx_canary_tail_corner(const ngx_canary_tail_t *tail,
    const ngx_canary_rule_t *rule, double *x, double *y)
{
    if (rule->metric > NGX_CANARY_METRIC_P999
        || rule->op == NGX_CANARY_NOT_WORSE)
    {
        return 0;
    }

    *x = ngx_canary_scale_at(&tail->x, (double) rule->limit);
    *y = ngx_canary_scale_at(&tail->y, 1 - rule->quantile_ppm / 1e6);

    return 1;
}


/* beside its corner, to the left where there is no room to the right */
static void
ngx_canary_tail_names(const ngx_canary_tail_t *tail)
{
    size_t                    i, at;
    double                    x, y;
    const ngx_canary_rule_t  *rule;

    for (i = 0; i < tail->split->nrules; i++) {
        rule = &tail->split->rules[i];

        if (!ngx_canary_tail_corner(tail, rule, &x, &y)) {
            continue;
        }

        at = NGX_CANARY_TAIL_TOP + (size_t) ((1 - y) * NGX_CANARY_TAIL_HEIGHT)
             - (y < 0.97 ? 5 : 0);

        ngx_canary_print(tail->out, "<text class=\"limit%s\" x=\"%W\" y=\"%z\">"
                                    "%H</text>",
                         x > 0.7 ? " to\" dx=\"-4" : "\" dx=\"4", x, at,
                         &rule->text);
    }
}


static void
ngx_canary_tail_labels(const ngx_canary_tail_t *tail)
{
    size_t             i, n, y;
    double             at, ticks[NGX_CANARY_MAX_TICKS];
    ngx_canary_out_t  *out;

    out = tail->out;

    n = ngx_canary_scale_ticks(&tail->y, ticks, NGX_CANARY_TAIL_TICKS);

    for (i = 0; i < n; i++) {
        at = 1 - ngx_canary_scale_at(&tail->y, ticks[i]);
        y = NGX_CANARY_TAIL_TOP + (size_t) (at * NGX_CANARY_TAIL_HEIGHT)
            + (i + 1 == n ? 12 : 0) - (i + 1 < n ? 4 : 0);

        ngx_canary_print(out, "<text y=\"%z\">%P</text>", y,
                         (uint64_t) (ticks[i] * 1e6 + 0.5));
    }

    n = ngx_canary_scale_ticks(&tail->x, ticks, 7);

    for (i = 0; i < n; i++) {
        at = ngx_canary_scale_at(&tail->x, ticks[i]);

        if (at < 0.04 || at > 0.96) {
            continue;
        }

        ngx_canary_print(out, "<text class=\"mid\" y=\"220\" x=\"%W\">", at);
        ngx_canary_page_time((uint64_t) (ticks[i] + 0.5), out);
        ngx_canary_out_lit(out, "</text>");
    }
}
