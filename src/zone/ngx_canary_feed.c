
/*
 * From totals to the trials of a tick.  What was judged is taken off what is
 * counted; a tick without trials is a tick as well, as time passes.
 *
 * What cannot be judged yet waits, and nothing is lost: an error that is
 * counted an instant before its request, an event of a ratio before the other,
 * and under a relative gate one side as long as the other has no request.
 */

#include "ngx_canary_judge.h"


static ngx_uint_t ngx_canary_feed_begins(ngx_canary_tick_t *tick,
    ngx_canary_gate_t *gate, ngx_canary_seen_t *seen);
static void ngx_canary_feed_cut(ngx_canary_tick_t *tick,
    ngx_canary_gate_t *gate, ngx_canary_seen_t *seen);
static ngx_uint_t ngx_canary_feed_limit(ngx_canary_gate_t *gate,
    const ngx_canary_detector_rule_t *rule, ngx_canary_judged_t *judged,
    ngx_canary_seen_t *seen);
static ngx_uint_t ngx_canary_feed_pair(ngx_canary_gate_t *gate,
    const ngx_canary_detector_rule_t *rule, ngx_canary_judged_t *judged,
    ngx_canary_seen_t *seen);
static void ngx_canary_feed_held(const ngx_canary_detector_rule_t *rule,
    ngx_canary_seen_t *seen, ngx_uint_t held);
static void ngx_canary_feed_since(ngx_canary_trial_t *seen,
    const ngx_canary_trial_t *now, ngx_canary_trial_t *since);
static void ngx_canary_feed_take(ngx_canary_trial_t *seen,
    const ngx_canary_trial_t *since);
static ngx_uint_t ngx_canary_feed_is_judged(const ngx_canary_rule_t *rule);
static double ngx_canary_feed_rate(const ngx_canary_rule_t *rule);
static void ngx_canary_feed_units(const ngx_canary_rule_t *rule,
    const ngx_canary_trial_t *trial, double *n, double *bad);


void
ngx_canary_feed_gate(ngx_canary_tick_t *tick, ngx_canary_gate_t *gate,
    ngx_canary_judged_t *judged, ngx_canary_seen_t *seen)
{
    ngx_uint_t                  held;
    ngx_canary_detector_rule_t  rule;

    if (!ngx_canary_feed_is_judged(gate->rule)
        || !ngx_canary_feed_begins(tick, gate, seen))
    {
        return;
    }

    rule.stream = ngx_canary_feed_stream(gate->rule);
    rule.threshold = gate->threshold;
    rule.pause_ticks = tick->split->pause_s / NGX_CANARY_TICK_S;

    ngx_canary_feed_cut(tick, gate, seen);

    held = (rule.stream == NGX_CANARY_STREAM_PAIR)
           ? ngx_canary_feed_pair(gate, &rule, judged, seen)
           : ngx_canary_feed_limit(gate, &rule, judged, seen);

    ngx_canary_feed_held(&rule, seen, held);
}


void
ngx_canary_feed_baseline(ngx_canary_tick_t *tick, ngx_canary_gate_t *gate,
    ngx_canary_judged_t *judged)
{
    double               n, bad;
    ngx_canary_trial_t  *now, since;

    if (!ngx_canary_feed_is_judged(gate->rule)) {
        return;
    }

    now = &gate->baseline[NGX_CANARY_TOTAL];

    if (!judged->ready) {
        judged->seen = *now;
        judged->ready = 1;
    }

    if (tick->gap) {
        ngx_canary_dispersion_cut(&judged->dispersion);
    }

    ngx_canary_feed_since(&judged->seen, now, &since);
    ngx_canary_feed_take(&judged->seen, &since);
    ngx_canary_feed_units(gate->rule, &since, &n, &bad);

    if (ngx_canary_feed_stream(gate->rule) == NGX_CANARY_STREAM_RATE) {
        n *= NGX_CANARY_DISPERSION_SECOND;
    }

    ngx_canary_dispersion_tick(&judged->dispersion, n, bad, n);
}


