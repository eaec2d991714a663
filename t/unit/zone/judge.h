/*
 * Gates of one split for the tests: totals are set, a tick is judged, and what
 * the gate has seen is compared with a detector that is fed by hand.
 */

#ifndef JUDGE_H_INCLUDED
#define JUDGE_H_INCLUDED


#include "../../../src/zone/ngx_canary_judge.c"
#include "../../../src/zone/ngx_canary_feed.c"
#include "../../../src/zone/ngx_canary_late.c"

#include "../tap.h"

#include <math.h>


#define SECOND  NGX_CANARY_TICK_US
#define RULES   2
#define SLOT    3


static ngx_canary_zone_t   *zone;
static ngx_canary_split_t   split;
static ngx_canary_rule_t    rules[RULES];
static ngx_canary_gate_t    gates[RULES];
/* totals, by rule */
static ngx_canary_trial_t   canary[RULES], baseline[RULES];
/* what the last tick works on, for one that is killed over it */
static void                *judge_memory;
static uint64_t             now_us = 1000 * (uint64_t) SECOND;

/* called as each tick begins */
static void               (*judge_hook)(void);

static ngx_cycle_t          cycle;
volatile ngx_cycle_t       *ngx_cycle = &cycle;


uint64_t
ngx_canary_now_us(void)
{
    if (judge_hook) {
        judge_hook();
    }

    return now_us;
}


uint64_t
ngx_canary_now_ms(void)
{
    return now_us / 1000;
}


void *
ngx_calloc(size_t size, ngx_log_t *log)
{
    (void) log;

    judge_memory = calloc(1, size);

    return judge_memory;
}


static inline void
judge_rule(ngx_canary_rule_t *rule, ngx_canary_metric_e metric,
    ngx_canary_op_e op, uint64_t limit)
{
    memset(rule, 0, sizeof(*rule));

    rule->metric = metric;
    rule->op = op;
    rule->limit = limit;
    rule->metric_text.data = (const unsigned char *) "";
    rule->signature = ngx_canary_rule_signature(rule);
}


static inline int
judge_setup(void)
{
    zone = calloc(1, sizeof(ngx_canary_zone_t));
    if (zone == NULL) {
        return 0;
    }

    memset(zone->limits_us, 0xff, sizeof(zone->limits_us));

    /* what was counted before the first tick is no part of it */

    canary[0].n = canary[1].n = 1000;
    canary[0].bad = canary[1].bad = 500;
    baseline[0].n = baseline[1].n = 9000;
    baseline[0].bad = baseline[1].bad = 90;

    split.rules = rules;
    split.nrules = 1;
    split.gates = gates;
    split.pause_s = 1;
    split.nvariants = 2;
    split.variants[0].configured_share_ppm = 900000;
    split.variants[1].configured_share_ppm = 100000;
    split.variants[1].slot = SLOT;

    judge_rule(&rules[0], NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_AT_MOST,
               10000);
    judge_rule(&rules[1], NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_NOT_WORSE,
               500000);

    return 1;
}


/* the picture that a tick is given */

static inline void
judge_picture(void)
{
    size_t               i;
    ngx_canary_seen_t   *seen;
    ngx_canary_judged_t *judged;

    split.ngates = split.nrules;

    for (i = 0; i < split.ngates; i++) {
        memset(&gates[i], 0, sizeof(gates[i]));

        gates[i].rule = &rules[i];
        gates[i].index = 1;
        gates[i].threshold = 18;
        gates[i].canary[NGX_CANARY_TOTAL] = canary[i];
        gates[i].baseline[NGX_CANARY_TOTAL] = baseline[i];

        judged = ngx_canary_judged_find(zone, &rules[i], SLOT, &seen);
        ngx_canary_judged_show(judged, seen, &gates[i]);
    }
}


static inline void
judge_tick(void)
{
    now_us += SECOND;

    judge_picture();
    ngx_canary_judge_tick(zone, &split);
}


static inline void
judge_more(ngx_canary_trial_t *trial, uint64_t n, uint64_t bad)
{
    trial->n += n;
    trial->bad += bad;
}


/* what the gate on that rule has seen, or NULL */

static inline ngx_canary_seen_t *
judge_seen(size_t rule)
{
    ngx_canary_seen_t  *seen;

    (void) ngx_canary_judged_find(zone, &rules[rule], SLOT, &seen);

    return seen;
}


/* the gate of a rule, fed by hand */
typedef struct {
    ngx_canary_detector_t    detector;
    ngx_canary_dispersion_t  baseline;
} judge_hand_t;


/* those of both sides that the trials of a pair are of, unless it waits */
static double  judge_requests = 100;


static inline void
judge_by_hand(judge_hand_t *hand, ngx_canary_stream_e stream, double n,
    double bad, double limit, double base_n, double base_bad)
{
    ngx_canary_detector_rule_t  rule;

    rule.stream = stream;
    rule.threshold = 18;
    rule.pause_ticks = 1;

    (void) ngx_canary_detector_tick(&hand->detector, &rule, &hand->baseline, n,
                                    bad, limit,
                                    limit > 0 && (n > 0 || base_n > 0)
                                    ? judge_requests : 0);
    ngx_canary_dispersion_tick(&hand->baseline, base_n, base_bad, base_n);
}


static inline int
judge_same(size_t rule, const judge_hand_t *hand)
{
    ngx_canary_seen_t    *seen;
    ngx_canary_judged_t  *judged;

    judged = ngx_canary_judged_find(zone, &rules[rule], SLOT, &seen);

    return judged && seen
           && memcmp(&seen->detector, &hand->detector,
                     sizeof(hand->detector))
              == 0
           && memcmp(&judged->dispersion, &hand->baseline,
                     sizeof(hand->baseline))
              == 0;
}


#endif /* JUDGE_H_INCLUDED */
