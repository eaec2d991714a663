/*
 * How fast a fault is found, with a promise of 90 days: no slower than the
 * table that the method was chosen by, and as fast late as early.
 */

#include "driver/delays.h"

#include "tap.h"


#define LATE_RUNS   100
#define LATE_TICKS  72000               /* 20 hours */

/* of 200 runs: three standard errors of a median, and of a 95th percentile */
#define MEDIAN_MARGIN  1.15
#define P95_MARGIN     1.25


typedef struct {
    int       relative;
    double    times;
    delays_t  at[DELAYS_RATES];
} expected_t;


static const expected_t  expected[] = {
    { 0, 1.5, { { 1896, 3353 }, { 146, 252 } } },
    { 0, 2, { { 598, 1051 }, { 42, 67 } } },
    { 0, 4, { { 95, 193 }, { 8, 14 } } },
    { 0, 10, { { 20, 33 }, { 2, 3 } } },
    { 0, 40, { { 3, 6 }, { 1, 1 } } },
    { 1, 4, { { 373, 676 }, { 30, 52 } } },
    { 1, 10, { { 58, 106 }, { 5, 8 } } },
    { 1, 40, { { 9, 16 }, { 1, 2 } } }
};


static void
table(void)
{
    size_t    i, k;
    delays_t  got;

    for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        for (k = 0; k < DELAYS_RATES; k++) {
            got = delays_simulate(expected[i].relative, delays_rates[k],
                                  expected[i].times, 1);

            ok(got.median <= expected[i].at[k].median * MEDIAN_MARGIN + 1
               && got.p95 <= expected[i].at[k].p95 * P95_MARGIN + 1,
               "%g times the %s at %g r/s: %.0f, %.0f s, of %.0f, %.0f",
               expected[i].times, expected[i].relative ? "baseline" : "limit",
               delays_rates[k], got.median, got.p95, expected[i].at[k].median,
               expected[i].at[k].p95);
        }
    }
}


/* the theory: ln(threshold) over the divergence of the truth from the limit */

static void
theory(void)
{
    double    p, q, bad, expect;
    delays_t  got;

    p = 2 * DELAYS_SHARE / (1 + DELAYS_SHARE);
    q = 1.5 * DELAYS_SHARE / (1 + 0.5 * DELAYS_SHARE);
    bad = 6.25 * 2 * DELAYS_BASELINE + 6.25 * 19 * DELAYS_BASELINE;

    expect = log(DELAYS_FALSE_ALARM * DELAYS_GATES)
             / (p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))) / bad;

    got = delays_simulate(1, 6.25, 2, 1);

    ok(got.median <= expect, "2 times the baseline at 6.25 r/s: %.0f s, at most"
       " the %.0f of the theory", got.median, expect);
}


static void
late(double errors, double times, double rate)
{
    double          threshold, early, median;
    uint64_t        seed, delays[LATE_RUNS];
    traffic_t       good, fault;
    traffic_gate_t  gate;

    memset(&good, 0, sizeof(good));
    good.cluster = 1;
    good.canary = rate;
    good.canary_bad = errors;

    gate.limit = DELAYS_LIMIT;
    gate.margin = 0;

    fault = good;
    fault.canary_bad = times * DELAYS_LIMIT;

    threshold = ngx_canary_detector_threshold(DELAYS_FALSE_ALARM, 1,
                                              DELAYS_GATES);
    seed = 5;

    traffic_delays(&good, &fault, &gate, threshold, 60, delays, LATE_RUNS,
                   &seed);
    early = (double) delays[LATE_RUNS / 2];

    traffic_delays(&good, &fault, &gate, threshold, LATE_TICKS, delays,
                   LATE_RUNS, &seed);
    median = (double) delays[LATE_RUNS / 2];

    ok(median <= early * MEDIAN_MARGIN * MEDIAN_MARGIN + 1,
       "%g times the limit at %g r/s, after 20 hours at %g%%: %.0f s, after a"
       " minute %.0f", times, rate, errors * 100, median, early);
}


int
main(void)
{
    table();
    theory();
    late(0.003, 2, 6.25);
    late(0, 4, 6.25);
    late(0, 10, 100);

    return tap_done();
}
