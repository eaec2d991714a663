/*
 * Gates: what is judged.
 *
 * A limit is compared by counts, never by an interpolated figure: "p95 is at
 * most T" holds if at most 5% of the requests took longer than T, where T is
 * an edge of a bucket.  A relative quantile holds if the part of the canary's
 * requests beyond the baseline's quantile is at most (1 + margin) times the
 * baseline's own part beyond it.
 *
 * A point estimate never fails a gate, however bad: it breaches any limit by
 * chance if it is looked at often enough.  Only evidence does, which is
 * collected elsewhere, tick by tick, and compared with its threshold here.
 */

#include <math.h>

#include "ngx_canary_gate.h"


static void ngx_canary_gate_judge(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate);
static ngx_canary_gate_status_e ngx_canary_gate_status(
    const ngx_canary_split_t *split, const ngx_canary_gate_t *gate);
static void ngx_canary_gate_figures(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate);
static void ngx_canary_gate_baseline_event(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate);
static void ngx_canary_gate_part(ngx_canary_gate_t *gate, uint64_t part,
    uint64_t all);
static uint64_t ngx_canary_gate_figure(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_scope_e scope, size_t variant,
    uint64_t *there);
static void ngx_canary_gate_numbers(ngx_canary_gate_t *gate);
static uint64_t ngx_canary_gate_rate(uint64_t n, uint64_t us);
static int ngx_canary_gate_aborts(const ngx_canary_split_t *split,
    const ngx_canary_variant_t *v);


void
ngx_canary_gates_judge(ngx_canary_split_t *split)
{
    size_t  i, passed, failed;

    passed = 0;
    failed = 0;

    for (i = 0; i < split->ngates; i++) {
        ngx_canary_gate_judge(split, &split->gates[i]);

        passed += (split->gates[i].status == NGX_CANARY_GATE_PASS);
        failed += (split->gates[i].status == NGX_CANARY_GATE_FAIL);
    }

    if (split->state == NGX_CANARY_STATE_ROLLED_BACK || failed) {
        split->verdict = NGX_CANARY_VERDICT_ROLLBACK;
        return;
    }

    split->verdict = NGX_CANARY_VERDICT_PENDING;

    if (split->ngates == 0 || passed < split->ngates) {
        return;
    }

    for (i = 1; i < split->nvariants; i++) {
        if (ngx_canary_gate_aborts(split, &split->variants[i])) {
            ngx_canary_gate_reason_aborts(split, &split->variants[i]);
            return;
        }
    }

    split->verdict = NGX_CANARY_VERDICT_GO;
}


uint64_t
ngx_canary_gate_allowed(uint64_t n, uint64_t ppm)
{
    return n / NGX_CANARY_PPM * ppm + n % NGX_CANARY_PPM * ppm / NGX_CANARY_PPM;
}


static void
ngx_canary_gate_judge(const ngx_canary_split_t *split, ngx_canary_gate_t *gate)
{
    ngx_canary_gate_figures(split, gate);
    ngx_canary_gate_numbers(gate);

    gate->status = ngx_canary_gate_status(split, gate);

    ngx_canary_gate_reason(split, gate);
}


static ngx_canary_gate_status_e
ngx_canary_gate_status(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate)
{
    if (gate->evidence >= gate->threshold) {
        return NGX_CANARY_GATE_FAIL;
    }

    if (ngx_canary_gate_unmatched(split, gate)) {
        return NGX_CANARY_GATE_PASS;
    }

    if (gate->samples < gate->min
        || !gate->has_actual
        || !ngx_canary_gate_within(split, gate, NGX_CANARY_STAGE))
    {
        return NGX_CANARY_GATE_PENDING;
    }

    if (ngx_canary_gate_over(split, gate)) {
        return NGX_CANARY_GATE_PASS;
    }

    return gate->has_window
           && ngx_canary_gate_within(split, gate, NGX_CANARY_WINDOW)
           ? NGX_CANARY_GATE_PASS : NGX_CANARY_GATE_PENDING;
}


static void
ngx_canary_gate_figures(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate)
{
    const ngx_canary_figures_t  *f;

    gate->actual = ngx_canary_gate_figure(split, gate, NGX_CANARY_STAGE,
                                          gate->index, &gate->has_actual);
    gate->window = ngx_canary_gate_figure(split, gate, NGX_CANARY_WINDOW,
                                          gate->index, &gate->has_window);
    ngx_canary_gate_baseline(split, gate);

    f = &split->variants[gate->index].figures[NGX_CANARY_STAGE];

    switch (gate->rule->metric) {

    case NGX_CANARY_METRIC_THROUGHPUT:
        gate->samples = split->passages[NGX_CANARY_STAGE];
        break;

    case NGX_CANARY_METRIC_EVENT_RATE:
        gate->samples = f->requests;
        break;

    case NGX_CANARY_METRIC_EVENT_MEAN:
        gate->samples = gate->canary[NGX_CANARY_STAGE].n
                        / NGX_CANARY_MEAN_PARTS;
        break;

    default:
        gate->samples = gate->canary[NGX_CANARY_STAGE].n;
    }
}


