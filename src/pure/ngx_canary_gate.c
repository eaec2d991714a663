/*
 * Gates.
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

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "ngx_canary_gate.h"


#define NGX_CANARY_FIGURE_LEN  32
#define NGX_CANARY_LN10        2.302585092994046


static void ngx_canary_gate_judge(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate);
static void ngx_canary_gate_pending(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate);
static void ngx_canary_gate_figures(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate);
static uint64_t ngx_canary_gate_figure(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_scope_e scope, size_t variant,
    uint64_t *there);
static int ngx_canary_gate_within(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_scope_e scope);
static int ngx_canary_gate_alone(const ngx_canary_gate_t *gate,
    ngx_canary_scope_e scope);
static int ngx_canary_gate_unmatched(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate);
static uint64_t ngx_canary_gate_rate(uint64_t n, uint64_t us);
static void ngx_canary_gate_say(ngx_canary_gate_t *gate, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static const char *ngx_canary_gate_text(const ngx_canary_rule_t *rule,
    uint64_t micro, char *buf);
static void ngx_canary_gate_decimal(char *buf, double value,
    const char *unit);


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

    } else if (split->ngates && passed == split->ngates) {
        split->verdict = NGX_CANARY_VERDICT_GO;

    } else {
        split->verdict = NGX_CANARY_VERDICT_PENDING;
    }
}


uint64_t
ngx_canary_gate_allowed(uint64_t n, uint64_t ppm)
{
    return n / NGX_CANARY_PPM * ppm + n % NGX_CANARY_PPM * ppm / NGX_CANARY_PPM;
}


static void
ngx_canary_gate_judge(const ngx_canary_split_t *split, ngx_canary_gate_t *gate)
{
    char                       actual[NGX_CANARY_FIGURE_LEN];
    char                       window[NGX_CANARY_FIGURE_LEN];
    const ngx_canary_trial_t  *stage;

    ngx_canary_gate_figures(split, gate);

    gate->reason.len = 0;
    gate->reason.data = (const unsigned char *) gate->buf;

    stage = &gate->canary[NGX_CANARY_STAGE];

    ngx_canary_gate_text(gate->rule, gate->actual, actual);
    ngx_canary_gate_text(gate->rule, gate->window, window);

    if (gate->evidence >= gate->threshold) {
        gate->status = NGX_CANARY_GATE_FAIL;
        ngx_canary_gate_say(gate, "%.*s is broken: ",
                            (int) gate->text.len,
                            (const char *) gate->text.data);

        if (gate->has_actual) {
            ngx_canary_gate_say(gate, "%s in the stage", actual);

            if (gate->rule->metric != NGX_CANARY_METRIC_EVENT_RATE
                && gate->rule->metric != NGX_CANARY_METRIC_EVENT_MEAN)
            {
                ngx_canary_gate_say(gate, " (%" PRIu64 " of %" PRIu64 ")",
                                    stage->bad, stage->n);
            }

            ngx_canary_gate_say(gate, ", ");
        }

        if (gate->has_window) {
            ngx_canary_gate_say(gate, "%s in the window, ", window);
        }

        ngx_canary_gate_say(gate, "evidence 10^%.1f of 10^%.1f",
                            fmin(gate->evidence / NGX_CANARY_LN10, 999),
                            gate->threshold / NGX_CANARY_LN10);
        return;
    }

    if (ngx_canary_gate_unmatched(split, gate)) {
        gate->status = NGX_CANARY_GATE_PASS;
        ngx_canary_gate_say(gate, "nothing to compare with: the baseline has "
                            "no share of the requests");
        return;
    }

    if (gate->samples < gate->min
        || !gate->has_actual || !gate->has_window
        || !ngx_canary_gate_within(split, gate, NGX_CANARY_STAGE)
        || !ngx_canary_gate_within(split, gate, NGX_CANARY_WINDOW))
    {
        gate->status = NGX_CANARY_GATE_PENDING;
        ngx_canary_gate_pending(split, gate);
        return;
    }

    gate->status = NGX_CANARY_GATE_PASS;
    ngx_canary_gate_say(gate, "%s in the stage, %s in the window", actual,
                        window);

    if (gate->has_baseline) {
        ngx_canary_gate_say(gate, ", the baseline %s",
                            ngx_canary_gate_text(gate->rule,
                                                 gate->baseline_actual,
                                                 actual));
    }
}


/* why it does not pass yet */