/*
 * 1, or 0 for a canary without share: it begins anew once it has one.  Under a
 * rollback what was seen stays, for those who ask why, until it is re-armed.
 */

static ngx_uint_t
ngx_canary_feed_begins(ngx_canary_tick_t *tick, ngx_canary_gate_t *gate,
    ngx_canary_seen_t *seen)
{
    ngx_uint_t  slot;

    slot = tick->split->variants[gate->index].slot;

    /* the first time, or another variant in this slot */

    if (!ngx_canary_judged_is_of(tick->zone, seen, slot)
        || (tick->now.shares_ppm[slot] == 0
            && tick->split->state != NGX_CANARY_STATE_ROLLED_BACK))
    {
        ngx_memzero(seen, sizeof(ngx_canary_seen_t));

        seen->ready = 1 + tick->zone->requests.since_us[slot];
        seen->seen = gate->canary[NGX_CANARY_TOTAL];
        seen->base = gate->baseline[NGX_CANARY_TOTAL];
    }

    if (tick->now.shares_ppm[slot] == 0) {
        return 0;
    }

    if (seen->stream == 0) {
        seen->stream = ++tick->now.streams;
    }

    return 1;
}


/* blocks of ticks that do not follow each other, or do not compare */

static void
ngx_canary_feed_cut(ngx_canary_tick_t *tick, ngx_canary_gate_t *gate,
    ngx_canary_seen_t *seen)
{
    uint64_t    *now, *last;
    ngx_uint_t   slot;

    slot = tick->split->variants[gate->index].slot;
    now = tick->now.shares_ppm;
    last = tick->last->tick.shares_ppm;

    if (tick->gap
        || (gate->rule->op == NGX_CANARY_NOT_WORSE
            && (now[slot] != last[slot]
                || now[NGX_CANARY_BASELINE] != last[NGX_CANARY_BASELINE])))
    {
        ngx_canary_dispersion_cut(&seen->detector.dispersion);
    }
}


/* trials of the canary against a limit; 1 if they could not count in full */

static ngx_uint_t
ngx_canary_feed_limit(ngx_canary_gate_t *gate,
    const ngx_canary_detector_rule_t *rule, ngx_canary_judged_t *judged,
    ngx_canary_seen_t *seen)
{
    double              n, bad;
    ngx_canary_trial_t  since;

    ngx_canary_feed_since(&seen->seen, &gate->canary[NGX_CANARY_TOTAL], &since);
    ngx_canary_feed_take(&seen->seen, &since);
    ngx_canary_feed_units(gate->rule, &since, &n, &bad);

    seen->trials += n;
    seen->bad += bad;

    return ngx_canary_detector_tick(&seen->detector, rule, &judged->dispersion,
                                    n, bad, ngx_canary_feed_rate(gate->rule),
                                    n);
}


/* what is bad on both sides, by the requests that it is of */

static ngx_uint_t
ngx_canary_feed_pair(ngx_canary_gate_t *gate,
    const ngx_canary_detector_rule_t *rule, ngx_canary_judged_t *judged,
    ngx_canary_seen_t *seen)
{
    double              n, limit;
    ngx_canary_trial_t  canary, baseline;

    ngx_canary_feed_since(&seen->seen, &gate->canary[NGX_CANARY_TOTAL],
                          &canary);
    ngx_canary_feed_since(&seen->base, &gate->baseline[NGX_CANARY_TOTAL],
                          &baseline);

    if (canary.n == 0 || baseline.n == 0) {
        return ngx_canary_detector_tick(&seen->detector, rule,
                                        &judged->dispersion, 0, 0, 0, 0);
    }

    ngx_canary_feed_take(&seen->seen, &canary);
    ngx_canary_feed_take(&seen->base, &baseline);

    n = (double) (canary.bad + baseline.bad);
    limit = ngx_canary_detector_pair_limit((double) canary.n
                                           / (double) (canary.n + baseline.n),
                                           (double) gate->rule->limit
                                           / NGX_CANARY_PPM);

    seen->trials += n;
    seen->bad += (double) canary.bad;
    seen->expected += n * limit;

    return ngx_canary_detector_tick(&seen->detector, rule, &judged->dispersion,
                                    n, (double) canary.bad, limit,
                                    (double) (canary.n + baseline.n));
}


