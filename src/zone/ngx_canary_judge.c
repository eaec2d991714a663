
#include "ngx_canary_judge.h"

#define XXH_INLINE_ALL
#include <xxhash.h>


static void ngx_canary_judge_rules(ngx_canary_tick_t *tick);
static void ngx_canary_judge_gate(ngx_canary_tick_t *tick,
    ngx_canary_gate_t *gate, ngx_canary_judged_t *judged);
static void ngx_canary_judge_feed(ngx_canary_tick_t *tick,
    ngx_canary_gate_t *gate, ngx_canary_detector_t *detector,
    ngx_canary_trial_t *canary, ngx_canary_trial_t *baseline);
static ngx_uint_t ngx_canary_judge_seen(ngx_canary_judged_t *judged,
    ngx_uint_t slot, uint64_t slot_us, ngx_canary_trial_t *now,
    ngx_canary_trial_t *delta);
static void ngx_canary_judge_refs(ngx_canary_tick_t *tick);


/*
 * All of it is worked out in private memory and copied into the judge that is
 * not in force; then one word changes.  A worker killed before has changed
 * nothing, and one that was stopped for so long that another did its tick finds
 * the word changed and leaves it.
 */

void
ngx_canary_judge_tick(ngx_canary_zone_t *zone, ngx_canary_split_t *split)
{
    uint64_t              number;
    ngx_uint_t            i, slot;
    ngx_canary_tick_t    *tick;
    ngx_canary_gate_t    *gate;
    ngx_canary_judge_t   *next;
    ngx_canary_judged_t  *judged;

    tick = ngx_calloc(sizeof(ngx_canary_tick_t), ngx_cycle->log);
    if (tick == NULL) {
        return;
    }

    number = ngx_canary_load(&zone->judged);
    next = &zone->judges[(number + 1) & 1];

    tick->zone = zone;
    tick->split = split;

    ngx_canary_judge_rules(tick);

    for (i = 0; i < split->ngates; i++) {
        gate = &split->gates[i];
        slot = split->variants[gate->index].slot;

        judged = &tick->judge.rules[gate->rule - split->rules];

        ngx_canary_judge_gate(tick, gate, judged);

        gate->evidence = ngx_canary_detector_evidence(&judged->detectors[slot]);
        judged->failed[slot] = (gate->evidence >= gate->threshold);
    }

    ngx_canary_judge_refs(tick);
    ngx_canary_clusters_limit(tick);

    if (ngx_canary_load(&zone->judged) == number) {
        ngx_memcpy(next, &tick->judge,
                   offsetof(ngx_canary_judge_t, rules)
                   + split->nrules * sizeof(ngx_canary_judged_t));

        (void) __atomic_compare_exchange_n(&zone->judged, &number, number + 1,
                                           0, __ATOMIC_ACQ_REL,
                                           __ATOMIC_RELAXED);
    }

    ngx_free(tick);
}


uint64_t
ngx_canary_rule_signature(const ngx_canary_rule_t *rule)
{
    uint64_t  fields[5];

    fields[0] = rule->metric;
    fields[1] = rule->op;
    fields[2] = rule->limit;
    fields[3] = rule->quantile_ppm;

    /* the names of events, too; not their places */

    fields[4] = XXH3_64bits(rule->metric_text.data, rule->metric_text.len);

    return XXH3_64bits(fields, sizeof(fields)) | 1;
}


ngx_canary_judged_t *
ngx_canary_judged_find(ngx_canary_zone_t *zone, const ngx_canary_rule_t *rule)
{
    ngx_uint_t           i;
    ngx_canary_judge_t  *judge;

    judge = &zone->judges[ngx_canary_load(&zone->judged) & 1];

    if (judge->armed != ngx_canary_load(&zone->armed)) {
        return NULL;
    }

    for (i = 0; i < judge->nrules; i++) {
        if (judge->rules[i].signature == rule->signature) {
            return &judge->rules[i];
        }
    }

    return NULL;
}


