/* A gate under simulated traffic, fed as a tick of nginx feeds it. */

#ifndef GATE_H_INCLUDED
#define GATE_H_INCLUDED


#include "traffic.h"


typedef struct {
    int       relative;
    double    limit;        /* share of bad ones; or, relative, the margin */
    double    threshold;
    double    pause;        /* ticks */
} sim_rule_t;


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


/* returns 1 if the gate fails */

static inline int
sim_gate_tick(sim_gate_t *g, const traffic_count_t counts[2])
{
    double  n, bad, limit;
    size_t  i;

    if (g->rule.stream == NGX_CANARY_STREAM_PAIR) {

        for (i = 0; i < 2; i++) {
            g->wait[i].n += counts[i].n;
            g->wait[i].bad += counts[i].bad;
        }

        n = 0;
        bad = 0;
        limit = 0.5;

        if (g->wait[0].n > 0 && g->wait[1].n > 0) {
            limit = ngx_canary_detector_pair_limit(
                               g->wait[0].n / (g->wait[0].n + g->wait[1].n),
                               g->limit);
            bad = g->wait[0].bad;
            n = bad + g->wait[1].bad;
            memset(g->wait, 0, sizeof(g->wait));
        }

    } else {
        n = counts[0].n;
        bad = counts[0].bad;
        limit = g->limit;
    }

    (void) ngx_canary_detector_tick(&g->detector, &g->rule, &g->baseline, n,
                                    bad, limit);
    ngx_canary_dispersion_tick(&g->baseline, counts[1].n, counts[1].bad);

    g->evidence = ngx_canary_detector_evidence(&g->detector, g->rule.stream);

    return g->evidence >= g->rule.threshold;
}


#endif /* GATE_H_INCLUDED */
