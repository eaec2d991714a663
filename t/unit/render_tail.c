/*
 * The chart of how many requests take longer than a time: curves that are exact
 * at their points, a corner for each latency gate at its limit, axes that hold
 * all of it, and labels where their lines are.
 */

#include <math.h>
#include <stdio.h>

#include "tap.h"

#include "driver/picture.h"
#include "svg.h"

#include "../../src/pure/ngx_canary_hist.h"
#include "../../src/render/ngx_canary_page.h"


#define UNIT   (0.51 / NGX_CANARY_PLOT_HEIGHT)
#define MS     1000u


static ngx_canary_split_t   split;
static ngx_canary_rule_t    rules[4];
static uint64_t             hist[2][NGX_CANARY_HIST_BUCKETS];
static char                *text;
/* ends of the axes, as they have to be */
static double               from, to, bottom;


static void
rule(size_t i, ngx_canary_metric_e metric, ngx_canary_op_e op, uint64_t limit,
    uint32_t ppm, const char *said)
{
    memset(&rules[i], 0, sizeof(rules[i]));

    rules[i].metric = metric;
    rules[i].op = op;
    rules[i].limit = limit;
    rules[i].quantile_ppm = ppm;
    rules[i].text = picture_str(said, strlen(said));
}


/* "n" requests of a variant between two times, evenly */

static void
fill(size_t v, uint64_t n, uint64_t least, uint64_t most)
{
    uint64_t               i, us;
    ngx_canary_latency_t  *latency;

    memset(hist[v], 0, sizeof(hist[v]));

    for (i = 0; i < n; i++) {
        us = least + (most - least) * i / (n - 1);
        hist[v][ngx_canary_hist_index(us)]++;
    }

    latency = &split.variants[v].figures[NGX_CANARY_STAGE].latency;
    latency->count = n;
    latency->min_us = least;
    latency->max_us = most;
    latency->hist = hist[v];
}


static void
begin(void)
{
    memset(&split, 0, sizeof(split));

    split.nvariants = 2;
    split.rules = rules;

    fill(0, 5000, 2 * MS, 300 * MS);
    fill(1, 1000, 5 * MS, 400 * MS);

    from = 2 * MS;
    to = 400 * MS * 1.3;
    bottom = 1e-3;
}


static void
draw(void)
{
    picture_out_t     picture;
    ngx_canary_out_t  out;

    picture_open(&out, &picture, 512);
    ngx_canary_page_tail(&split, &out);
    text = picture_close(&out);
}


static double
across(double us)
{
    return log(us / from) / log(to / from);
}


static double
up(double part)
{
    return part < bottom ? 0 : 1 - log(part) / log(bottom);
}


/* the part of a variant's requests above the edge at "us" */

static double
above(size_t v, double us)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    for (i = ngx_canary_hist_index((uint64_t) us) + 1;
         i < NGX_CANARY_HIST_BUCKETS;
         i++)
    {
        n += hist[v][i];
    }

    return (double) n
           / (double) split.variants[v].figures[NGX_CANARY_STAGE]
                      .latency.count;
}


/* each point of it is near an edge, from above all to below the bottom */

static int
drawn(size_t v)
{
    char         class[] = "curve v0";
    size_t       i;
    double       us, low, high, step;
    svg_curve_t  curve;

    class[sizeof(class) - 2] = (char) ('0' + v);

    if (!svg_curve(text, class, 0, &curve) || curve.n < 60) {
        return 0;
    }

    step = 0.51 / NGX_CANARY_PLOT_WIDTH;

    for (i = 0; i < curve.n; i++) {
        us = from * pow(to / from, curve.x[i] - step);
        high = up(above(v, us * 0.997));
        us = from * pow(to / from, curve.x[i] + step);
        low = up(above(v, us * 1.003));

        if (curve.y[i] > high + UNIT || curve.y[i] < low - UNIT
            || (i && (curve.begins[i] || curve.x[i] < curve.x[i - 1])))
        {
            return 0;
        }
    }

    return curve.y[0] > 0.99 && curve.y[curve.n - 1] < UNIT;
}


/* a line from the top down to the corner, and to the right */

static int
corner(size_t n, double us, double part)
{
    svg_curve_t  c;

    return svg_curve(text, "corner", 0, &c)
           && c.n >= 3 * (n + 1)
           && c.begins[3 * n]
           && fabs(c.x[3 * n] - across(us)) < 0.001
           && fabs(c.y[3 * n] - 1) < UNIT
           && fabs(c.x[3 * n + 1] - across(us)) < 0.001
           && fabs(c.y[3 * n + 1] - up(part)) < UNIT
           && fabs(c.x[3 * n + 2] - 1) < 0.001
           && fabs(c.y[3 * n + 2] - up(part)) < UNIT;
}


static size_t
count(const char *what)
{
    size_t       n;
    const char  *p;

    n = 0;

    for (p = strstr(text, what); p; p = strstr(p + 1, what)) {
        n++;
    }

    return n;
}


