/*
 * Gates on events: the status on both sides of each limit, in the stage and in
 * the window, the samples that a pass takes, and the figures of the reasons.
 */

#include "gate.h"


#define SECOND  1000000
#define MINUTE  (60 * (uint64_t) SECOND)


static ngx_canary_event_t  events[2];


/* requests of the canary in the stage are the samples of a rate */

static ngx_canary_gate_t *
event_of(ngx_canary_metric_e metric, ngx_canary_op_e op, uint64_t limit,
    const char *words)
{
    ngx_canary_gate_t  *gate;

    gate = gate_of(0, metric, op, limit, words);

    memset(events, 0, sizeof(events));
    split.events = events;
    split.nevents = 2;
    split.variants[1].figures[NGX_CANARY_STAGE].requests = 1000;

    return gate;
}


/* so many events in so long, in the stage and in the window */

static void
rate(ngx_canary_gate_t *gate, uint64_t stage, uint64_t window, uint64_t us)
{
    trials(&gate->canary[NGX_CANARY_STAGE], stage, us);
    trials(&gate->canary[NGX_CANARY_WINDOW], window, us);
}


/* the same events, allowed so often a minute or a second */

static void
test_rate_units(void)
{
    size_t              i;
    char                reason[160];
    ngx_canary_gate_t  *gate;

    static const struct {
        uint64_t    limit;
        uint64_t    us;
        uint64_t    most;
        const char *at;
        const char *beyond;
    } cases[] = {
        /* 20r/m, 1r/m, 0.5r/m, 50r/s, 0.5r/s and 1000r/s */
        {     333333, MINUTE,       20, "20r/m",    "21r/m" },
        {      16667, 60 * MINUTE,  60, "1r/m",     "1.017r/m" },
        {       8333, 60 * MINUTE,  30, "0.5r/m",   "0.5167r/m" },
        {   50000000, 10 * SECOND, 500, "3000r/m",  "3006r/m" },
        {     500000, 10 * SECOND,   5, "30r/m",    "36r/m" },
        { 1000000000, SECOND,     1000, "60000r/m", "60060r/m" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gate = event_of(NGX_CANARY_METRIC_EVENT_RATE, NGX_CANARY_AT_MOST,
                        cases[i].limit, "event:a <= 1r/s");

        rate(gate, cases[i].most, cases[i].most, cases[i].us);
        (void) snprintf(reason, sizeof(reason), "%s in the stage, %s in the "
                        "window", cases[i].at, cases[i].at);
        passes(gate, reason, "a rate at its limit");

        rate(gate, cases[i].most + 1, cases[i].most, cases[i].us);
        (void) snprintf(reason, sizeof(reason), "%s in the stage, above the "
                        "limit; evidence 10^0.0 of 10^7.7", cases[i].beyond);
        is_pending(gate, reason, "one more in the stage");

        rate(gate, cases[i].most, cases[i].most + 1, cases[i].us);
        (void) snprintf(reason, sizeof(reason), "%s in the window, above the "
                        "limit; evidence 10^0.0 of 10^7.7", cases[i].beyond);
        is_pending(gate, reason, "one more in the window");
    }
}


static void
test_rate(void)
{
    ngx_canary_gate_t  *gate;

    gate = event_of(NGX_CANARY_METRIC_EVENT_RATE, NGX_CANARY_AT_MOST, 333333,
                    "event:a <= 20r/m");
    rate(gate, 3, 3, MINUTE);
    split.variants[1].figures[NGX_CANARY_STAGE].requests = 99;
    is_pending(gate, "99 of 100 samples", "a rate: one less than min");
    split.variants[1].figures[NGX_CANARY_STAGE].requests = 100;
    passes(gate, "3r/m in the stage, 3r/m in the window", "a rate: at min");
    is_u64(gate->samples, 100, "a rate: samples are requests, not events");
    is_u64(gate->actual, 50000, "a rate: three a minute, by the second");

    rate(gate, 21, 24, MINUTE);
    gate->evidence = THRESHOLD;
    fails(gate, "event:a <= 20r/m is broken: 21r/m in the stage, 24r/m in the "
          "window, evidence 10^7.7 of 10^7.7", "a rate: broken");

    /* in no time there is no rate */

    gate->evidence = NONE;
    trials(&gate->canary[NGX_CANARY_WINDOW], 0, 0);
    is_pending(gate, "no samples in the window", "a rate: no time yet");

    /* not even one */

    gate = event_of(NGX_CANARY_METRIC_EVENT_RATE, NGX_CANARY_AT_MOST, 0,
                    "event:a <= 0");
    rate(gate, 0, 0, MINUTE);
    passes(gate, "0r/m in the stage, 0r/m in the window", "none, of none");
    rate(gate, 1, 0, MINUTE);
    is_pending(gate, "1r/m in the stage, above the limit; evidence 10^0.0 of "
               "10^7.7", "one, of none");

    /* the other way round */

    gate = event_of(NGX_CANARY_METRIC_EVENT_RATE, NGX_CANARY_AT_LEAST, 333333,
                    "event:a >= 20r/m");
    rate(gate, 20, 20, MINUTE);
    passes(gate, "20r/m in the stage, 20r/m in the window",
           "at least so many: as many");
    rate(gate, 2000, 20, MINUTE);
    passes(gate, "2000r/m in the stage, 20r/m in the window",
           "at least so many: many more");
    rate(gate, 19, 20, MINUTE);
    is_pending(gate, "19r/m in the stage, below the limit; evidence 10^0.0 of "
               "10^7.7", "at least so many: one less in the stage");
    rate(gate, 20, 19, MINUTE);
    is_pending(gate, "19r/m in the window, below the limit; evidence 10^0.0 of "
               "10^7.7", "at least so many: one less in the window");
}


/*
 * A limit on the part that is good, or on the part that is bad: of n events at
 * most so many are bad.
 */

static void
test_ratio_limits(void)
{
    size_t              i, k;
    uint64_t            shown;
    ngx_canary_gate_t  *gate;

    static const struct {
        ngx_canary_op_e  op;
        uint64_t         limit;
        uint64_t         n;
        uint64_t         most;
        const char      *name;
    } cases[] = {
        { NGX_CANARY_AT_LEAST,  900000,    1000,   100, ">= 90%" },
        { NGX_CANARY_AT_LEAST,  900000,     999,    99, ">= 90% of 999" },
        { NGX_CANARY_AT_LEAST,  500000,    1000,   500, ">= 50%" },
        { NGX_CANARY_AT_LEAST,   50000,    1000,   950, ">= 5%" },
        { NGX_CANARY_AT_LEAST,  995500,   10000,    45, ">= 99.55%" },
        { NGX_CANARY_AT_LEAST,  999999, 1000000,     1, ">= 99.9999%" },
        { NGX_CANARY_AT_LEAST, 1000000,    1000,     0, ">= 100%" },
        { NGX_CANARY_AT_LEAST,       1, 1000000, 999999, ">= 0.0001%" },
        { NGX_CANARY_AT_MOST,    50000,    1000,    50, "<= 5%" },
        { NGX_CANARY_AT_MOST,    50000,     999,    49, "<= 5% of 999" },
        { NGX_CANARY_AT_MOST,   900000,    1000,   900, "<= 90%" },
        { NGX_CANARY_AT_MOST,    12345, 1000000, 12345, "<= 1.2345%" },
        { NGX_CANARY_AT_MOST,        1, 1000000,     1, "<= 0.0001%" },
        { NGX_CANARY_AT_MOST,        0,    1000,     0, "<= 0%" },
        { NGX_CANARY_AT_MOST,   999999, 1000000, 999999, "<= 99.9999%" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gate = event_of(NGX_CANARY_METRIC_EVENT_RATIO, cases[i].op,
                        cases[i].limit, "event:a/b");

        for (k = 0; k < 4; k++) {
            trials(&gate->canary[NGX_CANARY_STAGE], cases[i].most + k % 2,
                   cases[i].n);
            trials(&gate->canary[NGX_CANARY_WINDOW], cases[i].most + k / 2,
                   cases[i].n);
            ngx_canary_gates_judge(&split);

            ok(gate->status == (k ? NGX_CANARY_GATE_PENDING
                                  : NGX_CANARY_GATE_PASS),
               "%s: %d bad in the stage, %d in the window more than may be",
               cases[i].name, (int) (k % 2), (int) (k / 2));
        }

        shown = (cases[i].op == NGX_CANARY_AT_MOST)
                ? cases[i].most + 1 : cases[i].n - cases[i].most - 1;
        is_u64(gate->actual, (shown * 1000000 + cases[i].n / 2) / cases[i].n,
               "the figure");
    }
}


static void
test_ratio(void)
{
    ngx_canary_gate_t  *gate;

    gate = event_of(NGX_CANARY_METRIC_EVENT_RATIO, NGX_CANARY_AT_LEAST, 900000,
                    "event:good/all >= 90%");
    is_pending(gate, "0 of 100 samples", "nothing seen");
    canary(gate, 0, 99);
    is_pending(gate, "99 of 100 samples", "a ratio: one less than min");
    is_u64(gate->samples, 99, "samples are those of the second event");

    canary(gate, 10, 100);
    passes(gate, "90% in the stage, 90% in the window", "at least: at it");
    canary(gate, 0, 100);
    passes(gate, "100% in the stage, 100% in the window", "at least: all");
    canary(gate, 230, 1000);
    is_pending(gate, "77% in the stage, below the limit; evidence 10^0.0 of "
               "10^7.7", "at least: 77%");
    trials(&gate->canary[NGX_CANARY_STAGE], 5, 1000);
    is_pending(gate, "77% in the window, below the limit; evidence 10^0.0 of "
               "10^7.7", "at least: 77% in the window alone");

    canary(gate, 400, 1000);
    gate->evidence = THRESHOLD;
    fails(gate, "event:good/all >= 90% is broken: 60% in the stage (400 of "
          "1000), 60% in the window, evidence 10^7.7 of 10^7.7",
          "at least: broken");

    gate = event_of(NGX_CANARY_METRIC_EVENT_RATIO, NGX_CANARY_AT_MOST, 50000,
                    "event:bad/all <= 5%");
    canary(gate, 50, 1000);
    passes(gate, "5% in the stage, 5% in the window", "at most: at it");
    canary(gate, 0, 1000);
    passes(gate, "0% in the stage, 0% in the window", "at most: none");
    canary(gate, 51, 1000);
    is_pending(gate, "5.1% in the stage, above the limit; evidence 10^0.0 of "
               "10^7.7", "at most: one more");
    trials(&gate->canary[NGX_CANARY_WINDOW], 0, 0);
    is_pending(gate, "no samples in the window", "at most: an empty window");

    canary(gate, 950, 1000);
    gate->evidence = THRESHOLD;
    fails(gate, "event:bad/all <= 5% is broken: 95% in the stage (950 of "
          "1000), 95% in the window, evidence 10^7.7 of 10^7.7",
          "at most: broken");
}


/* values in 1e-3, of the first event */

static ngx_canary_event_figures_t *
figures(ngx_canary_scope_e scope)
{
    return &events[0].figures[1][scope];
}


static void
test_quantile(size_t q, uint32_t ppm, uint64_t n, uint64_t most)
{
    size_t              s;
    ngx_canary_gate_t  *gate;

    gate = event_of(NGX_CANARY_METRIC_EVENT_QUANTILE, NGX_CANARY_AT_MOST,
                    30000000, "event:a:q <= 30");
    rules[0].quantile_ppm = ppm;
    rules[0].le = q;

    for (s = NGX_CANARY_STAGE; s <= NGX_CANARY_WINDOW; s++) {
        figures(s)->nvalues = n;
        figures(s)->quantile[q] = 30500;
    }

    /* counts decide, not the figure, which is a bucket's middle */

    canary(gate, most, n);
    passes(gate, "30.5 in the stage, 30.5 in the window",
           "a quantile: as many beyond its limit as may be");
    is_u64(gate->samples, n, "a quantile: samples are values");

    trials(&gate->canary[NGX_CANARY_STAGE], most + 1, n);
    is_pending(gate, "30.5 in the stage, above the limit; evidence 10^0.0 of "
               "10^7.7", "a quantile: one more in the stage");

    canary(gate, most, n);
    trials(&gate->canary[NGX_CANARY_WINDOW], most + 1, n);
    is_pending(gate, "30.5 in the window, above the limit; evidence 10^0.0 of "
               "10^7.7", "a quantile: one more in the window");

    canary(gate, 0, 99);
    is_pending(gate, "99 of 100 samples", "a quantile: one less than min");

    canary(gate, most + 1, n);
    gate->evidence = THRESHOLD;
    figures(NGX_CANARY_STAGE)->quantile[q] = 1234567;
    ngx_canary_gates_judge(&split);
    ok(gate->status == NGX_CANARY_GATE_FAIL
       && strstr(gate->buf, "event:a:q <= 30 is broken: 1235 in the stage (")
          == gate->buf,
       "a quantile: broken");
}


static void
test_mean(void)
{
    size_t              s;
    ngx_canary_gate_t  *gate;

    gate = event_of(NGX_CANARY_METRIC_EVENT_MEAN, NGX_CANARY_AT_MOST, 20000000,
                    "event:a:mean <= 20");

    for (s = NGX_CANARY_STAGE; s <= NGX_CANARY_WINDOW; s++) {
        figures(s)->nvalues = 100;
        figures(s)->mean = 20000000;
    }

    /* the mean itself decides, whatever part of a value is bad */

    canary(gate, 99999, 99999);
    is_pending(gate, "99 of 100 samples", "a mean: one less than min");
    canary(gate, 100000, 100000);
    passes(gate, "20 in the stage, 20 in the window", "a mean: at its limit");
    is_u64(gate->samples, 100, "a mean: samples are values");
    is_u64(gate->actual, 20000000, "a mean: the figure");

    figures(NGX_CANARY_WINDOW)->mean = 20010000;
    is_pending(gate, "20.01 in the window, above the limit; evidence 10^0.0 of "
               "10^7.7", "a mean: above in the window");
    figures(NGX_CANARY_STAGE)->mean = 20020000;
    is_pending(gate, "20.02 in the stage, above the limit; evidence 10^0.0 of "
               "10^7.7", "a mean: above in the stage");

    figures(NGX_CANARY_STAGE)->mean = 20000001;
    figures(NGX_CANARY_WINDOW)->mean = 20000000;
    ngx_canary_gates_judge(&split);
    ok(gate->status == NGX_CANARY_GATE_PENDING, "a mean: by a millionth");

    gate->evidence = THRESHOLD;
    figures(NGX_CANARY_STAGE)->mean = 25500000;
    figures(NGX_CANARY_WINDOW)->mean = 31250000;
    fails(gate, "event:a:mean <= 20 is broken: 25.5 in the stage, 31.25 in the "
          "window, evidence 10^7.7 of 10^7.7", "a mean: broken");

    figures(NGX_CANARY_WINDOW)->nvalues = 0;
    gate->evidence = NONE;
    is_pending(gate, "no samples in the window", "a mean: of nothing");

    /* an event that this picture does not have */

    split.nevents = 0;
    is_pending(gate, "no samples in the stage", "a mean: of no event");
}


int
main(void)
{
    test_rate_units();
    test_rate();
    test_ratio_limits();
    test_ratio();
    test_quantile(NGX_CANARY_METRIC_P50, 500000, 1000, 500);
    test_quantile(NGX_CANARY_METRIC_P90, 900000, 1000, 100);
    test_quantile(NGX_CANARY_METRIC_P95, 950000, 1000, 50);
    test_quantile(NGX_CANARY_METRIC_P99, 990000, 1000, 10);
    test_quantile(NGX_CANARY_METRIC_P999, 999000, 1000, 1);
    test_mean();

    return tap_done();
}
