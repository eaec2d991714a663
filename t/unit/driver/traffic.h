/*
 * Simulated traffic, tick by tick, for the detector: requests and errors of a
 * canary and its baseline come at random (Poisson), errors singly or several
 * of one user at once, who has a cell for all that he does.
 */

#ifndef TRAFFIC_H_INCLUDED
#define TRAFFIC_H_INCLUDED


#include "../../../src/pure/ngx_canary_detector.h"

#include "../sample.h"

#include <string.h>


#define TRAFFIC_VALUES   2048           /* of a Poisson number, at most */
#define TRAFFIC_GUIDES   512
#define TRAFFIC_CELLS    64


/* a Poisson distribution as a table: draws by inversion */
typedef struct {
    unsigned               from;
    double                 below[TRAFFIC_VALUES];
    unsigned               guide[TRAFFIC_GUIDES];
} traffic_poisson_t;


typedef struct {
    double                 canary;      /* requests a second */
    double                 baseline;
    double                 canary_bad;  /* shares of them */
    double                 baseline_bad;
    unsigned               cluster;     /* errors of a user at once */
} traffic_t;


typedef struct {
    double                 rho;
    unsigned               cluster;
    traffic_poisson_t      good;        /* of the canary */
    traffic_poisson_t      bad;         /* users, as in the next */
    traffic_poisson_t      bad_baseline;
} traffic_tick_t;


typedef struct {
    double                 limit;       /* share of bad ones, or, where 0, */
    double                 margin;      /* relative to the baseline */
} traffic_gate_t;


/* mean: 0 to 1200 */

static inline void
traffic_poisson(traffic_poisson_t *p, double mean)
{
    double    sum, from;
    unsigned  i, k;

    from = floor(mean - 12 * sqrt(mean) - 10);
    p->from = (from > 0) ? (unsigned) from : 0;

    sum = 0;

    for (i = 0; i < TRAFFIC_VALUES; i++) {
        k = p->from + i;
        sum += (mean > 0) ? exp(k * log(mean) - mean - lgamma(k + 1.0))
                          : (k == 0);
        p->below[i] = sum;
    }

    p->below[TRAFFIC_VALUES - 1] = 2;

    for (i = 0, k = 0; i < TRAFFIC_GUIDES; i++) {
        while (p->below[k] < (double) i / TRAFFIC_GUIDES) {
            k++;
        }

        p->guide[i] = k;
    }
}


static inline uint64_t
traffic_draw(const traffic_poisson_t *p, uint64_t *seed)
{
    double    u;
    unsigned  i;

    u = sample_unit(seed);
    i = p->guide[(unsigned) (u * TRAFFIC_GUIDES)];

    while (p->below[i] < u) {
        i++;
    }

    return p->from + i;
}


static inline void
traffic_prepare(traffic_tick_t *tick, const traffic_t *t)
{
    tick->rho = t->canary / (t->canary + t->baseline);
    tick->cluster = t->cluster;

    traffic_poisson(&tick->good, t->canary * (1 - t->canary_bad));
    traffic_poisson(&tick->bad, t->canary * t->canary_bad / t->cluster);
    traffic_poisson(&tick->bad_baseline,
                    t->baseline * t->baseline_bad / t->cluster);
}


/* one tick: draws it and shows it to the detector; returns the evidence */

static inline double
traffic_step(const traffic_tick_t *tick, const traffic_gate_t *gate,
    ngx_canary_detector_t *d, double phi, uint64_t *seed)
{
    uint64_t  bad;

    bad = tick->cluster * traffic_draw(&tick->bad, seed);

    if (gate->limit > 0) {
        ngx_canary_detector_trials(d, bad,
                                   bad + traffic_draw(&tick->good, seed),
                                   gate->limit, phi);

    } else {
        ngx_canary_detector_pair(d, bad,
                                 tick->cluster
                                 * traffic_draw(&tick->bad_baseline, seed),
                                 tick->rho, gate->margin, phi);
    }

    return ngx_canary_detector_evidence(d);
}


/* what the baseline's cells say after so many users met errors there */

static inline double
traffic_dispersion(const traffic_t *t, unsigned users, uint64_t *seed)
{
    double    requests;
    unsigned  i;
    uint64_t  bad[TRAFFIC_CELLS], all[TRAFFIC_CELLS];

    requests = (double) users * t->cluster / t->baseline_bad / TRAFFIC_CELLS;

    for (i = 0; i < TRAFFIC_CELLS; i++) {
        bad[i] = 0;
        all[i] = (uint64_t) requests;
    }

    for (i = 0; i < users; i++) {
        bad[sample_u64(seed) % TRAFFIC_CELLS] += t->cluster;
    }

    return ngx_canary_dispersion(bad, all, TRAFFIC_CELLS);
}


/*
 * Seconds from the start of a fault until it is found, tick by tick of 1 s, of
 * "runs" runs in ascending order, each after so many good ticks.
 */

static inline void
traffic_delays(const traffic_t *good, const traffic_t *fault,
    const traffic_gate_t *gate, double threshold, unsigned good_ticks,
    uint64_t *delays, size_t runs, uint64_t *seed)
{
    size_t                 i;
    unsigned               k;
    ngx_canary_detector_t  d;
    static traffic_tick_t  before, after;

    traffic_prepare(&before, good);
    traffic_prepare(&after, fault);

    for (i = 0; i < runs; i++) {
        memset(&d, 0, sizeof(d));

        for (k = 0; k < good_ticks; k++) {
            traffic_step(&before, gate, &d, 1, seed);
        }

        delays[i] = 1;

        while (traffic_step(&after, gate, &d, 1, seed) < threshold) {
            delays[i]++;
        }
    }

    sample_sort(delays, runs);
}


#endif /* TRAFFIC_H_INCLUDED */
