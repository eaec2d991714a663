/*
 * How often a gate that keeps its limit is called broken, and what that says of
 * the promise.  After an alarm everything begins anew.
 */

#ifndef ALARMS_H_INCLUDED
#define ALARMS_H_INCLUDED


#include "gate.h"


#define ALARMS_STAGES  5
#define ALARMS_STAGE   600              /* ticks */


/* shares of the canary, one after the other; 0 ends them */
typedef double  alarms_ramp_t[ALARMS_STAGES + 1];


typedef struct {
    traffic_kind_t        kind;
    sim_rule_t            rule;
    double                rate;         /* the canary's; with a ramp, both's */
    double                share;        /* the canary's */
    const alarms_ramp_t  *ramp;         /* or NULL */
    double                fresh;        /* ticks till all is new; 0: never */
    double                ticks;
} alarms_t;


static const alarms_ramp_t  alarms_up = { 0.01, 0.05, 0.25, 0.5, 1, 0 };


/* a seed is made of what it is for, so that nobody picks one: FNV-1a */

static inline uint64_t
alarms_seed(const char *name)
{
    uint64_t  hash;

    for (hash = 0xcbf29ce484222325; *name; name++) {
        hash = (hash ^ (unsigned char) *name) * 0x100000001b3;
    }

    return hash;
}


static inline void
alarms_stage(const alarms_t *a, uint64_t age, traffic_t *t, sim_gate_t *g)
{
    double    share;
    uint64_t  stage;

    stage = age / ALARMS_STAGE;

    if (a->ramp == NULL || age % ALARMS_STAGE || stage >= ALARMS_STAGES) {
        return;
    }

    share = (*a->ramp)[stage];

    if (share > 0) {
        traffic_rates(t, a->rate * share, a->rate * (1 - share));
        sim_gate_cut(g);
    }
}


static inline unsigned
alarms_count(const alarms_t *a, uint64_t seed)
{
    double           tick, baseline;
    uint64_t         age;
    unsigned         found;
    traffic_t        t;
    sim_gate_t       g;
    traffic_count_t  counts[2];

    baseline = a->ramp ? 0 : a->rate * (1 - a->share) / a->share;

    traffic_begin(&t, &a->kind, a->rate, baseline, seed);
    sim_gate_begin(&g, &a->rule);

    found = 0;
    age = 0;

    for (tick = 0; tick < a->ticks; tick++, age++) {

        if (a->fresh > 0 && (double) age >= a->fresh) {
            sim_gate_begin(&g, &a->rule);
            age = 0;
        }

        alarms_stage(a, age, &t, &g);
        traffic_tick(&t, counts);

        if (sim_gate_tick(&g, counts)) {
            sim_gate_begin(&g, &a->rule);
            found++;
        }
    }

    return found;
}


/* the probability of "count" or more, where "mean" is expected */

static inline double
alarms_tail(unsigned count, double mean)
{
    double    below;
    unsigned  i;

    below = 0;

    for (i = 0; i < count; i++) {
        below += exp(i * log(mean) - mean - lgamma(i + 1.0));
    }

    return 1 - below;
}


/* of a Poisson count: one-sided, of 95% */

static inline double
alarms_lower(unsigned count)
{
    double  low, high, middle;

    low = 0;
    high = count;

    while (high - low > 1e-6 * (high + 1)) {
        middle = (low + high) / 2;

        if (alarms_tail(count, middle) < 0.05) {
            low = middle;

        } else {
            high = middle;
        }
    }

    return low;
}


/* 1 if so many are more than chance makes of the promise */

static inline int
alarms_beyond(unsigned found, double promised)
{
    return alarms_lower(found) > promised;
}


#endif /* ALARMS_H_INCLUDED */
