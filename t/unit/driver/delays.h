/*
 * How long a fault lasts until a gate finds it: a false alarm in 90 days and 6
 * gates, pause=1s, after one good hour, ticks of 1 s.  A fault comes on top of
 * what is bad anyway.
 */

#ifndef DELAYS_H_INCLUDED
#define DELAYS_H_INCLUDED


#include "gate.h"


#define DELAYS_FALSE_ALARM  (90 * 86400.0)
#define DELAYS_GATES        6
#define DELAYS_GOOD_TICKS   3600
#define DELAYS_RUNS         200
#define DELAYS_MOST         20000
#define DELAYS_FAULTS       5

/* what is bad before the fault: 0.3 of the limit */
#define DELAYS_ERRORS       0.003
#define DELAYS_SLOW         0.015


typedef struct {
    const char     *name;
    int             relative;
    double          limit;      /* share, or margin */
    double          rate;       /* of the canary, a second */
    int             fresh;      /* no good hour before */
    double          of;         /* the fault lasts so long in each "every" */
    double          every;      /* 0: all the time */
    traffic_kind_t  good;
    double          faults[DELAYS_FAULTS];      /* shares, up to a 0 */
    double          goals[DELAYS_FAULTS];       /* medians, s; 0: none */
} delays_row_t;


typedef struct {
    double          median;
    double          p95;
} delays_t;


/* the share of a canary is 5% in all of them */
static const delays_row_t  delays_rows[] = {
    { "error_rate <= 1%, 6.25/s", 0, 0.01, 6.25, 0, 0, 0,
      { .bad = DELAYS_ERRORS },
      { 0.02, 0.04, 0.1, 0.4, 1 }, { 467, 107, 26, 8, 6 } },
    { "error_rate <= 1%, 100/s", 0, 0.01, 100, 0, 0, 0,
      { .bad = DELAYS_ERRORS },
      { 0.02, 0.04, 0.1, 0.4, 1 }, { 34, 11, 7, 6, 6 } },
    { "other errors in sessions of 10", 0, 0.01, 100, 0, 0, 0,
      { .bad = DELAYS_ERRORS, .session_size = 10, .session_span = 30 },
      { 0.02, 0.04, 0.1, 0.4, 1 }, { 335, 71, 15, 7, 6 } },
    { "p95, 50/s, pauses of 1 s in 60 s", 0, 0.05, 50, 0, 0, 0,
      { .bad = DELAYS_SLOW + 1 / 60.0, .pause = 1, .every = 60 },
      { 0.1, 0.2, 1 }, { 69, 36, 8 } },
    { "p95, 50/s", 0, 0.05, 50, 0, 0, 0,
      { .bad = DELAYS_SLOW },
      { 0.1, 0.2, 1 }, { 17, 7, 7 } },
    { "error_rate <= 1%, 5/s, fresh", 0, 0.01, 5, 1, 0, 0,
      { .bad = DELAYS_ERRORS },
      { 0.04, 0.1, 1 }, { 247, 116, 18 } },
    { "error_rate not_worse 50%, 5/s", 1, 0.5, 5, 0, 0, 0,
      { .bad = 0.005 },
      { 0.015, 0.045, 0.2, 1 }, { 627, 102, 16, 6 } },
    { "10 of each 60 s, 5/s", 0, 0.01, 5, 0, 10, 60,
      { .bad = DELAYS_ERRORS },
      { 0.3 }, { 66 } },
    { "10 of each 60 s, 50/s", 0, 0.01, 50, 0, 10, 60,
      { .bad = DELAYS_ERRORS },
      { 0.3 }, { 6 } },
    { "1 of each 10 s, 5/s", 0, 0.01, 5, 0, 1, 10,
      { .bad = DELAYS_ERRORS },
      { 1 }, { 71 } },
    { "1 of each 10 s, 50/s", 0, 0.01, 50, 0, 1, 10,
      { .bad = DELAYS_ERRORS },
      { 1 }, { 71 } }
};

#define DELAYS_ROWS  (sizeof(delays_rows) / sizeof(delays_rows[0]))


static inline void
delays_fault(traffic_t *t, traffic_count_t *c, double share)
{
    double  n, good;

    good = c->n - c->bad;

    for (n = 0; n < good; n++) {
        c->bad += sample_unit(&t->seed) < share;
    }
}


/* ticks from its beginning; "t" and "g" are as they were before it */

static inline uint64_t
delays_found(const delays_row_t *row, traffic_t *t, sim_gate_t *g,
    double share)
{
    uint64_t         k;
    traffic_count_t  c[2];

    for (k = 0; k < DELAYS_MOST; k++) {
        traffic_tick(t, c);

        if (row->every <= 0 || fmod((double) k, row->every) < row->of) {
            delays_fault(t, &c[0], share);
        }

        if (sim_gate_tick(g, c)) {
            break;
        }
    }

    return k + 1;
}


static inline sim_rule_t
delays_rule(const delays_row_t *row)
{
    sim_rule_t  rule;

    rule.relative = row->relative;
    rule.limit = row->limit;
    rule.threshold = ngx_canary_detector_threshold(DELAYS_FALSE_ALARM, 1,
                                                   DELAYS_GATES, 0);
    rule.pause = 1;

    return rule;
}


static inline delays_t
delays_simulate(const delays_row_t *row, double share)
{
    unsigned         k;
    uint64_t         i, found[DELAYS_RUNS];
    delays_t         delays;
    traffic_t        t;
    sim_rule_t       rule;
    sim_gate_t       g;
    traffic_count_t  c[2];

    rule = delays_rule(row);

    for (i = 0; i < DELAYS_RUNS; i++) {
        traffic_begin(&t, &row->good, row->rate, row->rate * 19, 1000 + i);
        sim_gate_begin(&g, &rule);

        for (k = 0; !row->fresh && k < DELAYS_GOOD_TICKS; k++) {
            traffic_tick(&t, c);
            sim_gate_tick(&g, c);
        }

        found[i] = delays_found(row, &t, &g, share);
    }

    sample_sort(found, DELAYS_RUNS);

    delays.median = (double) (found[DELAYS_RUNS / 2 - 1]
                              + found[DELAYS_RUNS / 2]) / 2;
    delays.p95 = (double) found[DELAYS_RUNS * 95 / 100 - 1];

    return delays;
}


#endif /* DELAYS_H_INCLUDED */
