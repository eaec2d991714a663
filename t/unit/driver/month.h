/*
 * A month of requests that differ: by day and night, from hour to hour, users
 * who always fail, and a bot that fails 2,000 times on either side.  What is
 * found on the last ten days of it, and after its first hour.
 */

#ifndef MONTH_H_INCLUDED
#define MONTH_H_INCLUDED


#include "delays.h"


#define MONTH_DAY     86400
#define MONTH_FROM    21                /* days, of which each of the next */
#define MONTH_DAYS    10                /* .. is one that faults begin on */
#define MONTH_WAYS    5                 /* in which a day goes on */
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
    sim_rule_t  rule;
    double      left[2];                /* failures of the bot */
    unsigned    alarms;
} month_t;


/* the bot: on the baseline in the second week, on the canary in the third */

static inline void
month_bot(month_t *m, traffic_count_t counts[2])
{
    double    failed;
    size_t    i;
    uint64_t  week;

    week = m->traffic.tick / (7 * MONTH_DAY);

    for (i = 0; i < 2; i++) {
        if (week == 2 - i && m->left[i] > 0) {
            failed = (double) traffic_poisson(counts[i].n * MONTH_PART,
                                              &m->traffic.seed);
            m->left[i] -= failed;
            counts[i].n += failed;
            counts[i].bad += failed;
        }
    }
}


static inline void
month_begin(const delays_case_t *c, uint64_t seed, month_t *m)
{
    traffic_begin(&m->traffic, &c->kind, c->rate,
                  c->rate * (1 - DELAYS_SHARE) / DELAYS_SHARE, seed);
    m->rule = delays_rule(c, 0);
    sim_gate_begin(&m->gate, &m->rule);
    m->left[0] = MONTH_BOT;
    m->left[1] = MONTH_BOT;
    m->alarms = 0;
}


static inline void
month_pass(month_t *m, unsigned ticks)
{
    traffic_count_t  counts[2];

    for ( ; ticks; ticks--) {
        traffic_tick(&m->traffic, counts);
        month_bot(m, counts);

        if (sim_gate_tick(&m->gate, counts)) {
            sim_gate_begin(&m->gate, &m->rule);
            m->alarms++;
        }
    }
}


/* "m" goes on without it */

static inline uint64_t
month_fault(const delays_case_t *c, size_t fault, const month_t *m,
    uint64_t seed)
{
    traffic_t  t;

    t = m->traffic;
    t.seed = seed * 31 + fault;

    return delays_until(&c->fault, c->fault.of[fault], t, m->gate);
}


/*
 * Of each fault: after the first hour, or at the same time of the day on each
 * of the last days, in a few ways each.
 */

static inline unsigned
month_delays(const delays_case_t *c, int late, delays_t *results)
{
    size_t           i, fault, ways;
    month_t          m;
    unsigned         alarms;
    uint64_t         seed;
    static uint64_t  delays[DELAYS_FAULTS][DELAYS_RUNS];

    seed = alarms_seed(c->name) + (late != 0);
    ways = late ? MONTH_WAYS : 1;
    alarms = 0;

    for (i = 0; i < DELAYS_RUNS; i++) {

        if (i % (ways * (late ? MONTH_DAYS : 1)) == 0) {
            month_begin(c, seed + i, &m);
            month_pass(&m, (late ? MONTH_FROM * MONTH_DAY : 0) + DELAYS_HOUR);
            alarms += m.alarms;

        } else if (i % ways == 0) {
            m.alarms = 0;
            month_pass(&m, MONTH_DAY);
            alarms += m.alarms;
        }

        for (fault = 0; c->fault.of[fault] > 0; fault++) {
            delays[fault][i] = month_fault(c, fault, &m, seed + i);
        }
    }

    for (fault = 0; c->fault.of[fault] > 0; fault++) {
        results[fault] = delays_sort(delays[fault], DELAYS_RUNS);
    }

    return alarms;
}


#endif /* MONTH_H_INCLUDED */