/* ticks that count for less than they say, since the evidence was below 1 */

static void
ngx_canary_feed_held(const ngx_canary_detector_rule_t *rule,
    ngx_canary_seen_t *seen, ngx_uint_t held)
{
    if (ngx_canary_detector_evidence(&seen->detector, rule->stream) < 0) {
        seen->held = 0;
        seen->held_ms = 0;
        seen->held_ln = 0;

    } else if (held) {
        seen->held++;
        seen->held_ms = ngx_canary_now_ms();
        seen->held_ln += ngx_canary_detector_cap(rule);
    }
}


/* less than was seen: it is counted anew, or just being counted */

static void
ngx_canary_feed_since(ngx_canary_trial_t *seen, const ngx_canary_trial_t *now,
    ngx_canary_trial_t *since)
{
    if (now->n < seen->n) {
        seen->n = now->n;
        seen->bad = ngx_min(seen->bad, now->bad);
    }

    since->n = now->n - seen->n;
    since->bad = (now->bad > seen->bad) ? now->bad - seen->bad : 0;
    since->bad = ngx_min(since->bad, since->n);
}


static void
ngx_canary_feed_take(ngx_canary_trial_t *seen, const ngx_canary_trial_t *since)
{
    seen->n += since->n;
    seen->bad += since->bad;
}


ngx_canary_stream_e
ngx_canary_feed_stream(const ngx_canary_rule_t *rule)
{
    if (rule->op == NGX_CANARY_NOT_WORSE) {
        return NGX_CANARY_STREAM_PAIR;
    }

    return rule->metric == NGX_CANARY_METRIC_EVENT_RATE
           ? NGX_CANARY_STREAM_RATE : NGX_CANARY_STREAM_LIMIT;
}


/* a quiet night is no fault: nothing too rare ever fails */

static ngx_uint_t
ngx_canary_feed_is_judged(const ngx_canary_rule_t *rule)
{
    return rule->metric != NGX_CANARY_METRIC_THROUGHPUT
           && (rule->metric != NGX_CANARY_METRIC_EVENT_RATE
               || rule->op == NGX_CANARY_AT_MOST);
}


/* the part of the trials that may be bad, or events a second */

static double
ngx_canary_feed_rate(const ngx_canary_rule_t *rule)
{
    switch (rule->metric) {

    case NGX_CANARY_METRIC_ERROR_RATE:
    case NGX_CANARY_METRIC_ABORT_RATE:
    case NGX_CANARY_METRIC_RETRY_RATE:
    case NGX_CANARY_METRIC_EVENT_RATE:
        return (double) rule->limit / NGX_CANARY_PPM;

    case NGX_CANARY_METRIC_EVENT_RATIO:
        return (double) (rule->op == NGX_CANARY_AT_MOST
                         ? rule->limit : NGX_CANARY_PPM - rule->limit)
               / NGX_CANARY_PPM;

    case NGX_CANARY_METRIC_EVENT_MEAN:
        return 1.0 / NGX_CANARY_MEAN_CAP;

    default: /* a quantile */
        return (double) (NGX_CANARY_PPM - rule->quantile_ppm) / NGX_CANARY_PPM;
    }
}


static void
ngx_canary_feed_units(const ngx_canary_rule_t *rule,
    const ngx_canary_trial_t *trial, double *n, double *bad)
{
    *n = (double) trial->n;
    *bad = (double) trial->bad;

    if (rule->metric == NGX_CANARY_METRIC_EVENT_RATE) {
        *n /= 1e6;
    }

    /* values, each of which is bad by a part */

    if (rule->metric == NGX_CANARY_METRIC_EVENT_MEAN) {
        *n /= NGX_CANARY_MEAN_PARTS;
        *bad /= NGX_CANARY_MEAN_PARTS;
    }
}
