/*
 * One chart over time.  What it says at each point goes with it as text, for
 * the script to show: it works out nothing.
 */

#include <math.h>
#include <string.h>

#include "ngx_canary_times.h"


#define NGX_CANARY_LINES_TOP     18     /* pixels, for names of marks */
#define NGX_CANARY_LINES_HEIGHT  110
#define NGX_CANARY_LINES_TICKS   4


static void ngx_canary_lines_scale(ngx_canary_lines_t *lines);
static void ngx_canary_lines_names(const ngx_canary_lines_t *lines);
static void ngx_canary_lines_points(const ngx_canary_lines_t *lines);
static void ngx_canary_lines_value(const ngx_canary_lines_t *lines,
    double value);
static void ngx_canary_lines_power(const ngx_canary_lines_t *lines,
    double value);
static void ngx_canary_lines_last(const ngx_canary_lines_t *lines);
static void ngx_canary_lines_band(const ngx_canary_lines_t *lines);
static size_t ngx_canary_lines_stretch(const ngx_canary_lines_t *lines,
    size_t from, double *low, double *high);
static void ngx_canary_lines_curve(const ngx_canary_lines_t *lines, size_t v);
static void ngx_canary_lines_limit(const ngx_canary_lines_t *lines);
static void ngx_canary_lines_labels(const ngx_canary_lines_t *lines);
static size_t ngx_canary_lines_y(const ngx_canary_lines_t *lines,
    double value);
static size_t ngx_canary_lines_to(const ngx_canary_lines_t *lines);


void
ngx_canary_lines_init(ngx_canary_lines_t *lines,
    const ngx_canary_times_t *times, const char *name,
    ngx_canary_value_pt value)
{
    memset(lines, 0, sizeof(ngx_canary_lines_t));

    lines->times = times;
    lines->name = name;
    lines->value = value;
}


void
ngx_canary_lines_head(ngx_canary_lines_t *lines)
{
    ngx_canary_out_t  *out;

    out = lines->times->out;

    ngx_canary_print(out, "<figure class=\"chart\" tabindex=\"0\" "
                          "id=\"%s-%s\" data-names=\"",
                     lines->name,
                     lines->times->series == NGX_CANARY_SERIES_HOUR ? "hour"
                                                                    : "stage");
    ngx_canary_lines_names(lines);
    ngx_canary_out_lit(out, "\" data-points=\"");
    ngx_canary_lines_points(lines);
    ngx_canary_out_lit(out, "\">\n<figcaption>");
}


void
ngx_canary_lines_draw(ngx_canary_lines_t *lines)
{
    size_t             v;
    ngx_canary_out_t  *out;

    out = lines->times->out;

    ngx_canary_lines_scale(lines);

    ngx_canary_out_lit(out, "</figcaption>\n<p class=\"at\">");
    ngx_canary_lines_last(lines);
    ngx_canary_out_lit(out, "</p>\n<svg class=\"plot\" aria-hidden=\"true\">");
    ngx_canary_plot_open(out, NGX_CANARY_LINES_TOP, NGX_CANARY_LINES_HEIGHT);
    ngx_canary_plot_grid(&lines->scale, NGX_CANARY_LINES_TICKS, out);

    if (lines->band && lines->times->split->nvariants == 2) {
        ngx_canary_lines_band(lines);
    }

    for (v = lines->variant; v < ngx_canary_lines_to(lines); v++) {
        ngx_canary_lines_curve(lines, v);
    }

    ngx_canary_lines_limit(lines);
    ngx_canary_plot_close(out);
    ngx_canary_lines_labels(lines);
    ngx_canary_marks(lines->times);
    ngx_canary_hours(lines->times);
    ngx_canary_out_lit(out, "<line class=\"cursor\" y1=\"18\" y2=\"128\"/>"
                            "</svg>\n</figure>\n");
}


void
ngx_canary_lines_spark(ngx_canary_lines_t *lines)
{
    size_t             v;
    ngx_canary_out_t  *out;

    out = lines->times->out;

    ngx_canary_lines_scale(lines);

    ngx_canary_out_lit(out, "<svg class=\"plot spark\" "
                            "aria-hidden=\"true\">");
    ngx_canary_plot_open(out, 1, 22);

    for (v = 1; v < lines->times->split->nvariants; v++) {
        ngx_canary_lines_curve(lines, v);
    }

    ngx_canary_plot_close(out);
    ngx_canary_out_lit(out, "</svg>");
}


