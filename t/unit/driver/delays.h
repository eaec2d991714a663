/*
 * The table of detection delays: a gate of each kind, a fault, and how long it
 * takes to be found.  A false alarm in 90 days, 6 gates, ticks of 1 s, after
 * one good hour.
 */

#ifndef DELAYS_H_INCLUDED
#define DELAYS_H_INCLUDED


#include "traffic.h"


#define DELAYS_FALSE_ALARM  (90 * 86400.0)
#define DELAYS_GATES        6
#define DELAYS_GOOD_TICKS   3600
#define DELAYS_RUNS         200
#define DELAYS_RATES        2
#define DELAYS_FAULTS       5
#define DELAYS_SHARE        0.05
#define DELAYS_LIMIT        0.01        /* the absolute gate's */
#define DELAYS_GOOD         0.003       /* errors before the fault */
#define DELAYS_MARGIN       0.5         /* the relative gate's */
#define DELAYS_BASELINE     0.005       /* errors of the baseline */


typedef struct {
    double    median;
    double    p95;
} delays_t;


static const double  delays_rates[DELAYS_RATES] = { 6.25, 100 };
static const double  delays_faults[DELAYS_FAULTS] = { 1.5, 2, 4, 10, 40 };


/* times the limit, or, relative, times the baseline's errors */

static inline delays_t
delays_simulate(int relative, double rate, double times, uint64_t seed)
{
    delays_t        result;
    uint64_t        delays[DELAYS_RUNS];
    traffic_t       good, fault;
    traffic_gate_t  gate;

    good.cluster = 1;
    good.canary = rate;
    good.baseline = rate * (1 - DELAYS_SHARE) / DELAYS_SHARE;
    good.baseline_bad = DELAYS_BASELINE;
    good.canary_bad = relative ? DELAYS_BASELINE : DELAYS_GOOD;

    gate.limit = relative ? 0 : DELAYS_LIMIT;
    gate.margin = DELAYS_MARGIN;

    fault = good;
    fault.canary_bad = times * (relative ? DELAYS_BASELINE : DELAYS_LIMIT);

    traffic_delays(&good, &fault, &gate,
                   ngx_canary_detector_threshold(DELAYS_FALSE_ALARM, 1,
                                                 DELAYS_GATES),
                   DELAYS_GOOD_TICKS, delays, DELAYS_RUNS, &seed);

    result.median = (double) (delays[DELAYS_RUNS / 2 - 1]
                              + delays[DELAYS_RUNS / 2]) / 2;
    result.p95 = (double) delays[DELAYS_RUNS * 95 / 100 - 1];

    return result;
}


#endif /* DELAYS_H_INCLUDED */
