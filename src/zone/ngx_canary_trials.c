
#include "ngx_canary_picture.h"


static void ngx_canary_picture_trial(ngx_canary_picture_t *pic,
    ngx_canary_variant_t *v, ngx_canary_scope_e scope,
    ngx_canary_gate_t *gate, ngx_canary_trial_t *trial);
static void ngx_canary_picture_slow(ngx_canary_picture_t *pic,
    ngx_canary_variant_t *v, ngx_canary_scope_e scope,
    ngx_canary_gate_t *gate, ngx_canary_trial_t *trial);
static uint64_t ngx_canary_picture_late(ngx_canary_picture_t *pic,
    ngx_canary_gate_t *gate);
static void ngx_canary_picture_quantile(ngx_canary_picture_t *pic,
    ngx_canary_latency_t *latency, ngx_canary_scope_e scope,
    ngx_canary_gate_t *gate);
static ngx_uint_t ngx_canary_picture_beyond(ngx_canary_picture_t *pic,
    ngx_canary_latency_t *latency, ngx_canary_scope_e scope,
    ngx_canary_gate_t *gate, uint64_t *beyond);


/* by ngx_canary_op_e */
static const ngx_str_t  ngx_canary_ops[] = {
    ngx_string("<="),
    ngx_string(">="),
    ngx_string("not_worse")
};


ngx_int_t
ngx_canary_picture_gates(ngx_canary_picture_t *pic, ngx_pool_t *pool)
{
    uint32_t                  slot;
    ngx_uint_t                i, n;
    ngx_canary_gate_t        *gate;
    ngx_canary_split_t       *split;
    ngx_canary_judged_t      *judged;
    ngx_canary_seen_t        *seen;
    const ngx_canary_rule_t  *rule;

    split = pic->split;
    split->ngates = split->nrules * pic->record.ncanaries;

    if (split->ngates == 0) {
        return NGX_OK;
    }

    split->gates = ngx_pcalloc(pool, split->ngates * sizeof(ngx_canary_gate_t));
    if (split->gates == NULL) {
        return NGX_ERROR;
    }

    gate = split->gates;

    for (i = 0; i < pic->record.ncanaries; i++) {
        slot = pic->record.canaries[i].slot;

        for (n = 0; n < split->nrules; n++, gate++) {
            rule = &split->rules[n];

            gate->rule = rule;
            gate->index = 1 + i;
            gate->metric = rule->metric_text;
            gate->op.len = ngx_canary_ops[rule->op].len;
            gate->op.data = ngx_canary_ops[rule->op].data;
            gate->text = rule->text;
            gate->limit = rule->limit;
            gate->min = rule->min;
            gate->threshold = ngx_canary_detector_threshold(
                                                  split->false_alarm_s,
                                                  NGX_CANARY_TICK_S,
                                                  (unsigned) split->ngates,
                                                  split->fleet);

            judged = ngx_canary_judged_find(pic->zone, rule, slot, &seen);
            ngx_canary_judged_show(judged, seen, gate);
        }
    }

    return NGX_OK;
}


void
ngx_canary_picture_trials(ngx_canary_picture_t *pic, ngx_canary_scope_e scope)
{
    ngx_uint_t             i, index;
    ngx_canary_gate_t     *gate;
    ngx_canary_split_t    *split;
    ngx_canary_trial_t    *trial;
    ngx_canary_variant_t  *v;

    split = pic->split;
    index = split->nvariants - 1;
    v = &split->variants[index];

    for (i = 0; i < split->ngates; i++) {
        gate = &split->gates[i];

        if (gate->index == index) {
            trial = &gate->canary[scope];
            gate->variant = v->name;

        } else if (index == 0) {
            trial = &gate->baseline[scope];

        } else {
            continue;
        }

        ngx_canary_picture_trial(pic, v, scope, gate, trial);
    }
}


static void
ngx_canary_picture_trial(ngx_canary_picture_t *pic, ngx_canary_variant_t *v,
    ngx_canary_scope_e scope, ngx_canary_gate_t *gate,
    ngx_canary_trial_t *trial)
{
    ngx_canary_figures_t     *f;
    const ngx_canary_rule_t  *rule;

    rule = gate->rule;
    f = &v->figures[scope];

    switch (rule->metric) {

    case NGX_CANARY_METRIC_ERROR_RATE:
        trial->n = f->samples;
        trial->bad = ngx_canary_count(f, ERRORS);
        return;

    case NGX_CANARY_METRIC_ABORT_RATE:
        trial->n = f->requests;
        trial->bad = ngx_canary_count(f, ABORTED);
        return;

    case NGX_CANARY_METRIC_RETRY_RATE:
        trial->n = f->requests;
        trial->bad = ngx_canary_count(f, RETRIES);
        return;

    default:
        break;
    }

    if (rule->metric <= NGX_CANARY_METRIC_P999) {
        ngx_canary_picture_slow(pic, v, scope, gate, trial);
    }
}