/* 0 at the bottom; a band may go beyond the top, a value and a limit never */
static void
ngx_canary_lines_scale(ngx_canary_lines_t *lines)
{
    size_t  i, v;
    double  value, most;

    most = fmax(lines->least, lines->limit * 1.25);

    for (v = lines->variant; v < ngx_canary_lines_to(lines); v++) {
        for (i = 0; i < lines->times->n; i++) {
            value = lines->value(lines, v, i);

            if (value > most) {
                most = value;
            }
        }
    }

    lines->scale.from = 0;
    lines->scale.to = most;
    lines->scale.log = 0;

    ngx_canary_scale_round(&lines->scale);
}


static void
ngx_canary_lines_names(const ngx_canary_lines_t *lines)
{
    size_t                     v;
    ngx_canary_out_t          *out;
    const ngx_canary_split_t  *split;

    out = lines->times->out;
    split = lines->times->split;

    if (lines->variant) {
        ngx_canary_out_lit(out, "evidence");
        return;
    }

    ngx_canary_out_lit(out, "baseline");

    for (v = 1; v < split->nvariants; v++) {
        if (split->nvariants == 2) {
            ngx_canary_out_lit(out, "|canary");

        } else {
            ngx_canary_print(out, "|%H", &split->variants[v].name);
        }
    }
}


/* a line for each point: "PLACE TIME|VALUE|VALUE", the place in plot units */
static void
ngx_canary_lines_points(const ngx_canary_lines_t *lines)
{
    size_t                     i, v;
    uint64_t                   place;
    ngx_canary_out_t          *out;
    const ngx_canary_times_t  *times;

    times = lines->times;
    out = times->out;

    for (i = 0; i < times->n; i++) {
        place = (uint64_t) (ngx_canary_times_middle(times, i)
                            * NGX_CANARY_PLOT_WIDTH + 0.5);

        ngx_canary_print(out, "%s%u %C", i ? "\n" : "", place,
                         ngx_canary_times_moment(times, i));

        for (v = lines->variant; v < ngx_canary_lines_to(lines); v++) {
            ngx_canary_out_lit(out, "|");
            ngx_canary_lines_value(lines, lines->value(lines, v, i));
        }
    }
}


/* quantiles are about right only */
static void
ngx_canary_lines_value(const ngx_canary_lines_t *lines, double value)
{
    ngx_canary_out_t  *out;

    out = lines->times->out;

    if (isnan(value)) {
        ngx_canary_out_lit(out, "-");

    } else if (lines->power) {
        ngx_canary_lines_power(lines, value);

    } else if (lines->percent) {
        ngx_canary_page_percent(ngx_canary_page_round(
                                    (uint64_t) (value * 1e6 + 0.5)), out);

    } else {
        ngx_canary_out_lit(out, "~");
        ngx_canary_page_time(ngx_canary_page_round((uint64_t) (value + 0.5)),
                             out);
    }
}


static void
ngx_canary_lines_power(const ngx_canary_lines_t *lines, double value)
{
    ngx_canary_out_lit(lines->times->out, "10^");
    ngx_canary_out_decimal(lines->times->out, (uint64_t) (value * 10 + 0.5), 1);
}


/* what the script replaces by another point */
static void
ngx_canary_lines_last(const ngx_canary_lines_t *lines)
{
    size_t                     v, last;
    ngx_canary_out_t          *out;
    const ngx_canary_split_t  *split;

    out = lines->times->out;
    split = lines->times->split;
    last = lines->times->n - 1;

    ngx_canary_page_clock(ngx_canary_times_moment(lines->times, last), out);

    for (v = lines->variant; v < ngx_canary_lines_to(lines); v++) {

        if (lines->variant) {
            ngx_canary_out_lit(out, " evidence ");

        } else if (v == 0) {
            ngx_canary_out_lit(out, " baseline ");

        } else if (split->nvariants == 2) {
            ngx_canary_out_lit(out, ", canary ");

        } else {
            ngx_canary_print(out, ", %H ", &split->variants[v].name);
        }

        ngx_canary_lines_value(lines, lines->value(lines, v, last));
    }
}


