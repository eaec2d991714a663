/*
 * What a gate's tile shows: the baseline's figure, the limit and the interval,
 * of each metric; and where they are on the line.
 */

#include <math.h>
#include <string.h>

#include "tap.h"

#include "driver/picture.h"

#include "../../src/pure/ngx_canary_gate.h"
#include "../../src/pure/ngx_canary_hist.h"
#include "../../src/render/ngx_canary_tile.h"


static ngx_canary_split_t  split;
static ngx_canary_event_t  events[2];
static ngx_canary_gate_t   gate;
static ngx_canary_rule_t   rule;
static ngx_canary_tile_t   tile;
static uint64_t            hist[NGX_CANARY_HIST_BUCKETS];


static void
begin(ngx_canary_metric_e metric, ngx_canary_op_e op, uint64_t limit)
{
    ngx_canary_figures_t        *f;
    ngx_canary_event_figures_t  *e;

    picture_split(&split);

    memset(events, 0, sizeof(events));
    memset(&gate, 0, sizeof(gate));
    memset(&rule, 0, sizeof(rule));
    memset(&tile, 0, sizeof(tile));
    memset(hist, 0, sizeof(hist));

    picture_baseline(&split.variants[0].figures[NGX_CANARY_STAGE]);

    f = &split.variants[0].figures[NGX_CANARY_STAGE];
    ngx_canary_count(f, ABORTED) = 7;
    ngx_canary_count(f, RETRIES) = 11;
    split.events = events;
    split.nevents = 2;

    e = &events[0].figures[0][NGX_CANARY_STAGE];
    e->elapsed_us = 60000000;
    e->count = 30;
    e->nvalues = 20;
    e->mean = 4500000;
    e->ncounted = 19;
    e->quantile[2] = 8000;
    events[1].figures[0][NGX_CANARY_STAGE].count = 120;

    rule.metric = metric;
    rule.op = op;
    rule.limit = limit;
    rule.per = 1;
    rule.le = 2;
    rule.quantile_ppm = 950000;

    gate.rule = &rule;
    gate.index = 1;
    gate.limit = limit;
    gate.has_actual = 1;
    gate.actual = limit;
    gate.text = PICTURE_STR("gate");
    gate.canary[NGX_CANARY_STAGE].n = 100;
    gate.canary[NGX_CANARY_STAGE].bad = 10;

    split.gates = &gate;
    split.ngates = 1;
    tile.split = &split;
    tile.gate = &gate;

    ngx_canary_gate_baseline(&split, &gate);
}


static void
close_to(double got, double expected, const char *name)
{
    if (!ok(fabs(got - expected) <= fabs(expected) * 1e-4 + 1, "%s", name)) {
        printf("#      got: %f\n# expected: %f\n", got, expected);
    }
}


