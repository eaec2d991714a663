/*
 * Six gates of the same requests: how often one of them is called broken while
 * all are exactly at their limits.  What fails is the slowest as well, so what
 * comes together in one gate comes together in all.
 */

#ifndef SEVERAL_H_INCLUDED
#define SEVERAL_H_INCLUDED


#include "alarms.h"


#define SEVERAL_PROMISE  86400.0        /* ticks */
#define SEVERAL_TICKS    (5.5 * SEVERAL_PROMISE)
#define SEVERAL_RATE     50             /* the canary's requests */
#define SEVERAL_SHARE    0.25


typedef struct {
    const char  *name;
    int          relative;
    double       bad;
} several_gate_t;


typedef struct {
    const char      *name;
    traffic_kind_t   kind;
} several_case_t;


static const several_gate_t  several_gates[SIM_GATES] = {
    { "error_rate", 0, 0.01 },
    { "p99", 0, 0.01 },
    { "p95", 0, 0.05 },
    { "p50", 0, 0.5 },
    { "error_rate not_worse", 1, 0.01 },
    { "p95 not_worse", 1, 0.05 }
};


static const several_case_t  several_cases[] = {
    { "six gates, independent requests", { .bad = 0.01 } },

    { "six gates, sessions of 10 over 30 s",
      { .bad = 0.01, .session_size = 10, .session_span = 30 } },

    { "six gates, pauses of 1 s every 600 s, each",
      { .bad = 0.01, .pause = 1, .every = 600 } },

    { "six gates, pauses of 1 s every 600 s, at once",
      { .bad = 0.01, .pause = 1, .every = 600, .pauses = TRAFFIC_TOGETHER } }
};

#define SEVERAL_CASES  (sizeof(several_cases) / sizeof(several_cases[0]))


/* of "least", which are bad for the strictest gate, to those of a gate */

static inline double
several_more(const traffic_count_t *least, double bad, double from, double to,
    uint64_t *seed)
{
    return bad + (double) traffic_binomial((uint64_t) (least->n - bad),
                                           (to - from) / (1 - from), seed);
}


static inline void
several_counts(const traffic_count_t least[2], traffic_count_t p95[2],
    traffic_count_t p50[2], uint64_t *seed)
{
    size_t  i;

    for (i = 0; i < 2; i++) {
        p95[i].n = least[i].n;
        p95[i].bad = several_more(&least[i], least[i].bad, 0.01, 0.05, seed);

        p50[i].n = least[i].n;
        p50[i].bad = several_more(&least[i], p95[i].bad, 0.05, 0.5, seed);
    }
}


static inline unsigned
several_alarms(const several_case_t *c, double ticks)
{
    int              failed;
    double           tick;
    size_t           i;
    unsigned         found;
    traffic_t        t;
    sim_gate_t       gates[SIM_GATES];
    sim_rule_t       rules[SIM_GATES];
    traffic_count_t  least[2], p95[2], p50[2], *counts[SIM_GATES];

    traffic_begin(&t, &c->kind, SEVERAL_RATE,
                  SEVERAL_RATE * (1 - SEVERAL_SHARE) / SEVERAL_SHARE,
                  alarms_seed(c->name));

    for (i = 0; i < SIM_GATES; i++) {
        rules[i].threshold = ngx_canary_detector_threshold(SEVERAL_PROMISE, 1,
                                                           SIM_GATES, 0);
        rules[i].pause = 1;
        rules[i].relative = several_gates[i].relative;
        rules[i].limit = several_gates[i].relative ? 0 : several_gates[i].bad;
        sim_gate_begin(&gates[i], &rules[i]);

        counts[i] = several_gates[i].bad > 0.05
                    ? p50 : several_gates[i].bad > 0.01 ? p95 : least;
    }

    found = 0;

    for (tick = 0; tick < ticks; tick++) {
        traffic_tick(&t, least);
        several_counts(least, p95, p50, &t.seed);
        failed = 0;

        for (i = 0; i < SIM_GATES; i++) {
            failed |= sim_gate_tick(&gates[i], counts[i]);
        }

        for (i = 0; failed && i < SIM_GATES; i++) {
            sim_gate_begin(&gates[i], &rules[i]);
        }

        found += (failed != 0);
    }

    return found;
}


#endif /* SEVERAL_H_INCLUDED */