/* a time of the axis stands where it is */

static int
labelled(const char *said, double us)
{
    char   wanted[96];
    long   part;

    part = lround(across(us) * 10000);

    (void) snprintf(wanted, sizeof(wanted),
                    "y=\"220\" x=\"%.*f%%\">%s</text>",
                    part % 100 == 0 ? 0 : part % 10 == 0 ? 1 : 2,
                    (double) part / 100, said);

    return strstr(text, wanted) != NULL;
}


static void
curves(void)
{
    svg_curve_t  grid;

    begin();
    draw();
    ok(drawn(0) && drawn(1), "curves of both");
    is_u64(count("<path class=\"curve"), 2, "and no other");
    ok(count("that clients gave up") == 0, "nobody gave up");
    ok(labelled("10 ms", 10 * MS) && labelled("100 ms", 100 * MS),
       "times are where they are");
    is_u64(count("class=\"mid\""), 2, "and no others");
    ok(strstr(text, ">100%</text>") && strstr(text, ">10%</text>")
       && strstr(text, ">1%</text>") && strstr(text, ">0.1%</text>"),
       "and so many parts");
    ok(svg_curve(text, "grid", 0, &grid) && grid.n == 2 * 4
       && fabs(grid.y[2] - up(0.01)) < UNIT
       && fabs(grid.y[5] - up(0.1)) < UNIT && grid.x[4] < 1e-9
       && fabs(grid.x[5] - 1) < 1e-9,
       "a line for each part");
    free(text);

    ngx_canary_count(&split.variants[1].figures[NGX_CANARY_STAGE],
                     ABORTED) = 3;
    ngx_canary_count(&split.variants[0].figures[NGX_CANARY_STAGE],
                     ABORTED) = 40;
    draw();
    ok(strstr(text, "Not in it: 3 requests to the canary that") != NULL,
       "those that clients gave up are said");
    free(text);

    fill(0, 20001, 2 * MS, 300 * MS);
    bottom = 1e-4;
    draw();
    ok(drawn(0) && drawn(1), "many requests reach lower");
    free(text);

    fill(0, 20000, 2 * MS, 300 * MS);
    bottom = 1e-3;
    draw();
    ok(drawn(0), "and not one less");
    free(text);

    /* the greater counts, whoever has it */

    fill(0, 5000, 300, 300 * MS);
    from = 300;
    draw();
    ok(drawn(0) && drawn(1), "the least of all begins the axis");
    free(text);

    fill(0, 100, 2, 8);
    fill(1, 100, 2, 8);
    split.variants[1].figures[NGX_CANARY_STAGE].latency.count = 0;
    from = 10;
    to = 100;
    draw();
    is_u64(count("<path class=\"curve"), 1, "one has nothing yet");
    ok(labelled("20 &micro;s", 20) && labelled("50 &micro;s", 50),
       "an axis is at least a decade from 10 us");
    free(text);

    split.variants[0].figures[NGX_CANARY_STAGE].latency.hist = NULL;
    draw();
    is_u64(strlen(text), 0, "without any there is no chart");
    free(text);
}


static void
corners(void)
{
    begin();
    split.nrules = 4;
    rule(0, NGX_CANARY_METRIC_P95, NGX_CANARY_AT_MOST, 200 * MS, 950000,
         "p95 <= 200ms");
    rule(1, NGX_CANARY_METRIC_P99, NGX_CANARY_NOT_WORSE, 500000, 990000,
         "p99 not_worse");
    rule(2, NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_AT_MOST, 10000, 0,
         "error_rate <= 1%");
    rule(3, NGX_CANARY_METRIC_P50, NGX_CANARY_AT_MOST, 20 * MS, 500000,
         "p50 <= 20ms");

    draw();
    ok(corner(0, 200 * MS, 0.05) && corner(1, 20 * MS, 0.5),
       "the corners of two gates");
    is_u64(count("class=\"limit"), 2, "no other gate has one");
    ok(drawn(0) && drawn(1), "the curves are as before");
    ok(count("<text class=\"limit to\" dx=\"-4\"") == 1
       && count("<text class=\"limit\" dx=\"4\"") == 1
       && strstr(text, ">p95 &lt;= 200ms</text>")
       && strstr(text, ">p50 &lt;= 20ms</text>"),
       "the name of one is to the left, where there is no room");
    free(text);

    /* a limit that is beyond all of them widens the axis */

    rule(3, NGX_CANARY_METRIC_P999, NGX_CANARY_AT_MOST, 2000 * MS, 999000,
         "p999 <= 2s");
    to = 2000 * MS * 1.3;
    draw();
    ok(corner(0, 200 * MS, 0.05) && corner(1, 2000 * MS, 0.001),
       "a limit beyond all of them");
    ok(drawn(0) && labelled("1 s", 1000 * MS), "is on the axis");
    free(text);
}


int
main(void)
{
    curves();
    corners();

    return tap_done();
}
