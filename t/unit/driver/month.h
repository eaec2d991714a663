/*
 * A month of requests that differ: by day and night, from hour to hour, users
 * who always fail, and a bot that fails 2,000 times on either side.  What is
 * found after it, and after its first hour.
 */

#ifndef MONTH_H_INCLUDED
#define MONTH_H_INCLUDED


#include "delays.h"


#define MONTH_TICKS   (30 * 86400 + DELAYS_HOUR)     /* same time of day */
#define MONTH_MONTHS  4                 /* that go on in 50 ways each */
#define MONTH_WORSE   1.2               /* of the first hour, at most */
#define MONTH_BOT     2000.0            /* failures, */
#define MONTH_PART    0.002             /* .. so many of a side's requests */


#define MONTH_KIND(share)                                                     \
    { .bad = (share), .session_size = 3, .session_span = 30,                  \
      .sessions = TRAFFIC_USERS, .night = 0.05, .drift = 0.1 }

static const delays_case_t  month_cases[] = {
    { "error_rate <= 1%, 6.25/s", MONTH_KIND(0.003), 6.25, 0, 0.01, DELAYS_HOUR,
      { { 0.02, 0.04, 0.1, 0.4, 1 }, 0, 0 }, { 0 } },

    { "error_rate <= 1%, 100/s", MONTH_KIND(0.003), 100, 0, 0.01, DELAYS_HOUR,
      { { 0.02, 0.04, 0.1, 0.4, 1 }, 0, 0 }, { 0 } },

    { "not_worse margin=50%, 5 of 100/s", MONTH_KIND(0.005), 5, 1, 0.5,
      DELAYS_HOUR, { { 0.015, 0.045, 0.2, 1 }, 0, 0 }, { 0 } }
};

#define MONTH_CASES  (sizeof(month_cases) / sizeof(month_cases[0]))


typedef struct {
    traffic_t   traffic;
    sim_gate_t  gate;
    unsigned    alarms;
} month_t;


/* the bot: on the baseline in the second week, on the canary in the third */

static inline void
month_bot(const traffic_t *t, double left[2], traffic_count_t counts[2],
    uint64_t *seed)
{
    double    failed;
    size_t    i;
    uint64_t  week;

    week = t->tick / (7 * 86400);

    for (i = 0; i < 2; i++) {
        if (week == 2 - i && left[i] > 0) {
            failed = (double) traffic_poisson(counts[i].n * MONTH_PART, seed);
            left[i] -= failed;
            counts[i].n += failed;
            counts[i].bad += failed;
        }
    }
}


static inline void
month_pass(const delays_case_t *c, unsigned ticks, uint64_t seed, month_t *m)
{
    double           left[2] = { MONTH_BOT, MONTH_BOT };
    unsigned         n;
    sim_rule_t       rule;
    traffic_count_t  counts[2];

    traffic_begin(&m->traffic, &c->kind, c->rate,
                  c->rate * (1 - DELAYS_SHARE) / DELAYS_SHARE, seed);
    rule = delays_rule(c, 0);
    sim_gate_begin(&m->gate, &rule);
    m->alarms = 0;

    for (n = 0; n < ticks; n++) {
        traffic_tick(&m->traffic, counts);
        month_bot(&m->traffic, left, counts, &m->traffic.seed);

        if (sim_gate_tick(&m->gate, counts)) {
            sim_gate_begin(&m->gate, &rule);
            m->alarms++;
        }
    }
}


/* of each fault, after months that went on in a few ways each */

static inline unsigned
month_delays(const delays_case_t *c, unsigned ticks, size_t months,
    delays_t *results)
{
    size_t           i, fault;
    month_t          m;
    unsigned         alarms;
    uint64_t         seed;
    static uint64_t  delays[DELAYS_FAULTS][DELAYS_RUNS];

    seed = alarms_seed(c->name) + ticks;
    alarms = 0;

    for (i = 0; i < DELAYS_RUNS; i++) {

        if (i % (DELAYS_RUNS / months) == 0) {
            month_pass(c, ticks, seed + i, &m);
            alarms += m.alarms;
        }

        m.traffic.seed = seed + DELAYS_RUNS + i;

        for (fault = 0; c->fault.of[fault] > 0; fault++) {
            delays[fault][i] = delays_until(&c->fault, c->fault.of[fault],
                                            m.traffic, m.gate);
        }
    }

    for (fault = 0; c->fault.of[fault] > 0; fault++) {
        results[fault] = delays_sort(delays[fault], DELAYS_RUNS);
    }

    return alarms;
}


#endif /* MONTH_H_INCLUDED */
