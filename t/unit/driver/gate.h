/* A gate under simulated traffic, fed as a tick of nginx feeds it. */

#ifndef GATE_H_INCLUDED
#define GATE_H_INCLUDED


#include "../../../src/pure/ngx_canary_detector.h"

#include "traffic.h"


#define SIM_DAYS_90  (90 * 86400.0)     /* the usual promise, in ticks, */
#define SIM_GATES    6                  /* of so many gates */


typedef struct {
    int       relative;
    double    limit;        /* share of bad ones; or, relative, the margin */
    double    threshold;
    double    pause;        /* ticks */
} sim_rule_t;


typedef struct {
    double    n;
    double    bad;
    double    limit;
    double    requests;
} sim_trials_t;


typedef struct {
    ngx_canary_detector_rule_t  rule;
    double                      limit;
    ngx_canary_detector_t       detector;
    ngx_canary_dispersion_t     baseline;
    traffic_count_t             wait[2];
    double                      evidence;
} sim_gate_t;


static inline void
sim_gate_begin(sim_gate_t *g, const sim_rule_t *rule)
{
    memset(g, 0, sizeof(*g));

    g->rule.stream = rule->relative ? NGX_CANARY_STREAM_PAIR
                                    : NGX_CANARY_STREAM_LIMIT;
    g->rule.threshold = rule->threshold;
    g->rule.pause_ticks = rule->pause;
    g->limit = rule->limit;
    g->evidence = NGX_CANARY_DETECTOR_NONE;
}


/* the shares have changed */

static inline void
sim_gate_cut(sim_gate_t *g)
{
    if (g->rule.stream == NGX_CANARY_STREAM_PAIR) {
        ngx_canary_dispersion_cut(&g->detector.dispersion);
    }
}


/*
 * What is bad on both sides is the trials, and waits while one of them has no
 * request; without trials all is 0.
 */

static inline sim_trials_t
sim_pair(traffic_count_t wait[2], const traffic_count_t counts[2],
    double margin)
{
    size_t        i;
    sim_trials_t  trials;

    for (i = 0; i < 2; i++) {
        wait[i].n += counts[i].n;
        wait[i].bad += counts[i].bad;
    }

    memset(&trials, 0, sizeof(trials));

    if (wait[0].n > 0 && wait[1].n > 0) {
        trials.n = wait[0].bad + wait[1].bad;
        trials.bad = wait[0].bad;
        trials.requests = wait[0].n + wait[1].n;
        trials.limit = ngx_canary_detector_pair_limit(
                                        wait[0].n / (wait[0].n + wait[1].n),
                                        margin);
        memset(wait, 0, 2 * sizeof(traffic_count_t));
    }

    return trials;
}


/* returns 1 if the gate fails */

static inline int
sim_gate_judge(sim_gate_t *g, const sim_trials_t *trials,
    const traffic_count_t *baseline)
{
    (void) ngx_canary_detector_tick(&g->detector, &g->rule, &g->baseline,
                                    trials->n, trials->bad, trials->limit,
                                    trials->requests);
    ngx_canary_dispersion_tick(&g->baseline, baseline->n, baseline->bad,
                               baseline->n);

    g->evidence = ngx_canary_detector_evidence(&g->detector, g->rule.stream);

    return g->evidence >= g->rule.threshold;
}


static inline int
sim_gate_tick(sim_gate_t *g, const traffic_count_t counts[2])
{
    sim_trials_t  trials;

    trials.n = counts[0].n;
    trials.bad = counts[0].bad;
    trials.limit = g->limit;

    if (g->rule.stream == NGX_CANARY_STREAM_PAIR) {
        trials = sim_pair(g->wait, counts, g->limit);
    }

    return sim_gate_judge(g, &trials, &counts[1]);
}


#endif /* GATE_H_INCLUDED */