/*
 * Latencies beyond the limit, those of requests that their clients gave up
 * beyond it among them.  Under a relative gate the latter are counted beyond
 * ref_us alone, whatever the scope: what they are compared with is counted
 * likewise.
 */

static void
ngx_canary_picture_slow(ngx_canary_picture_t *pic, ngx_canary_variant_t *v,
    ngx_canary_scope_e scope, ngx_canary_gate_t *gate,
    ngx_canary_trial_t *trial)
{
    uint64_t               late, beyond;
    ngx_canary_latency_t  *latency;

    latency = &v->figures[scope].latency;
    late = ngx_canary_picture_late(pic, gate);

    if (v->canary) {
        gate->late[scope] = late;
        ngx_canary_picture_quantile(pic, latency, scope, gate);

    } else {
        gate->late_baseline[scope] = late;
    }

    if (ngx_canary_picture_beyond(pic, latency, scope, gate, &beyond)) {
        trial->n = latency->count + late;
        trial->bad = beyond + late;
    }
}


/* of the scope at hand; those of another limit are no matter here */

static uint64_t
ngx_canary_picture_late(ngx_canary_picture_t *pic, ngx_canary_gate_t *gate)
{
    uint64_t    limit_us, from, sum;
    ngx_uint_t  i, n;

    i = ngx_canary_late_index(gate->rule);
    limit_us = gate->rule->op == NGX_CANARY_NOT_WORSE ? gate->ref_us
                                                      : gate->rule->limit;

    if (ngx_canary_load(&pic->zone->limits_us[i]) != limit_us) {
        return 0;
    }

    /* what came before its limit was set is another limit's */

    n = NGX_CANARY_TALLY_LATE + i;
    sum = pic->sum->cell.counts.n[n];
    from = ngx_canary_load(&pic->zone->late_from[pic->slot][i]);

    return ngx_min(pic->n[n], sum - ngx_min(from, sum));
}


/* those given up are slower than any */

static void
ngx_canary_picture_quantile(ngx_canary_picture_t *pic,
    ngx_canary_latency_t *latency, ngx_canary_scope_e scope,
    ngx_canary_gate_t *gate)
{
    uint64_t  us;

    us = latency->quantile_us[gate->rule->metric];

    if (gate->late[scope]) {
        us = latency->count
             ? ngx_canary_hist_quantile(pic->hist, pic->sum->from,
                                        pic->sum->to, latency->min_us,
                                        latency->max_us,
                                        gate->rule->quantile_ppm,
                                        gate->late[scope])
             : UINT64_MAX;
    }

    gate->beyond[scope] = (us == UINT64_MAX);
    gate->quantile_us[scope] = gate->beyond[scope] ? 0 : us;
}


/* 0 if there is nothing to count beyond, else 1 and how many are */

static ngx_uint_t
ngx_canary_picture_beyond(ngx_canary_picture_t *pic,
    ngx_canary_latency_t *latency, ngx_canary_scope_e scope,
    ngx_canary_gate_t *gate, uint64_t *beyond)
{
    uint64_t                  ref_us, within;
    ngx_canary_latency_t     *baseline;
    const ngx_canary_rule_t  *rule;

    rule = gate->rule;
    within = 0;

    if (rule->op != NGX_CANARY_NOT_WORSE) {
        within = latency->le[rule->le];

    } else {
        ref_us = gate->ref_us;

        if (scope != NGX_CANARY_TOTAL) {
            baseline = &pic->split->variants[0].figures[scope].latency;
            ref_us = baseline->count ? baseline->quantile_us[rule->metric] : 0;
        }

        if (ref_us == 0) {
            return 0;
        }

        /* the whole bucket in which the baseline's quantile lies */

        ref_us = ngx_canary_hist_upper(ngx_canary_hist_index(ref_us));

        if (latency->count) {
            ngx_canary_hist_cumulate(pic->hist, pic->sum->from, pic->sum->to,
                                     &ref_us, &within, 1);
        }
    }

    *beyond = latency->count - ngx_min(within, latency->count);

    return 1;
}
