
#include "ngx_canary_picture.h"


static void ngx_canary_events_ratio(ngx_canary_split_t *split,
    const ngx_canary_rule_t *rule, ngx_uint_t variant, ngx_uint_t scope,
    ngx_canary_trial_t *trial);
static double ngx_canary_events_capped(ngx_canary_picture_t *pic,
    uint64_t cap);


void
ngx_canary_events_trials(ngx_canary_picture_t *pic, ngx_uint_t event,
    ngx_uint_t variant, ngx_canary_scope_e scope)
{
    uint64_t                     limit, within;
    ngx_uint_t                   i;
    ngx_canary_gate_t           *gate;
    ngx_canary_split_t          *split;
    ngx_canary_trial_t          *trial;
    ngx_canary_event_figures_t  *f;

    split = pic->split;
    f = &split->events[event].figures[variant][scope];

    for (i = 0; i < split->ngates; i++) {
        gate = &split->gates[i];
        trial = variant ? &gate->canary[scope] : &gate->baseline[scope];

        if ((variant && gate->index != variant) || gate->rule->event != event) {
            continue;
        }

        limit = gate->rule->limit / 1000;

        /* those of a gate on anything else are not touched */

        switch (gate->rule->metric) {

        case NGX_CANARY_METRIC_EVENT_RATE:
            trial->n = f->elapsed_us;
            trial->bad = f->count;
            break;

        case NGX_CANARY_METRIC_EVENT_QUANTILE:
            trial->n = f->ncounted;
            trial->bad = 0;

            if (f->ncounted) {
                ngx_canary_hist_cumulate(pic->hist, pic->sum->from,
                                         pic->sum->to, &limit, &within, 1);
                trial->bad = trial->n - ngx_min(within, trial->n);
            }

            break;

        case NGX_CANARY_METRIC_EVENT_MEAN:
            trial->n = f->ncounted * NGX_CANARY_MEAN_PARTS;
            trial->bad = 0;

            if (f->ncounted) {
                trial->bad = (uint64_t)
                             (ngx_canary_events_capped(pic,
                                                   limit * NGX_CANARY_MEAN_CAP)
                              * NGX_CANARY_MEAN_PARTS
                              / (double) (limit * NGX_CANARY_MEAN_CAP));
            }

            break;

        default:
            break;
        }
    }
}


void
ngx_canary_events_ratios(ngx_canary_split_t *split)
{
    ngx_uint_t          i, s;
    ngx_canary_gate_t  *gate;

    for (i = 0; i < split->ngates; i++) {
        gate = &split->gates[i];

        if (gate->rule->metric != NGX_CANARY_METRIC_EVENT_RATIO) {
            continue;
        }

        for (s = 0; s < NGX_CANARY_SCOPES; s++) {
            ngx_canary_events_ratio(split, gate->rule, gate->index, s,
                                    &gate->canary[s]);
            ngx_canary_events_ratio(split, gate->rule, 0, s,
                                    &gate->baseline[s]);
        }
    }
}


static void
ngx_canary_events_ratio(ngx_canary_split_t *split,
    const ngx_canary_rule_t *rule, ngx_uint_t variant, ngx_uint_t scope,
    ngx_canary_trial_t *trial)
{
    uint64_t                     n;
    ngx_canary_event_figures_t  *f, *per;

    f = &split->events[rule->event].figures[variant][scope];
    per = &split->events[rule->per].figures[variant][scope];

    n = ngx_min(f->count, per->count);

    trial->n = per->count;
    trial->bad = (rule->op == NGX_CANARY_AT_LEAST) ? per->count - n : n;
}


/* the sum of the values in pic->hist, each of at most "cap", by the bucket */

static double
ngx_canary_events_capped(ngx_canary_picture_t *pic, uint64_t cap)
{
    size_t    b;
    double    sum;
    uint64_t  low;

    sum = 0;

    for (b = pic->sum->from; b <= pic->sum->to; b++) {

        if (pic->hist[b] == 0) {
            continue;
        }

        /* the lower edge, so that no value counts as more than it is */

        low = b > 1 ? ngx_canary_hist_upper(b - 1) + 1 : b;

        sum += (double) pic->hist[b] * (double) ngx_min(low, cap);
    }

    return sum;
}