/*
 * Of a relative gate what it compares with; where it does not compare, the
 * baseline's figure of the stage, without trials.
 */

void
ngx_canary_gate_baseline(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate)
{
    const ngx_canary_rule_t     *rule;
    const ngx_canary_figures_t  *f;

    rule = gate->rule;
    f = &split->variants[0].figures[NGX_CANARY_STAGE];

    if (rule->op == NGX_CANARY_NOT_WORSE) {
        gate->baseline_actual = ngx_canary_gate_figure(split, gate,
                                                       NGX_CANARY_STAGE, 0,
                                                       &gate->has_baseline);
        if (gate->has_baseline) {
            return;
        }
    }

    switch (rule->metric) {

    case NGX_CANARY_METRIC_THROUGHPUT:
        gate->has_baseline = 0;
        break;

    case NGX_CANARY_METRIC_ERROR_RATE:
        ngx_canary_gate_part(gate, ngx_canary_count(f, ERRORS), f->samples);
        break;

    case NGX_CANARY_METRIC_ABORT_RATE:
        ngx_canary_gate_part(gate, ngx_canary_count(f, ABORTED), f->requests);
        break;

    case NGX_CANARY_METRIC_RETRY_RATE:
        ngx_canary_gate_part(gate, ngx_canary_count(f, RETRIES), f->requests);
        break;

    case NGX_CANARY_METRIC_EVENT_RATE:
    case NGX_CANARY_METRIC_EVENT_RATIO:
    case NGX_CANARY_METRIC_EVENT_MEAN:
    case NGX_CANARY_METRIC_EVENT_QUANTILE:
        ngx_canary_gate_baseline_event(split, gate);
        break;

    default: /* a quantile */
        gate->has_baseline = f->latency.count;
        gate->baseline_actual = f->latency.quantile_us[rule->metric];
    }
}


static void
ngx_canary_gate_baseline_event(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate)
{
    const ngx_canary_rule_t           *rule;
    const ngx_canary_event_figures_t  *e;

    rule = gate->rule;
    gate->has_baseline = 0;

    if (rule->event >= split->nevents) {
        return;
    }

    e = &split->events[rule->event].figures[0][NGX_CANARY_STAGE];

    switch (rule->metric) {

    case NGX_CANARY_METRIC_EVENT_RATE:
        gate->has_baseline = e->elapsed_us;
        gate->baseline_actual = ngx_canary_gate_rate(e->count, e->elapsed_us);
        break;

    case NGX_CANARY_METRIC_EVENT_RATIO:
        if (rule->per < split->nevents) {
            ngx_canary_gate_part(gate, e->count,
                                 split->events[rule->per]
                                     .figures[0][NGX_CANARY_STAGE].count);
        }

        break;

    case NGX_CANARY_METRIC_EVENT_MEAN:
        gate->has_baseline = e->nvalues;
        gate->baseline_actual = e->mean;
        break;

    default:
        gate->has_baseline = e->ncounted;
        gate->baseline_actual = e->quantile[rule->le] * 1000;
    }
}


static void
ngx_canary_gate_part(ngx_canary_gate_t *gate, uint64_t part, uint64_t all)
{
    gate->has_baseline = all;
    gate->baseline_actual = all ? (uint64_t) llround((double) part
                                                     / (double) all
                                                     * NGX_CANARY_PPM) : 0;
}


/* in 1e-6 of the unit that users see; "there" is 0 if there is nothing */

static uint64_t
ngx_canary_gate_figure(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_scope_e scope, size_t variant,
    uint64_t *there)
{
    const ngx_canary_rule_t           *rule;
    const ngx_canary_trial_t          *t;
    const ngx_canary_figures_t        *f;
    const ngx_canary_event_figures_t  *e;

    rule = gate->rule;
    t = variant ? &gate->canary[scope] : &gate->baseline[scope];
    f = &split->variants[variant].figures[scope];

    switch (rule->metric) {

    case NGX_CANARY_METRIC_THROUGHPUT:
        *there = split->elapsed_us[scope];
        return ngx_canary_gate_rate(split->passages[scope], *there);

    case NGX_CANARY_METRIC_EVENT_RATE:
        *there = t->n;
        return ngx_canary_gate_rate(t->bad, t->n);

    case NGX_CANARY_METRIC_ERROR_RATE:
    case NGX_CANARY_METRIC_ABORT_RATE:
    case NGX_CANARY_METRIC_RETRY_RATE:
    case NGX_CANARY_METRIC_EVENT_RATIO:
        *there = t->n;

        if (t->n == 0) {
            return 0;
        }

        return (uint64_t) llround((double) (rule->op == NGX_CANARY_AT_LEAST
                                            ? t->n - t->bad : t->bad)
                                  / (double) t->n * NGX_CANARY_PPM);

    case NGX_CANARY_METRIC_EVENT_MEAN:
    case NGX_CANARY_METRIC_EVENT_QUANTILE:
        *there = 0;

        if (rule->event >= split->nevents) {
            return 0;
        }

        e = &split->events[rule->event].figures[variant][scope];
        *there = e->nvalues;

        if (rule->metric == NGX_CANARY_METRIC_EVENT_MEAN) {
            return e->mean;
        }

        return e->quantile[rule->le] * 1000;

    default: /* a quantile */
        if (variant && gate->late[scope]) {
            *there = !gate->beyond[scope];
            return gate->beyond[scope] ? 0 : gate->quantile_us[scope];
        }

        *there = f->latency.count;
        return f->latency.quantile_us[rule->metric];
    }
}