/* forward along the upper ends, back along the lower ones */
static void
ngx_canary_lines_band(const ngx_canary_lines_t *lines)
{
    size_t              i, k, n, from;
    double              low[NGX_CANARY_HISTORY_POINTS];
    double              high[NGX_CANARY_HISTORY_POINTS];
    ngx_canary_curve_t  curve;

    ngx_canary_curve_open(&curve, "band v1", lines->times->out);

    for (from = 0; from < lines->times->n; from += n + 1) {
        n = ngx_canary_lines_stretch(lines, from, low, high);

        for (k = 0; k < 2 * n; k++) {
            i = k < n ? k : 2 * n - 1 - k;

            ngx_canary_curve_to(&curve,
                                ngx_canary_times_middle(lines->times,
                                                        from + i),
                                ngx_canary_scale_at(&lines->scale,
                                                    k < n ? high[i] : low[i]));
        }

        ngx_canary_curve_fill(&curve);
    }

    ngx_canary_curve_close(&curve);
}


/* how many points from there on have a value */
static size_t
ngx_canary_lines_stretch(const ngx_canary_lines_t *lines, size_t from,
    double *low, double *high)
{
    size_t  n;

    for (n = 0; from + n < lines->times->n; n++) {
        if (!ngx_canary_times_interval(lines, 1, from + n, &low[n], &high[n]))
        {
            break;
        }
    }

    return n;
}


static void
ngx_canary_lines_curve(const ngx_canary_lines_t *lines, size_t v)
{
    char                class[] = "curve v0";
    size_t              i;
    double              value;
    ngx_canary_curve_t  curve;

    class[sizeof(class) - 2] = (char) ('0' + v);

    ngx_canary_curve_open(&curve, class, lines->times->out);

    for (i = 0; i < lines->times->n; i++) {
        value = lines->value(lines, v, i);

        if (isnan(value)) {
            ngx_canary_curve_gap(&curve);
            continue;
        }

        ngx_canary_curve_to(&curve, ngx_canary_times_middle(lines->times, i),
                            ngx_canary_scale_at(&lines->scale, value));
    }

    ngx_canary_curve_close(&curve);
}


static void
ngx_canary_lines_limit(const ngx_canary_lines_t *lines)
{
    double              y;
    ngx_canary_curve_t  curve;

    if (!(lines->limit > 0)) {
        return;
    }

    y = ngx_canary_scale_at(&lines->scale, lines->limit);

    ngx_canary_curve_open(&curve, "limit", lines->times->out);
    ngx_canary_curve_to(&curve, 0, y);
    ngx_canary_curve_to(&curve, 1, y);
    ngx_canary_curve_close(&curve);
}


/* each above its line, at the left; that of the limit at the right */
static void
ngx_canary_lines_labels(const ngx_canary_lines_t *lines)
{
    size_t             i, n;
    double             ticks[NGX_CANARY_MAX_TICKS];
    ngx_canary_out_t  *out;

    out = lines->times->out;
    n = ngx_canary_scale_ticks(&lines->scale, ticks, NGX_CANARY_LINES_TICKS);

    for (i = 1; i < n; i++) {
        ngx_canary_print(out, "<text y=\"%z\">",
                         ngx_canary_lines_y(lines, ticks[i]));

        if (lines->power) {
            ngx_canary_lines_power(lines, ticks[i]);

        } else if (lines->percent) {
            ngx_canary_page_percent((uint64_t) (ticks[i] * 1e6 + 0.5), out);

        } else {
            ngx_canary_page_time((uint64_t) (ticks[i] + 0.5), out);
        }

        ngx_canary_out_lit(out, "</text>");
    }

    if (lines->limit > 0) {
        ngx_canary_print(out, "<text class=\"limit to\" x=\"100%%\" y=\"%z\">",
                         ngx_canary_lines_y(lines, lines->limit));

        if (lines->power) {
            ngx_canary_out_lit(out, "rolls back at ");
            ngx_canary_lines_power(lines, lines->limit);

        } else {
            ngx_canary_out_html(out, lines->limit_text);
        }

        ngx_canary_out_lit(out, "</text>");
    }
}


/* of a text above a line, below it at the top */
static size_t
ngx_canary_lines_y(const ngx_canary_lines_t *lines, double value)
{
    double  y;

    y = (1 - ngx_canary_scale_at(&lines->scale, value))
        * NGX_CANARY_LINES_HEIGHT;

    return (size_t) (NGX_CANARY_LINES_TOP + y + (y < 12 ? 12 : -4));
}


static size_t
ngx_canary_lines_to(const ngx_canary_lines_t *lines)
{
    return lines->variant ? lines->variant + 1
                          : lines->times->split->nvariants;
}
