/*
 * A fleet whose counts are judged together: for a limit by their sums, for a
 * relative gate machine by machine, so that different mixes cannot deceive.
 */

#ifndef FLEET_H_INCLUDED
#define FLEET_H_INCLUDED


#include "delays.h"


#define FLEET_MACHINES  20
#define FLEET_RATE      5.0             /* canary requests of a machine */
#define FLEET_FAULT     0.04
#define FLEET_POOLED    12.0            /* s, by the design */
#define FLEET_ALONE     319.0
#define FLEET_PROMISE   20000.0         /* ticks, of a relative gate */
#define FLEET_TICKS     (5.5 * FLEET_PROMISE)


static const delays_case_t  fleet_case = {
    "a fleet", { .bad = 0.003 }, FLEET_RATE, 0, 0.01, DELAYS_HOUR,
    { { FLEET_FAULT }, 0, 0 }, { 0 }
};


static inline void
fleet_add(traffic_count_t sums[2], const traffic_count_t counts[2])
{
    size_t  i;

    for (i = 0; i < 2; i++) {
        sums[i].n += counts[i].n;
        sums[i].bad += counts[i].bad;
    }
}


/* of so many of the fleet's machines together */

static inline delays_t
fleet_delay(size_t machines)
{
    size_t                i, m;
    uint64_t              delays[DELAYS_RUNS], seed;
    unsigned              n;
    sim_gate_t            g;
    sim_rule_t            rule;
    traffic_count_t       counts[2], sums[2];
    const delays_case_t  *c;
    static traffic_t      fleet[FLEET_MACHINES];

    c = &fleet_case;
    rule = delays_rule(c, FLEET_MACHINES);
    seed = alarms_seed(c->name) + machines;

    for (i = 0; i < DELAYS_RUNS; i++) {
        sim_gate_begin(&g, &rule);

        for (m = 0; m < machines; m++) {
            traffic_begin(&fleet[m], &c->kind, c->rate,
                          c->rate * (1 - DELAYS_SHARE) / DELAYS_SHARE,
                          sample_u64(&seed));
        }

        for (n = 1; n < DELAYS_MOST; n++) {
            memset(sums, 0, sizeof(sums));

            for (m = 0; m < machines; m++) {
                traffic_tick(&fleet[m], counts);

                if (n > c->good) {
                    delays_fail(&c->fault, c->fault.of[0], n, &counts[0],
                                &fleet[m].seed);
                }

                fleet_add(sums, counts);
            }

            if (sim_gate_tick(&g, sums) && n > c->good) {
                break;
            }
        }

        delays[i] = n - c->good;
    }

    return delays_sort(delays, DELAYS_RUNS);
}


/*
 * Alarms of a relative gate over machines that differ in share and in how much
 * fails, though on none of them the canary is worse: by the sums of requests,
 * or machine by machine, where the limit is the mean of the machines', each
 * weighted by what is bad on it.
 */

static inline unsigned
fleet_alarms(int strata, double ticks)
{
    double            tick;
    size_t            m;
    uint64_t          seed;
    unsigned          found;
    sim_gate_t        g;
    sim_rule_t        rule = { 1, 0, 0, 1 };
    sim_trials_t      all, one;
    traffic_kind_t    kinds[FLEET_MACHINES];
    traffic_count_t   counts[2], sums[2], wait[FLEET_MACHINES][2];
    static traffic_t  fleet[FLEET_MACHINES];

    rule.threshold = ngx_canary_detector_threshold(FLEET_PROMISE, 1, 1, 0);
    sim_gate_begin(&g, &rule);
    seed = alarms_seed("a fleet of different machines");

    /* the more of its requests go to a machine's canary, the more fail */

    memset(kinds, 0, sizeof(kinds));
    memset(wait, 0, sizeof(wait));

    for (m = 0; m < FLEET_MACHINES; m++) {
        kinds[m].bad = 0.002 * (double) (m + 1);
        traffic_begin(&fleet[m], &kinds[m], 5 * (double) (m + 1),
                      5 * (double) (FLEET_MACHINES + 1 - m),
                      sample_u64(&seed));
    }

    found = 0;

    for (tick = 0; tick < ticks; tick++) {
        memset(sums, 0, sizeof(sums));
        memset(&all, 0, sizeof(all));

        for (m = 0; m < FLEET_MACHINES; m++) {
            traffic_tick(&fleet[m], counts);
            fleet_add(sums, counts);

            one = sim_pair(wait[m], counts, 0);

            if (one.n > 0) {
                all.n += one.n;
                all.bad += one.bad;
                all.limit += one.n * one.limit;
            }

            all.requests += one.requests;
        }

        all.limit /= fmax(all.n, 1);

        if (strata ? sim_gate_judge(&g, &all, &sums[1])
                   : sim_gate_tick(&g, sums))
        {
            sim_gate_begin(&g, &rule);
            found++;
        }
    }

    return found;
}


#endif /* FLEET_H_INCLUDED */