/* what is shown of the evidence, in powers of ten; none is none, not less */

static void
ngx_canary_gate_numbers(ngx_canary_gate_t *gate)
{
    double  evidence;

    evidence = fmax(gate->evidence, 0);

    gate->evidence_log10 = fmin(evidence / NGX_CANARY_LN10, 999);
    gate->threshold_log10 = gate->threshold / NGX_CANARY_LN10;
    gate->evidence_ratio = gate->threshold > 0
                           ? fmin(evidence / gate->threshold, 999) : 1;
    gate->dispersion = fmax(gate->dispersion, 1);
    gate->has_expected = (gate->rule->op == NGX_CANARY_NOT_WORSE);
}


int
ngx_canary_gate_within(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_scope_e scope)
{
    double                     part, base;
    uint64_t                   there, figure;
    const ngx_canary_rule_t   *rule;
    const ngx_canary_trial_t  *t, *b;

    rule = gate->rule;
    t = &gate->canary[scope];
    b = &gate->baseline[scope];

    if (gate->beyond[scope]) {
        return 0;
    }

    if (rule->op == NGX_CANARY_NOT_WORSE) {

        if (t->n == 0 || b->n == 0) {
            return 0;
        }

        part = (double) t->bad / (double) t->n;
        base = (double) b->bad / (double) b->n;

        return part <= base * (1 + (double) rule->limit / NGX_CANARY_PPM);
    }

    switch (rule->metric) {

    case NGX_CANARY_METRIC_ERROR_RATE:
    case NGX_CANARY_METRIC_ABORT_RATE:
    case NGX_CANARY_METRIC_RETRY_RATE:
        return t->bad <= ngx_canary_gate_allowed(t->n, rule->limit);

    case NGX_CANARY_METRIC_EVENT_RATIO:
        return t->bad <= ngx_canary_gate_allowed(t->n,
                                             rule->op == NGX_CANARY_AT_MOST
                                             ? rule->limit
                                             : NGX_CANARY_PPM - rule->limit);

    case NGX_CANARY_METRIC_THROUGHPUT:
    case NGX_CANARY_METRIC_EVENT_RATE:
    case NGX_CANARY_METRIC_EVENT_MEAN:
        figure = ngx_canary_gate_figure(split, gate, scope, gate->index,
                                        &there);

        return rule->op == NGX_CANARY_AT_LEAST ? figure >= rule->limit
                                               : figure <= rule->limit;

    default: /* a quantile */
        return t->bad <= ngx_canary_gate_allowed(t->n, NGX_CANARY_PPM
                                                       - rule->quantile_ppm);
    }
}


int
ngx_canary_gate_alone(const ngx_canary_gate_t *gate, ngx_canary_scope_e scope)
{
    return gate->rule->op == NGX_CANARY_NOT_WORSE
           && gate->baseline[scope].n == 0;
}


int
ngx_canary_gate_over(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate)
{
    return split->state == NGX_CANARY_STATE_ROLLED_BACK
           && !gate->has_window && !gate->beyond[NGX_CANARY_WINDOW];
}


int
ngx_canary_gate_unmatched(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate)
{
    return gate->rule->op == NGX_CANARY_NOT_WORSE
           && split->variants[0].configured_share_ppm == 0;
}


/* n for each second, in 1e-6 */

static uint64_t
ngx_canary_gate_rate(uint64_t n, uint64_t us)
{
    return us ? (uint64_t) llround((double) n * 1e12 / (double) us) : 0;
}


/* products of two counts: exact up to 2^53 */

static int
ngx_canary_gate_aborts(const ngx_canary_split_t *split,
    const ngx_canary_variant_t *v)
{
    uint64_t                     aborted;
    const ngx_canary_figures_t  *f, *base;

    f = &v->figures[NGX_CANARY_STAGE];
    base = &split->variants[0].figures[NGX_CANARY_STAGE];
    aborted = ngx_canary_count(f, ABORTED);

    if (aborted <= ngx_canary_gate_allowed(f->requests, NGX_CANARY_GATE_ABORTS))
    {
        return 0;
    }

    return base->requests == 0
           || (double) aborted * (double) base->requests
              > NGX_CANARY_GATE_ABORTS_TIMES
                * (double) ngx_canary_count(base, ABORTED)
                * (double) f->requests;
}
