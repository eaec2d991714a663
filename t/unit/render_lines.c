/*
 * A chart over time draws the values it is given: a curve for each variant, in
 * the middle of each point, with gaps where there is no value; no curve and no
 * limit is cut off at the top.  Its text says the same.
 */

#include <math.h>
#include <stdio.h>

#include "tap.h"

#include "driver/picture.h"
#include "svg.h"

#include "../../src/render/ngx_canary_times.h"


#define POINTS    40
#define VARIANTS  4
/* half a unit of the plot */
#define UNIT      (0.51 / NGX_CANARY_PLOT_HEIGHT)


static ngx_canary_split_t    split;
static ngx_canary_history_t  history;
static ngx_canary_point_t    points[POINTS];
static ngx_canary_times_t    times;
static ngx_canary_lines_t    lines;
static picture_out_t         picture;
static ngx_canary_out_t      out;
static char                 *text;
static double                values[VARIANTS][POINTS];


static double
value(const ngx_canary_lines_t *l, size_t variant, size_t i)
{
    (void) l;

    return values[variant][i];
}


/* between 0.03 and 0.04, of each variant others; some are missing */

static void
begin(size_t nvariants)
{
    size_t  i, v;

    static const char  *names[VARIANTS] = { "base", "one", "two<", "three" };

    memset(&split, 0, sizeof(split));
    memset(&times, 0, sizeof(times));

    split.nvariants = nvariants;

    for (v = 0; v < VARIANTS; v++) {
        split.variants[v].name = picture_str(names[v], strlen(names[v]));

        for (i = 0; i < POINTS; i++) {
            values[v][i] = 0.03 + 0.001 * (double) v
                           + 0.006 * (double) ((i * 7) % 10) / 10;
        }

        values[v][3 + v] = (double) NAN;
        values[v][5 + v] = (double) NAN;
    }

    for (i = 0; i < POINTS; i++) {
        points[i].start_ms = 1763845800000u + i * 10000;
        points[i].length_ms = 10000;
        times.first[i] = (uint16_t) i;
    }

    times.first[POINTS] = POINTS;
    times.n = POINTS;
    times.split = &split;
    times.history = &history;
    times.out = &out;
    times.series = NGX_CANARY_SERIES_HOUR;
    times.from_ms = points[0].start_ms;
    times.to_ms = points[0].start_ms + POINTS * 10000;
    history.points = points;
    history.npoints = POINTS;

    picture_open(&out, &picture, 512);
    ngx_canary_lines_init(&lines, &times, "errors", value);
    lines.percent = 1;
    lines.least = 0.01;
}


/* from 0 to "to" at the top */

static int
drawn(const char *class, size_t n, size_t v, double to)
{
    size_t       i, k;
    double       at;
    svg_curve_t  curve;

    if (!svg_curve(text, class, n, &curve)) {
        return 0;
    }

    k = 0;

    for (i = 0; i < POINTS; i++) {

        if (isnan(values[v][i])) {
            continue;
        }

        at = (2 * (double) i + 1) / (2 * POINTS);

        if (k == curve.n
            || fabs(curve.x[k] - at) > 0.51 / NGX_CANARY_PLOT_WIDTH
            || fabs(curve.y[k] - values[v][i] / to) > UNIT
            || curve.begins[k] != (i == 0 || isnan(values[v][i - 1])))
        {
            return 0;
        }

        k++;
    }

    return k == curve.n && curve.dots == 1;
}


static void
chart(size_t nvariants)
{
    begin(nvariants);
    ngx_canary_lines_head(&lines);
    ngx_canary_lines_draw(&lines);
    text = picture_close(&out);
}


static void
two(void)
{
    svg_curve_t  grid;

    chart(2);
    ok(svg_says(text, "id=\"", "errors-hour", "\""), "its name and series");
    ok(svg_says(text, "data-names=\"", "baseline|canary", "\""),
       "the names of two");
    ok(svg_says(text, "data-points=\"", "45 21:10:05|3%|3.1%", "\n"),
       "what it says at the first point");
    ok(svg_says(text, "\n3555 ", "21:16:35|3.18%|3.28%", "\""),
       "and at the last");
    ok(svg_says(text, "<p class=\"at\">",
                "21:16:35 baseline 3.18%, canary 3.28%", "</p>"),
       "which it shows");
    ok(svg_says(text, "|-|3.16%\n405 ", "21:10:45|3.48%|", "-"),
       "a point behind the other");
    ok(strstr(text, "|-|") != NULL, "none where there is none");

    ok(drawn("curve v0", 0, 0, 0.05), "the baseline's curve");
    ok(drawn("curve v1", 0, 1, 0.05), "the canary's");
    ok(strstr(text, "curve v2") == NULL, "and no other");
    ok(strstr(text, "\"limit\"") == NULL, "without a limit no line of one");

    ok(svg_curve(text, "grid", 0, &grid) && grid.n == 2 * 3,
       "a line for each label and for 0");
    ok(fabs(grid.y[2] - 0.4) < UNIT && fabs(grid.y[4] - 0.8) < UNIT
       && grid.x[4] < 1e-9 && fabs(grid.x[5] - 1) < 1e-9,
       "from the left to the right");
    ok(strstr(text, "<text y=\"80\">2%</text>") != NULL
       && strstr(text, "<text y=\"36\">4%</text>") != NULL,
       "each label above its line");
    free(text);
}


