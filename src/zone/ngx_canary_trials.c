
#include "ngx_canary_picture.h"


static void ngx_canary_picture_trial(ngx_canary_picture_t *pic,
    ngx_canary_variant_t *v, ngx_canary_scope_e scope,
    ngx_canary_gate_t *gate, ngx_canary_trial_t *trial);


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
    uint64_t                  ref_us, within;
    ngx_canary_figures_t     *f;
    ngx_canary_latency_t     *latency, *baseline;
    const ngx_canary_rule_t  *rule;

    rule = gate->rule;
    f = &v->figures[scope];
    latency = &f->latency;

    switch (rule->metric) {

    case NGX_CANARY_METRIC_ERROR_RATE:
        trial->n = f->samples;
        trial->bad = f->errors;
        return;

    case NGX_CANARY_METRIC_ABORT_RATE:
        trial->n = f->requests;
        trial->bad = f->aborted;
        return;

    case NGX_CANARY_METRIC_RETRY_RATE:
        trial->n = f->requests;
        trial->bad = f->retries;
        return;

    default:
        break;
    }

    if (rule->metric > NGX_CANARY_METRIC_P999 || latency->count == 0) {
        return;
    }

    if (rule->op != NGX_CANARY_NOT_WORSE) {
        within = latency->le[rule->le];

    } else {
        ref_us = gate->ref_us;

        if (scope != NGX_CANARY_TOTAL) {
            baseline = &pic->split->variants[0].figures[scope].latency;
            ref_us = baseline->count ? baseline->quantile_us[rule->metric] : 0;
        }

        if (ref_us == 0) {
            return;
        }

        /* the whole bucket in which the baseline's quantile lies */

        ref_us = ngx_canary_hist_upper(ngx_canary_hist_index(ref_us));

        ngx_canary_hist_cumulate(pic->hist, pic->sum->from, pic->sum->to,
                                 &ref_us, &within, 1);
    }

    trial->n = latency->count;
    trial->bad = trial->n - ngx_min(within, trial->n);
}
