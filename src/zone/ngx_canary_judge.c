
#include "ngx_canary_judge.h"

#define XXH_INLINE_ALL
#include <xxhash.h>


/* a tick is due each second: so long after the last one, one is missing */
#define NGX_CANARY_JUDGE_GAP_US  (NGX_CANARY_TICK_US * 5 / 2)


static ngx_canary_tick_t *ngx_canary_judge_begin(ngx_canary_zone_t *zone,
    ngx_canary_split_t *split, ngx_canary_judge_t *last);
static void ngx_canary_judge_shares(ngx_canary_tick_t *tick);
static void ngx_canary_judge_known(ngx_canary_tick_t *tick);
static ngx_canary_judged_t *ngx_canary_judge_find(ngx_canary_judge_t *judge,
    const ngx_canary_rule_t *rule, ngx_uint_t slot, ngx_canary_seen_t **seen);
static void ngx_canary_judge_refs(ngx_canary_tick_t *tick);
static void ngx_canary_judge_anew(ngx_canary_tick_t *tick, ngx_uint_t rule);


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
    ngx_uint_t            i;
    ngx_canary_tick_t    *tick;
    ngx_canary_gate_t    *gate;
    ngx_canary_judge_t   *next;
    ngx_canary_judged_t  *judged;

    number = ngx_canary_load(&zone->judged);
    next = &zone->judges[(number + 1) & 1];

    tick = ngx_canary_judge_begin(zone, split, &zone->judges[number & 1]);
    if (tick == NULL) {
        return;
    }

    for (i = 0; i < split->ngates; i++) {
        gate = &split->gates[i];
        judged = &tick->rules[gate->rule - split->rules];

        ngx_canary_feed_gate(tick, gate, judged, &tick->gates[i]);
        ngx_canary_judged_show(judged, &tick->gates[i], gate);

        tick->gates[i].failed = (gate->evidence >= gate->threshold);
    }

    for (i = 0; split->ngates && i < split->nrules; i++) {
        ngx_canary_feed_baseline(tick, &split->gates[i], &tick->rules[i]);
    }

    ngx_canary_judge_refs(tick);

    if (ngx_canary_load(&zone->judged) == number) {
        next->tick = tick->now;

        ngx_memcpy(next->rules, tick->rules,
                   split->nrules * sizeof(ngx_canary_judged_t));
        ngx_memcpy(next->gates, tick->gates,
                   split->ngates * sizeof(ngx_canary_seen_t));

        if (__atomic_compare_exchange_n(&zone->judged, &number, number + 1, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        {
            ngx_canary_late_limits(tick);
        }
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
ngx_canary_judged_find(ngx_canary_zone_t *zone, const ngx_canary_rule_t *rule,
    ngx_uint_t slot, ngx_canary_seen_t **seen)
{
    ngx_canary_judge_t   *judge;
    ngx_canary_judged_t  *judged;

    judge = &zone->judges[ngx_canary_load(&zone->judged) & 1];

    if (judge->tick.armed != ngx_canary_load(&zone->armed)) {
        *seen = NULL;
        return NULL;
    }

    judged = ngx_canary_judge_find(judge, rule, slot, seen);

    if (*seen && !ngx_canary_judged_is_of(zone, *seen, slot)) {
        *seen = NULL;
    }

    return judged;
}


ngx_uint_t
ngx_canary_judged_is_of(ngx_canary_zone_t *zone, const ngx_canary_seen_t *seen,
    ngx_uint_t slot)
{
    return seen->ready == 1 + zone->requests.since_us[slot];
}


void
ngx_canary_judged_show(ngx_canary_judged_t *judged, ngx_canary_seen_t *seen,
    ngx_canary_gate_t *gate)
{
    ngx_canary_detector_t  *detector;

    gate->evidence = NGX_CANARY_DETECTOR_NONE;
    gate->dispersion = 1;

    if (judged) {
        gate->ref_us = judged->ref_us;
    }

    if (seen == NULL) {
        return;
    }

    gate->failed_before = seen->failed & 1;

    gate->stream = seen->stream;
    gate->trials = seen->trials;
    gate->bad = seen->bad;
    gate->expected = seen->expected;
    gate->held = seen->held;
    gate->held_ms = seen->held_ms;
    gate->held_ln = seen->held_ln;

    if (seen->stream) {
        detector = &seen->detector;

        gate->evidence = ngx_canary_detector_evidence(detector,
                                            ngx_canary_feed_stream(gate->rule));
        gate->dispersion = ngx_canary_dispersion_phi(&detector->dispersion,
                                                     &judged->dispersion).phi;
        gate->known = detector->dispersion.lengths[0].past.sum.even;
    }
}


static ngx_canary_tick_t *
ngx_canary_judge_begin(ngx_canary_zone_t *zone, ngx_canary_split_t *split,
    ngx_canary_judge_t *last)
{
    ngx_canary_tick_t  *tick;

    tick = ngx_calloc(sizeof(ngx_canary_tick_t)
                      + split->nrules * sizeof(ngx_canary_judged_t)
                      + split->ngates * sizeof(ngx_canary_seen_t),
                      ngx_cycle->log);
    if (tick == NULL) {
        return NULL;
    }

    tick->zone = zone;
    tick->split = split;
    tick->last = last;
    tick->rules = (ngx_canary_judged_t *) (tick + 1);
    tick->gates = (ngx_canary_seen_t *) (tick->rules + split->nrules);

    tick->now.armed = ngx_canary_load(&zone->armed);
    tick->now.time_us = ngx_canary_now_us();
    tick->now.streams = last->tick.streams;
    tick->now.nrules = split->nrules;
    tick->gap = tick->now.time_us - last->tick.time_us
                > NGX_CANARY_JUDGE_GAP_US;

    ngx_canary_judge_shares(tick);
    ngx_canary_judge_known(tick);

    return tick;
}


static void
ngx_canary_judge_shares(ngx_canary_tick_t *tick)
{
    ngx_uint_t             i;
    ngx_canary_variant_t  *v;

    for (i = 0; i < tick->split->nvariants; i++) {
        v = &tick->split->variants[i];

        tick->now.shares_ppm[v->slot] = v->configured_share_ppm;

        if (i) {
            tick->now.slots[tick->now.ncanaries++] = v->slot;
        }
    }
}


/* a rule keeps what it has seen over reloads; what was re-armed begins anew */

static void
ngx_canary_judge_known(ngx_canary_tick_t *tick)
{
    ngx_uint_t                i;
    ngx_canary_seen_t        *seen;
    ngx_canary_gate_t        *gate;
    ngx_canary_judged_t      *judged;
    const ngx_canary_rule_t  *rules;

    rules = tick->split->rules;

    for (i = 0; i < tick->split->nrules; i++) {
        tick->rules[i].signature = rules[i].signature;
    }

    if (tick->last->tick.armed != tick->now.armed) {
        return;
    }

    for (i = 0; i < tick->split->ngates; i++) {
        gate = &tick->split->gates[i];

        judged = ngx_canary_judge_find(tick->last, gate->rule,
                                     tick->split->variants[gate->index].slot,
                                     &seen);

        if (judged) {
            tick->rules[gate->rule - rules] = *judged;
        }

        if (seen) {
            tick->gates[i] = *seen;
        }
    }
}


static ngx_canary_judged_t *
ngx_canary_judge_find(ngx_canary_judge_t *judge, const ngx_canary_rule_t *rule,
    ngx_uint_t slot, ngx_canary_seen_t **seen)
{
    ngx_uint_t            i, n;
    ngx_canary_ticked_t  *tick;

    tick = &judge->tick;
    *seen = NULL;

    for (i = 0; i < tick->nrules; i++) {

        if (judge->rules[i].signature != rule->signature) {
            continue;
        }

        for (n = 0; n < tick->ncanaries; n++) {
            if (tick->slots[n] == slot) {
                *seen = &judge->gates[n * tick->nrules + i];
            }
        }

        return &judge->rules[i];
    }

    return NULL;
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
    ngx_uint_t                i;
    ngx_canary_judged_t      *judged;
    ngx_canary_latency_t     *latency;
    const ngx_canary_rule_t  *rule;

    latency = &tick->split->variants[0].figures[NGX_CANARY_WINDOW].latency;

    for (i = 0; i < tick->split->nrules; i++) {
        rule = &tick->split->rules[i];
        judged = &tick->rules[i];

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

        ngx_canary_judge_anew(tick, i);
    }
}


/*
 * The trials so far were counted beyond another latency: they are counted anew
 * from the next tick on.  The evidence of them stays.
 */

static void
ngx_canary_judge_anew(ngx_canary_tick_t *tick, ngx_uint_t rule)
{
    ngx_uint_t            i;
    ngx_canary_seen_t    *seen;
    ngx_canary_judged_t  *judged;

    judged = &tick->rules[rule];

    ngx_memset(&judged->seen, 0xff, sizeof(ngx_canary_trial_t));
    ngx_canary_dispersion_cut(&judged->dispersion);

    for (i = 0; i < tick->now.ncanaries; i++) {
        seen = &tick->gates[i * tick->split->nrules + rule];

        ngx_memset(&seen->seen, 0xff, sizeof(ngx_canary_trial_t));
        ngx_memset(&seen->base, 0xff, sizeof(ngx_canary_trial_t));
        ngx_canary_dispersion_cut(&seen->detector.dispersion);
    }
}