static void
baselines(void)
{
    size_t  i;

    /* of 1463 requests and samples, 3 errors, 7 aborted, 11 retries */

    static const struct {
        ngx_canary_metric_e   metric;
        uint64_t              baseline;
        const char           *name;
    } rows[] = {
        { NGX_CANARY_METRIC_ERROR_RATE, 2051, "error_rate: 3 of 1463" },
        { NGX_CANARY_METRIC_ABORT_RATE, 4785, "abort_rate: 7 of 1463" },
        { NGX_CANARY_METRIC_RETRY_RATE, 7519, "retry_rate: 11 of 1463" },
        { NGX_CANARY_METRIC_P50, 80500, "p50" },
        { NGX_CANARY_METRIC_P95, 241500, "p95" },
        { NGX_CANARY_METRIC_P999, 402500, "p999" },
        { NGX_CANARY_METRIC_EVENT_RATE, 500000, "30 events in a minute" },
        { NGX_CANARY_METRIC_EVENT_RATIO, 250000, "30 events for 120" },
        { NGX_CANARY_METRIC_EVENT_MEAN, 4500000, "a mean" },
        { NGX_CANARY_METRIC_EVENT_QUANTILE, 8000000, "a quantile of values" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(rows[i].metric, NGX_CANARY_AT_MOST, 1000000);
        ok(gate.has_baseline, "%s: there is one", rows[i].name);
        is_u64(gate.baseline_actual, rows[i].baseline, rows[i].name);

        /* of a baseline that has had nothing */

        begin(rows[i].metric, NGX_CANARY_AT_MOST, 1000000);
        memset(&split.variants[0].figures[NGX_CANARY_STAGE], 0,
               sizeof(ngx_canary_figures_t));
        memset(events, 0, sizeof(events));
        ngx_canary_gate_baseline(&split, &gate);
        ok(!gate.has_baseline, "%s: none of nothing", rows[i].name);
    }

    begin(NGX_CANARY_METRIC_THROUGHPUT, NGX_CANARY_AT_LEAST, 1000000);
    ok(!gate.has_baseline, "throughput is of the whole split");

    begin(NGX_CANARY_METRIC_EVENT_RATE, NGX_CANARY_AT_MOST, 1000000);
    rule.event = 2;
    ngx_canary_gate_baseline(&split, &gate);
    ok(!gate.has_baseline, "an event that the picture does not have");

    begin(NGX_CANARY_METRIC_EVENT_RATIO, NGX_CANARY_AT_MOST, 1000000);
    rule.per = 2;
    ngx_canary_gate_baseline(&split, &gate);
    ok(!gate.has_baseline, "nor one to compare with");
}


static void
limits(void)
{
    begin(NGX_CANARY_METRIC_P95, NGX_CANARY_AT_MOST, 500000);
    ngx_canary_tile_figures(&tile);
    ok(tile.has_limit, "a limit");
    close_to(tile.limit, 500000, "is where it is");

    begin(NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_NOT_WORSE, 500000);
    ngx_canary_tile_figures(&tile);
    ok(tile.has_limit, "a margin of 50%%");
    close_to(tile.limit, 2051 * 1.5, "is half above the baseline");

    begin(NGX_CANARY_METRIC_EVENT_RATIO, NGX_CANARY_NOT_WORSE, 0);
    ngx_canary_tile_figures(&tile);
    close_to(tile.limit, 250000, "a margin of nothing: the baseline");
    memset(events, 0, sizeof(events));
    ngx_canary_gate_baseline(&split, &gate);
    ngx_canary_tile_figures(&tile);
    ok(!tile.has_limit, "of nothing: no limit");

    begin(NGX_CANARY_METRIC_P95, NGX_CANARY_NOT_WORSE, 500000);
    ngx_canary_tile_figures(&tile);
    ok(!tile.has_limit, "a relative quantile has none among times");
}


static void
intervals(void)
{
    size_t                 i;
    ngx_canary_latency_t  *latency;

    static const ngx_canary_metric_e  none[] = {
        NGX_CANARY_METRIC_THROUGHPUT, NGX_CANARY_METRIC_EVENT_RATE,
        NGX_CANARY_METRIC_EVENT_MEAN, NGX_CANARY_METRIC_EVENT_QUANTILE
    };

    static const ngx_canary_metric_e  parts[] = {
        NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_METRIC_ABORT_RATE,
        NGX_CANARY_METRIC_RETRY_RATE, NGX_CANARY_METRIC_EVENT_RATIO
    };

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        begin(none[i], NGX_CANARY_AT_MOST, 1000000);
        ngx_canary_tile_figures(&tile);
        ok(!tile.has_interval, "none that is known");
    }

    /* Wilson's of 10 of 100, by Wilson (1927): 5.523% to 17.437% */

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        begin(parts[i], NGX_CANARY_AT_MOST, 100000);
        ngx_canary_tile_figures(&tile);
        ok(tile.has_interval && !tile.open, "of a part of 10 of 100");
        ok(fabs(tile.low - 55229) < 10, "from 5.523%%");
        ok(fabs(tile.high - 174366) < 10, "to 17.437%%");

        gate.has_actual = 0;
        ngx_canary_tile_figures(&tile);
        ok(!tile.has_interval, "none without a figure");

        gate.has_actual = 1;
        gate.canary[NGX_CANARY_STAGE].n = 0;
        ngx_canary_tile_figures(&tile);
        ok(!tile.has_interval, "none of nothing");
    }

    begin(NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_AT_MOST, 100000);
    gate.canary[NGX_CANARY_STAGE].bad = 100;
    ngx_canary_tile_figures(&tile);
    ok(tile.has_interval && fabs(tile.high - 1e6) < 1, "all of them are bad");
    gate.canary[NGX_CANARY_STAGE].bad = 101;
    ngx_canary_tile_figures(&tile);
    ok(!tile.has_interval, "more than all are just being counted");

    /* a ratio that is to be high counts those that are missing */

    begin(NGX_CANARY_METRIC_EVENT_RATIO, NGX_CANARY_AT_LEAST, 900000);
    ngx_canary_tile_figures(&tile);
    ok(fabs(tile.low - 825634) < 10 && fabs(tile.high - 944771) < 10,
       "90 of 100: 82.56%% to 94.48%%");

    /*
     * A median of 100 latencies of 1 ms to 100 ms: the ranks 40 and 61
     * (Conover, Practical Nonparametric Statistics: n p -+ 1.96
     * sqrt(n p (1 - p))).
     */

    begin(NGX_CANARY_METRIC_P50, NGX_CANARY_AT_MOST, 100000);
    rule.quantile_ppm = 500000;
    latency = &split.variants[1].figures[NGX_CANARY_STAGE].latency;
    latency->hist = hist;
    latency->count = 100;
    latency->min_us = 1000;
    latency->max_us = 100000;

    for (i = 1; i <= 100; i++) {
        hist[ngx_canary_hist_index(i * 1000)]++;
    }

    ngx_canary_tile_figures(&tile);
    ok(tile.has_interval && !tile.open, "of a median");
    is_u64((uint64_t) tile.low,
           ngx_canary_hist_upper(ngx_canary_hist_index(40000) - 1),
           "from the bucket of 40 ms on");
    is_u64((uint64_t) tile.high,
           ngx_canary_hist_upper(ngx_canary_hist_index(61000)),
           "to the end of that of 61 ms");

    /* as many were given up: the upper half is beyond */

    gate.late[NGX_CANARY_STAGE] = 100;
    ngx_canary_tile_figures(&tile);
    ok(tile.open, "open where requests were given up");
    ok(fabs(tile.low - 86000) <= 1000, "from 86 ms: %.0f", tile.low);

    /* three values bound a median by nothing but themselves */

    gate.late[NGX_CANARY_STAGE] = 0;
    memset(hist, 0, sizeof(hist));
    hist[ngx_canary_hist_index(1000)] = 2;
    hist[ngx_canary_hist_index(100000)] = 1;
    latency->count = 3;
    ngx_canary_tile_figures(&tile);
    ok(tile.has_interval && tile.open, "open where there are too few");
    is_u64((uint64_t) tile.low, 1000, "from the least of them");

    latency->hist = NULL;
    ngx_canary_tile_figures(&tile);
    ok(!tile.has_interval, "none without buckets");
}