/*
 * A rule keeps what it has seen over reloads; what was re-armed starts anew,
 * and so does a canary that had no share for a while.
 */

static void
ngx_canary_judge_rules(ngx_canary_tick_t *tick)
{
    ngx_uint_t            i, v;
    ngx_uint_t            shares[NGX_CANARY_MAX_VARIANTS];
    ngx_canary_judge_t   *judge;
    ngx_canary_judged_t  *judged;

    ngx_memzero(shares, sizeof(shares));

    for (v = 0; v < tick->split->nvariants; v++) {
        shares[tick->split->variants[v].slot] =
                                 tick->split->variants[v].configured_share_ppm;
    }

    judge = &tick->judge;
    judge->armed = ngx_canary_load(&tick->zone->armed);
    judge->nrules = tick->split->nrules;

    for (i = 0; i < judge->nrules; i++) {
        judged = ngx_canary_judged_find(tick->zone, &tick->split->rules[i]);

        if (judged) {
            judge->rules[i] = *judged;

            for (v = 1; v < NGX_CANARY_MAX_VARIANTS; v++) {
                if (shares[v] == 0) {
                    judge->rules[i].ready[v] = 0;
                    judge->rules[i].failed[v] = 0;
                    ngx_memzero(&judge->rules[i].detectors[v],
                                sizeof(ngx_canary_detector_t));
                }
            }

            continue;
        }

        judge->rules[i].signature = tick->split->rules[i].signature;
    }
}


static void
ngx_canary_judge_gate(ngx_canary_tick_t *tick, ngx_canary_gate_t *gate,
    ngx_canary_judged_t *judged)
{
    uint64_t             slot_us;
    ngx_uint_t           slot, relative;
    ngx_canary_trial_t  *now, canary, baseline;

    slot = tick->split->variants[gate->index].slot;
    slot_us = tick->zone->slot_us[slot];
    now = &gate->canary[NGX_CANARY_TOTAL];
    relative = (gate->rule->op == NGX_CANARY_NOT_WORSE);

    ngx_memzero(&baseline, sizeof(ngx_canary_trial_t));

    /*
     * The events of a ratio are counted one after the other, by different
     * requests even: wait until there are as many bad ones as there were.
     */

    if (gate->rule->metric == NGX_CANARY_METRIC_EVENT_RATIO
        && judged->ready[slot] == slot_us + 1
        && now->n >= judged->seen[slot].n
        && now->bad < judged->seen[slot].bad)
    {
        return;
    }

    if (!ngx_canary_judge_seen(judged, slot, slot_us, now, &canary)) {

        /* the first time, or another variant in this slot */

        if (judged->ready[slot] != slot_us + 1) {
            ngx_memzero(&judged->detectors[slot],
                        sizeof(ngx_canary_detector_t));
        }

        judged->base[slot] = gate->baseline[NGX_CANARY_TOTAL];
        judged->seen[slot] = *now;
        judged->ready[slot] = slot_us + 1;
        return;
    }

    if (relative) {
        now = &gate->baseline[NGX_CANARY_TOTAL];

        baseline.n = now->n - judged->base[slot].n;
        baseline.bad = now->bad - judged->base[slot].bad;
    }

    /*
     * Wait until there is something to judge or to compare.  An error may be
     * counted an instant before its request is: neither is lost.
     */

    if (canary.n == 0 || (relative && baseline.n == 0)) {
        return;
    }

    ngx_canary_judge_feed(tick, gate, &judged->detectors[slot], &canary,
                          &baseline);

    judged->seen[slot] = gate->canary[NGX_CANARY_TOTAL];
    judged->base[slot] = gate->baseline[NGX_CANARY_TOTAL];
}


/* 1, and the trials since the last tick; 0 if there was none to count from */