static void
ngx_canary_gate_pending(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate)
{
    char                 figure[NGX_CANARY_FIGURE_LEN];
    char                 other[NGX_CANARY_FIGURE_LEN];
    const char          *where, *side;
    ngx_canary_scope_e   scope;

    if (gate->has_actual
        && ngx_canary_gate_alone(gate, NGX_CANARY_STAGE))
    {
        ngx_canary_gate_say(gate, "no samples of the baseline in the stage");
        return;
    }

    if (gate->samples < gate->min) {
        ngx_canary_gate_say(gate, "%" PRIu64 " of %" PRIu64 " samples",
                            gate->samples, gate->min);
        return;
    }

    if (!gate->has_actual || !gate->has_window) {
        ngx_canary_gate_say(gate, "no samples in the %s",
                            gate->has_actual ? "window" : "stage");
        return;
    }

    if (ngx_canary_gate_alone(gate, NGX_CANARY_WINDOW)) {
        ngx_canary_gate_say(gate, "no samples of the baseline in the window");
        return;
    }

    scope = NGX_CANARY_WINDOW;
    where = "window";

    if (!ngx_canary_gate_within(split, gate, NGX_CANARY_STAGE)) {
        scope = NGX_CANARY_STAGE;
        where = "stage";
    }

    ngx_canary_gate_text(gate->rule, scope == NGX_CANARY_STAGE ? gate->actual
                                                               : gate->window,
                         figure);

    side = gate->rule->op == NGX_CANARY_AT_LEAST ? "below" : "above";

    if (gate->rule->op == NGX_CANARY_NOT_WORSE) {
        ngx_canary_gate_say(gate, "%s in the %s, worse than the baseline",
                            figure, where);

        if (gate->has_baseline && scope == NGX_CANARY_STAGE) {
            ngx_canary_gate_say(gate, "'s %s",
                                ngx_canary_gate_text(gate->rule,
                                                     gate->baseline_actual,
                                                     other));
        }

    } else {
        ngx_canary_gate_say(gate, "%s in the %s, %s the limit", figure, where,
                            side);
    }

    if (gate->rule->metric != NGX_CANARY_METRIC_THROUGHPUT) {
        ngx_canary_gate_say(gate, "; evidence 10^%.1f of 10^%.1f",
                            fmax(gate->evidence / NGX_CANARY_LN10, -9.9),
                            gate->threshold / NGX_CANARY_LN10);
    }
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
    gate->baseline_actual = 0;
    gate->has_baseline = 0;

    if (gate->rule->op == NGX_CANARY_NOT_WORSE) {
        gate->baseline_actual = ngx_canary_gate_figure(split, gate,
                                                       NGX_CANARY_STAGE, 0,
                                                       &gate->has_baseline);
    }

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


/* in 1e-6 of the unit that users see; "there" is 0 if there is nothing */

static uint64_t
ngx_canary_gate_figure(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_scope_e scope, size_t variant,
    uint64_t *there)
{
    const ngx_canary_rule_t           *rule;
    const ngx_canary_trial_t          *t;
    const ngx_canary_latency_t        *latency;
    const ngx_canary_event_figures_t  *e;

    rule = gate->rule;
    t = variant ? &gate->canary[scope] : &gate->baseline[scope];
    latency = &split->variants[variant].figures[scope].latency;

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

    default:
        *there = latency->count;
        return latency->quantile_us[rule->metric];
    }
}


static int
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


/* of a relative gate: the baseline had no request in that time */

static int
ngx_canary_gate_alone(const ngx_canary_gate_t *gate, ngx_canary_scope_e scope)
{
    return gate->rule->op == NGX_CANARY_NOT_WORSE
           && gate->baseline[scope].n == 0;
}


/* at 100% no request is left to compare with, and that must not stop a stage */

static int
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


static void
ngx_canary_gate_say(ngx_canary_gate_t *gate, const char *fmt, ...)
{
    int      n;
    size_t   room;
    va_list  args;

    room = NGX_CANARY_REASON_LEN - gate->reason.len;

    va_start(args, fmt);
    n = vsnprintf(gate->buf + gate->reason.len, room, fmt, args);
    va_end(args);

    if (n > 0) {
        gate->reason.len += (size_t) n < room ? (size_t) n : room - 1;
    }
}


/* "385ms", "1.2%", "50r/s", "30"; returns "buf" of NGX_CANARY_FIGURE_LEN */

static const char *
ngx_canary_gate_text(const ngx_canary_rule_t *rule, uint64_t micro, char *buf)
{
    double  value;

    value = (double) micro;

    switch (rule->metric) {

    case NGX_CANARY_METRIC_ERROR_RATE:
    case NGX_CANARY_METRIC_ABORT_RATE:
    case NGX_CANARY_METRIC_RETRY_RATE:
    case NGX_CANARY_METRIC_EVENT_RATIO:
        ngx_canary_gate_decimal(buf, value / 1e4, "%");
        break;

    case NGX_CANARY_METRIC_THROUGHPUT:
        ngx_canary_gate_decimal(buf, value / 1e6, "r/s");
        break;

    case NGX_CANARY_METRIC_EVENT_RATE:
        ngx_canary_gate_decimal(buf, value * 60 / 1e6, "r/m");
        break;

    case NGX_CANARY_METRIC_EVENT_MEAN:
    case NGX_CANARY_METRIC_EVENT_QUANTILE:
        ngx_canary_gate_decimal(buf, value / 1e6, "");
        break;

    default:
        if (micro >= 1000000) {
            ngx_canary_gate_decimal(buf, value / 1e6, "s");

        } else {
            ngx_canary_gate_decimal(buf, value / 1e3, "ms");
        }
    }

    return buf;
}


/* four significant digits at most, and no trailing zeros: %g with care */

static void
ngx_canary_gate_decimal(char *buf, double value, const char *unit)
{
    if (value >= 1000) {
        (void) snprintf(buf, NGX_CANARY_FIGURE_LEN, "%.0f%s", value, unit);

    } else {
        (void) snprintf(buf, NGX_CANARY_FIGURE_LEN, "%.4g%s", value, unit);
    }
}