/* the number behind "before" in a picture, or -1 */

static double
number(const char *text, const char *before)
{
    text = strstr(text, before);

    return text ? strtod(text + strlen(before), NULL) : -1;
}


static char *
drawn(void)
{
    char              *text;
    picture_out_t      p;
    ngx_canary_out_t   out;

    picture_open(&out, &p, 256);
    ngx_canary_page_tiles(&split, &out);
    text = picture_close(&out);

    return text;
}


static void
lines(void)
{
    char  *text;

    /* the limit is at two thirds, unless a figure is beyond */

    begin(NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_AT_MOST, 10000);
    gate.canary[NGX_CANARY_STAGE].n = 1000000;
    gate.canary[NGX_CANARY_STAGE].bad = 5000;
    gate.actual = 5000;
    text = drawn();
    ok(fabs(number(text, "y=\"4\" height=\"20\" x=\"") - 66.67) < 0.1,
       "beyond a limit from two thirds on");
    ok(fabs(number(text, "class=\"v1\" r=\"5\" cy=\"14\" cx=\"") - 33.33) < 0.1,
       "the canary at half of the limit");
    ok(fabs(number(text, "class=\"v0\" r=\"7\" cy=\"14\" cx=\"") - 13.67) < 0.1,
       "the baseline at a fifth");
    ok(strstr(text, "limit 1%</text>") != NULL, "the limit in words");
    ok(strstr(text, "baseline 0.205%") != NULL, "the baseline in words");
    free(text);

    gate.actual = 40000;
    text = drawn();
    ok(fabs(number(text, "class=\"v1\" r=\"5\" cy=\"14\" cx=\"") - 83.33) < 0.1,
       "a canary beyond it is near the end");
    ok(fabs(number(text, "y=\"4\" height=\"20\" x=\"") - 20.83) < 0.1,
       "and the limit moves");
    free(text);

    begin(NGX_CANARY_METRIC_THROUGHPUT, NGX_CANARY_AT_LEAST, 50000000);
    gate.actual = 100000000;
    text = drawn();
    ok(fabs(number(text, "y=\"4\" height=\"20\" width=\"") - 41.67) < 0.1,
       "below a least value");
    ok(strstr(text, "x=\"0") == NULL, "and not behind it");
    ok(strstr(text, "of the whole split") != NULL, "of the whole split");
    ok(strstr(text, "evidence against it") == NULL, "without evidence");
    free(text);

    begin(NGX_CANARY_METRIC_P95, NGX_CANARY_AT_MOST, 500000);
    gate.has_actual = 0;
    text = drawn();
    ok(strstr(text, "<b class=\"v1\">&ndash;</b>") != NULL, "a dash of none");
    ok(strstr(text, "r=\"5\"") == NULL, "and no point");
    free(text);

    gate.beyond[NGX_CANARY_STAGE] = 1;
    text = drawn();
    ok(strstr(text, "<b class=\"v1\">&gt; 500 ms</b>") != NULL,
       "given up: beyond the limit");
    free(text);

    rule.op = NGX_CANARY_NOT_WORSE;
    gate.ref_us = 700000;
    text = drawn();
    ok(strstr(text, "<b class=\"v1\">&gt; 700 ms</b>") != NULL,
       "or beyond what it is compared with");
    free(text);

    /* the bar is full where it fails */

    begin(NGX_CANARY_METRIC_P95, NGX_CANARY_AT_MOST, 500000);
    gate.evidence_ratio = 0.25;
    gate.evidence_log10 = 1.95;
    gate.threshold_log10 = 7.74;
    text = drawn();
    ok(fabs(number(text, "class=\"full\" height=\"8\" rx=\"4\" width=\"") - 25)
       < 0.1, "a quarter of the evidence");
    ok(strstr(text, "<span>2.0 of 7.7</span>") != NULL, "in numbers");
    free(text);

    gate.evidence_ratio = 3;
    text = drawn();
    ok(number(text, "class=\"full\" height=\"8\" rx=\"4\" width=\"") == 100,
       "never more than full");
    free(text);
}


int
main(void)
{
    baselines();
    limits();
    intervals();
    lines();

    return tap_done();
}