static ngx_uint_t
ngx_canary_judge_seen(ngx_canary_judged_t *judged, ngx_uint_t slot,
    uint64_t slot_us, ngx_canary_trial_t *now, ngx_canary_trial_t *delta)
{
    ngx_canary_trial_t  *seen;

    seen = &judged->seen[slot];

    if (judged->ready[slot] != slot_us + 1
        || now->n < seen->n
        || now->bad < seen->bad)
    {
        return 0;
    }

    delta->n = now->n - seen->n;
    delta->bad = now->bad - seen->bad;

    return 1;
}


static void
ngx_canary_judge_feed(ngx_canary_tick_t *tick, ngx_canary_gate_t *gate,
    ngx_canary_detector_t *detector, ngx_canary_trial_t *canary,
    ngx_canary_trial_t *baseline)
{
    double                    phi, limit;
    const ngx_canary_rule_t  *rule;

    rule = gate->rule;
    limit = (double) rule->limit / NGX_CANARY_PPM;
    phi = ngx_canary_clusters_phi(tick, gate);

    if (rule->op == NGX_CANARY_NOT_WORSE) {
        ngx_canary_detector_pair(detector, canary->bad, baseline->bad,
                                 (double) canary->n
                                 / (double) (canary->n + baseline->n),
                                 limit, phi);
        return;
    }

    switch (rule->metric) {

    case NGX_CANARY_METRIC_ERROR_RATE:
        ngx_canary_detector_trials(detector, canary->bad, canary->n, limit,
                                   phi);
        break;

    case NGX_CANARY_METRIC_THROUGHPUT:
        /* a quiet night is no fault */
        break;

    case NGX_CANARY_METRIC_EVENT_MEAN:
        ngx_canary_detector_trials(detector, canary->bad, canary->n,
                                   1.0 / NGX_CANARY_MEAN_CAP,
                                   NGX_CANARY_MEAN_PARTS);
        break;

    case NGX_CANARY_METRIC_EVENT_RATE:
        if (rule->op == NGX_CANARY_AT_MOST) {
            ngx_canary_detector_rate(detector, canary->bad,
                                     (double) canary->n / 1e6, limit, phi);
        }
        break;

    case NGX_CANARY_METRIC_EVENT_RATIO:
        ngx_canary_detector_trials(detector, canary->bad, canary->n,
                                   rule->op == NGX_CANARY_AT_MOST
                                   ? limit : 1 - limit,
                                   phi);
        break;

    default: /* a quantile */
        ngx_canary_detector_trials(detector, canary->bad, canary->n,
                                   1 - (double) rule->quantile_ppm
                                       / NGX_CANARY_PPM,
                                   phi);
    }
}


/*
 * What a relative quantile counts beyond.  Any latency makes a valid test, as
 * long as it is chosen before the trials: the baseline's quantile of the
 * window, and a new one when that has moved far.
 */

static void
ngx_canary_judge_refs(ngx_canary_tick_t *tick)
{
    uint64_t                  us;
    ngx_uint_t                i, v;
    ngx_canary_judged_t      *judged;
    ngx_canary_latency_t     *latency;
    const ngx_canary_rule_t  *rule;

    latency = &tick->split->variants[0].figures[NGX_CANARY_WINDOW].latency;

    for (i = 0; i < tick->split->nrules; i++) {
        rule = &tick->split->rules[i];
        judged = &tick->judge.rules[i];

        if (rule->op != NGX_CANARY_NOT_WORSE
            || rule->metric > NGX_CANARY_METRIC_P999
            || latency->count < rule->min)
        {
            continue;
        }

        us = latency->quantile_us[rule->metric];
        us = ngx_canary_hist_upper(ngx_canary_hist_index(us));

        if (us > NGX_CANARY_HIST_MAX_US
            || (judged->ref_us && us <= judged->ref_us * 3 / 2
                && us >= judged->ref_us * 2 / 3))
        {
            continue;
        }

        judged->ref_us = us;

        /*
         * The trials so far were counted beyond another latency: they are
         * counted anew from the next tick on.  The evidence of them stays.
         */

        for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
            judged->seen[v].n = UINT64_MAX;
        }
    }
}
