/*
 * How long a fault lasts until it is found: a gate, good traffic, and a fault
 * that is added to what fails anyway.  A false alarm in 90 days, 6 gates, ticks
 * of a second, pause=1s.
 */

#ifndef DELAYS_H_INCLUDED
#define DELAYS_H_INCLUDED


#include "alarms.h"


#define DELAYS_RUNS    200
#define DELAYS_HOUR    3600
#define DELAYS_MOST    20000            /* ticks */
#define DELAYS_SHARE   0.05
#define DELAYS_FAULTS  5
#define DELAYS_WORSE   1.1              /* of the design, at most */


typedef struct {
    double    of[DELAYS_FAULTS];        /* share of the good requests; 0: end */
    double    on;                       /* ticks of each "every"; 0: always */
    double    every;
} delays_fault_t;


typedef struct {
    const char      *name;
    traffic_kind_t   kind;
    double           rate;              /* the canary's */
    int              relative;
    double           limit;
    unsigned         good;              /* ticks before the fault */
    delays_fault_t   fault;
    double           design[DELAYS_FAULTS];
} delays_case_t;


typedef struct {
    double    median;
    double    p95;
} delays_t;


static const delays_case_t  delays_cases[] = {
    { "error_rate <= 1%, 6.25/s", { .bad = 0.003 }, 6.25, 0, 0.01, DELAYS_HOUR,
      { { 0.02, 0.04, 0.1, 0.4, 1 }, 0, 0 }, { 467, 107, 26, 8, 6 } },

    { "error_rate <= 1%, 100/s", { .bad = 0.003 }, 100, 0, 0.01, DELAYS_HOUR,
      { { 0.02, 0.04, 0.1, 0.4, 1 }, 0, 0 }, { 34, 11, 7, 6, 6 } },

    { ".. others in sessions of 10",
      { .bad = 0.003, .session_size = 10, .session_span = 30 }, 100, 0, 0.01,
      DELAYS_HOUR, { { 0.02, 0.04, 0.1, 0.4, 1 }, 0, 0 },
      { 335, 71, 15, 7, 6 } },

    { "p95, 50/s, 1 s in 60 s pauses",
      { .bad = 0.015 + 1 / 60.0, .pause = 1, .every = 60 }, 50, 0, 0.05,
      DELAYS_HOUR, { { 0.1, 0.2, 1 }, 0, 0 }, { 69, 36, 8 } },

    { "p95, 50/s, no pauses", { .bad = 0.015 }, 50, 0, 0.05, DELAYS_HOUR,
      { { 0.1, 0.2, 1 }, 0, 0 }, { 17, 7, 7 } },

    { "error_rate <= 1%, fresh, 5/s", { .bad = 0.003 }, 5, 0, 0.01, 0,
      { { 0.04, 0.1, 1 }, 0, 0 }, { 247, 116, 18 } },

    { "not_worse margin=50%, 5 of 100/s", { .bad = 0.005 }, 5, 1, 0.5,
      DELAYS_HOUR, { { 0.015, 0.045, 0.2, 1 }, 0, 0 }, { 627, 102, 16, 6 } },

    { "10 of each 60 s, 5/s", { .bad = 0.003 }, 5, 0, 0.01, DELAYS_HOUR,
      { { 0.3 }, 10, 60 }, { 66 } },

    { "10 of each 60 s, 50/s", { .bad = 0.003 }, 50, 0, 0.01, DELAYS_HOUR,
      { { 0.3 }, 10, 60 }, { 6 } },

    { "1 of each 10 s, 5/s", { .bad = 0.003 }, 5, 0, 0.01, DELAYS_HOUR,
      { { 1 }, 1, 10 }, { 71 } },

    { "1 of each 10 s, 50/s", { .bad = 0.003 }, 50, 0, 0.01, DELAYS_HOUR,
      { { 1 }, 1, 10 }, { 71 } }
};

#define DELAYS_CASES  (sizeof(delays_cases) / sizeof(delays_cases[0]))


static inline sim_rule_t
delays_rule(const delays_case_t *c, unsigned fleet)
{
    sim_rule_t  rule;

    rule.relative = c->relative;
    rule.limit = c->limit;
    rule.pause = 1;
    rule.threshold = ngx_canary_detector_threshold(SIM_DAYS_90, 1, SIM_GATES,
                                                   fleet);

    return rule;
}


/* some of the good requests fail, in the nth tick of a fault */

static inline void
delays_fail(const delays_fault_t *fault, double of, unsigned n,
    traffic_count_t *count, uint64_t *seed)
{
    if (fault->on > 0 && fmod(n, fault->every) >= fault->on) {
        return;
    }

    count->bad += (double) traffic_binomial((uint64_t) (count->n - count->bad),
                                            of, seed);
}


/* ticks until the gate fails; traffic and gate are copies */

static inline uint64_t
delays_until(const delays_fault_t *fault, double of, traffic_t t, sim_gate_t g)
{
    unsigned         n;
    traffic_count_t  counts[2];

    for (n = 0; n < DELAYS_MOST; n++) {
        traffic_tick(&t, counts);
        delays_fail(fault, of, n, &counts[0], &t.seed);

        if (sim_gate_tick(&g, counts)) {
            return n + 1;
        }
    }

    return DELAYS_MOST;
}


static inline delays_t
delays_sort(uint64_t *delays, size_t runs)
{
    delays_t  result;

    sample_sort(delays, runs);

    result.median = (double) (delays[runs / 2 - 1] + delays[runs / 2]) / 2;
    result.p95 = (double) delays[runs * 95 / 100 - 1];

    return result;
}


/* the gate after good traffic */

static inline void
delays_begin(const delays_case_t *c, uint64_t seed, traffic_t *t,
    sim_gate_t *g)
{
    unsigned         n;
    sim_rule_t       rule;
    traffic_count_t  counts[2];

    traffic_begin(t, &c->kind, c->rate,
                  c->rate * (1 - DELAYS_SHARE) / DELAYS_SHARE, seed);
    rule = delays_rule(c, 0);
    sim_gate_begin(g, &rule);

    for (n = 0; n < c->good; n++) {
        traffic_tick(t, counts);

        if (sim_gate_tick(g, counts)) {
            sim_gate_begin(g, &rule);
        }
    }
}


static inline delays_t
delays_measure(const delays_case_t *c, size_t fault, size_t runs)
{
    size_t      i;
    uint64_t    delays[DELAYS_RUNS], seed;
    traffic_t   t;
    sim_gate_t  g;

    seed = alarms_seed(c->name);

    for (i = 0; i < runs; i++) {
        delays_begin(c, seed + i, &t, &g);
        delays[i] = delays_until(&c->fault, c->fault.of[fault], t, g);
    }

    return delays_sort(delays, runs);
}


#endif /* DELAYS_H_INCLUDED */