static void
four(void)
{
    size_t  v;
    char    class[] = "curve v0";

    chart(4);
    ok(svg_says(text, "data-names=\"", "baseline|one|two&lt;|three", "\""),
       "the names of more");
    ok(svg_says(text, "<p class=\"at\">",
                "21:16:35 baseline 3.18%, one 3.28%, two&lt; 3.38%, three "
                "3.48%", "</p>"),
       "each with its value");

    for (v = 0; v < 4; v++) {
        class[sizeof(class) - 2] = (char) ('0' + v);
        ok(drawn(class, 0, v, 0.05), "the curve of %zu", v);
    }

    free(text);
}


static void
limits(void)
{
    svg_curve_t  limit;

    begin(2);
    lines.limit = 0.1;
    lines.limit_text = PICTURE_STR("<= 10%");
    ngx_canary_lines_draw(&lines);
    text = picture_close(&out);

    ok(drawn("curve v1", 0, 1, 0.2), "a limit above them leaves a fifth free");
    ok(svg_curve(text, "limit", 0, &limit) && limit.n == 2
       && fabs(limit.y[0] - 0.5) < UNIT && fabs(limit.y[1] - 0.5) < UNIT
       && limit.x[0] < 1e-9 && fabs(limit.x[1] - 1) < 1e-9,
       "its line");
    ok(strstr(text, "<text class=\"limit to\" x=\"100%\" y=\"69\">&lt;= 10%"
              "</text>")
       != NULL,
       "with its text above it");
    free(text);

    begin(2);
    lines.least = 0.35;
    lines.limit = 0.49;
    ngx_canary_lines_draw(&lines);
    text = picture_close(&out);
    ok(svg_curve(text, "limit", 0, &limit) && fabs(limit.y[0] - 0.49) < UNIT,
       "a scale that reaches beyond the limit");
    free(text);

    begin(2);
    lines.least = 0.4;
    ngx_canary_lines_draw(&lines);
    text = picture_close(&out);
    ok(drawn("curve v0", 0, 0, 0.5), "and one that has a least");
    free(text);
}


/* of a gate: one curve, of the variant that is named */

static void
power(void)
{
    size_t       i;
    svg_curve_t  limit;

    begin(3);

    for (i = 0; i < POINTS; i++) {
        values[2][i] = 0.1 * (double) i;
    }

    lines.variant = 2;
    lines.power = 1;
    lines.percent = 0;
    lines.least = 1;
    lines.limit = 3.6;
    ngx_canary_lines_head(&lines);
    ngx_canary_lines_draw(&lines);
    text = picture_close(&out);

    ok(svg_says(text, "data-names=\"", "evidence", "\""), "one name");
    ok(svg_says(text, "<p class=\"at\">", "21:16:35 evidence 10^3.9", "</p>"),
       "one value, as a power");
    ok(strstr(text, "curve v0") == NULL && strstr(text, "curve v1") == NULL
       && strstr(text, "curve v2") != NULL,
       "one curve");
    ok(svg_curve(text, "limit", 0, &limit) && fabs(limit.y[0] - 0.72) < UNIT,
       "the threshold");
    ok(strstr(text, ">rolls back at 10^3.6</text>") != NULL, "says what it is");
    ok(strstr(text, ">10^4</text>") != NULL, "the labels are powers");
    free(text);
}


static void
spark(void)
{
    begin(3);
    ngx_canary_lines_spark(&lines);
    text = picture_close(&out);

    ok(strncmp(text, "<svg class=\"plot spark\"", 23) == 0
       && strstr(text, "height=\"22\"") != NULL,
       "a line of text is as high as that");
    ok(strstr(text, "curve v0") == NULL && drawn("curve v1", 0, 1, 0.05)
       && drawn("curve v2", 0, 2, 0.05),
       "the curves of canaries alone");
    free(text);
}


int
main(void)
{
    two();
    four();
    limits();
    power();
    spark();

    return tap_done();
}
