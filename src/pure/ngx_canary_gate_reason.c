/*
 * Gates: the words.
 *
 * A reason begins with the figures, or with what is missing; behind them, in
 * this order and as far as it says something: the evidence, the ticks that
 * could not count in full, and how what is bad comes.  It is made of phrases,
 * and one for which there is no room is left out as a whole.
 */

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ngx_canary_gate.h"


#define NGX_CANARY_FIGURE_LEN  32

/* significant digits of a figure; where those do not tell it from the limit */
#define NGX_CANARY_DIGITS      4
#define NGX_CANARY_ALL_DIGITS  12

/* of a gate's text in its reason: what must follow fits as well */
#define NGX_CANARY_TEXT_LEN    150

/* the least dispersion that is worth a word, and bad trials to be sure of it */
#define NGX_CANARY_BURSTS        1.5
#define NGX_CANARY_BURSTS_KNOWN  20


static void ngx_canary_gate_fails(ngx_canary_gate_t *gate);
static void ngx_canary_gate_passes(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate);
static void ngx_canary_gate_pending(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate);
static void ngx_canary_gate_outside(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate);
static void ngx_canary_gate_given_up(ngx_canary_gate_t *gate,
    ngx_canary_scope_e scope);
static void ngx_canary_gate_held(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate);
static void ngx_canary_gate_bursts(ngx_canary_gate_t *gate);
static void ngx_canary_gate_say(ngx_canary_gate_t *gate, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static const char *ngx_canary_gate_text(const ngx_canary_rule_t *rule,
    uint64_t micro, char *buf);
static void ngx_canary_gate_figure(const ngx_canary_rule_t *rule,
    uint64_t micro, int digits, char *buf);
static void ngx_canary_gate_aborted(char *p, const ngx_canary_figures_t *f);
static void ngx_canary_gate_decimal(char *buf, double value, int digits,
    const char *unit);


/* what is bad, by ngx_canary_metric_e; NULL: no trial is */
static const char  *ngx_canary_gate_bad[] = {
    "slow requests", "slow requests", "slow requests", "slow requests",
    "slow requests",
    "failures", "aborts", "retries",
    NULL,
    "events", "bad events", "high values", "high values"
};


void
ngx_canary_gate_reason(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate)
{
    gate->reason.len = 0;
    gate->reason.data = (const unsigned char *) gate->buf;

    switch (gate->status) {

    case NGX_CANARY_GATE_FAIL:
        ngx_canary_gate_fails(gate);
        break;

    case NGX_CANARY_GATE_PASS:
        ngx_canary_gate_passes(split, gate);
        break;

    default:
        ngx_canary_gate_pending(split, gate);
    }

    ngx_canary_gate_held(split, gate);
    ngx_canary_gate_bursts(gate);
}


static void
ngx_canary_gate_fails(ngx_canary_gate_t *gate)
{
    char                       figure[NGX_CANARY_FIGURE_LEN];
    const ngx_canary_rule_t   *rule;
    const ngx_canary_trial_t  *stage;

    rule = gate->rule;
    stage = &gate->canary[NGX_CANARY_STAGE];

    ngx_canary_gate_say(gate, "%.*s is broken: ",
                        gate->text.len < NGX_CANARY_TEXT_LEN
                        ? (int) gate->text.len : NGX_CANARY_TEXT_LEN,
                        (const char *) gate->text.data);

    if (gate->beyond[NGX_CANARY_STAGE]) {
        ngx_canary_gate_given_up(gate, NGX_CANARY_STAGE);
        ngx_canary_gate_say(gate, ", ");

    } else if (gate->has_actual) {
        ngx_canary_gate_text(rule, gate->actual, figure);

        if (rule->metric == NGX_CANARY_METRIC_EVENT_RATE
            || rule->metric == NGX_CANARY_METRIC_EVENT_MEAN)
        {
            ngx_canary_gate_say(gate, "%s in the stage, ", figure);

        } else {
            ngx_canary_gate_say(gate, "%s in the stage (%" PRIu64 " of %"
                                PRIu64 "), ", figure, stage->bad, stage->n);
        }
    }

    if (gate->has_window) {
        ngx_canary_gate_say(gate, "%s in the window, ",
                            ngx_canary_gate_text(rule, gate->window, figure));
    }

    ngx_canary_gate_say(gate, "evidence 10^%.1f of 10^%.1f",
                        gate->evidence_log10, gate->threshold_log10);
}


static void
ngx_canary_gate_passes(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate)
{
    char  figure[NGX_CANARY_FIGURE_LEN];

    if (ngx_canary_gate_unmatched(split, gate)) {
        ngx_canary_gate_say(gate, "nothing to compare with: the baseline has "
                            "no share of the requests");
        return;
    }

    ngx_canary_gate_say(gate, "%s in the stage",
                        ngx_canary_gate_text(gate->rule, gate->actual,
                                             figure));

    if (gate->has_window) {
        ngx_canary_gate_say(gate, ", %s in the window",
                            ngx_canary_gate_text(gate->rule, gate->window,
                                                 figure));
    }

    if (gate->rule->op == NGX_CANARY_NOT_WORSE
        && !ngx_canary_gate_alone(gate, NGX_CANARY_STAGE))
    {
        ngx_canary_gate_say(gate, ", the baseline %s",
                            ngx_canary_gate_text(gate->rule,
                                                 gate->baseline_actual,
                                                 figure));
    }
}


/* why it does not pass yet */

static void
ngx_canary_gate_pending(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate)
{
    if (gate->beyond[NGX_CANARY_STAGE]) {
        ngx_canary_gate_given_up(gate, NGX_CANARY_STAGE);

    } else if (gate->has_actual
               && ngx_canary_gate_alone(gate, NGX_CANARY_STAGE))
    {
        ngx_canary_gate_say(gate, "no samples of the baseline in the stage");
        return;

    } else if (gate->samples < gate->min) {
        ngx_canary_gate_say(gate, "%" PRIu64 " of %" PRIu64 " samples",
                            gate->samples, gate->min);
        return;

    } else if (gate->beyond[NGX_CANARY_WINDOW]) {
        ngx_canary_gate_given_up(gate, NGX_CANARY_WINDOW);

    } else if (!gate->has_actual
               || (!gate->has_window && !ngx_canary_gate_over(split, gate)))
    {
        ngx_canary_gate_say(gate, "no samples in the %s",
                            gate->has_actual ? "window" : "stage");
        return;

    } else if (gate->has_window
               && ngx_canary_gate_alone(gate, NGX_CANARY_WINDOW))
    {
        ngx_canary_gate_say(gate, "no samples of the baseline in the window");
        return;

    } else {
        ngx_canary_gate_outside(split, gate);
    }

    if (gate->rule->metric != NGX_CANARY_METRIC_THROUGHPUT) {
        ngx_canary_gate_say(gate, "; evidence 10^%.1f of 10^%.1f",
                            gate->evidence_log10, gate->threshold_log10);
    }
}


/* the figure that is beyond the limit, that of the stage first */

static void
ngx_canary_gate_outside(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate)
{
    int          window;
    char         figure[NGX_CANARY_FIGURE_LEN];
    char         other[NGX_CANARY_FIGURE_LEN];
    const char  *where;

    window = ngx_canary_gate_within(split, gate, NGX_CANARY_STAGE);
    where = window ? "window" : "stage";

    ngx_canary_gate_text(gate->rule, window ? gate->window : gate->actual,
                         figure);

    if (gate->rule->op != NGX_CANARY_NOT_WORSE) {
        ngx_canary_gate_say(gate, "%s in the %s, %s the limit", figure, where,
                            gate->rule->op == NGX_CANARY_AT_LEAST ? "below"
                                                                  : "above");
        return;
    }

    ngx_canary_gate_say(gate, "%s in the %s, worse than the baseline", figure,
                        where);

    if (!window && !ngx_canary_gate_alone(gate, NGX_CANARY_STAGE)) {
        ngx_canary_gate_say(gate, "'s %s",
                            ngx_canary_gate_text(gate->rule,
                                                 gate->baseline_actual,
                                                 other));
    }
}


/* a quantile that falls among the requests that were given up */

static void
ngx_canary_gate_given_up(ngx_canary_gate_t *gate, ngx_canary_scope_e scope)
{
    char  limit[NGX_CANARY_FIGURE_LEN];

    ngx_canary_gate_text(gate->rule,
                         gate->rule->op == NGX_CANARY_NOT_WORSE
                         ? gate->ref_us : gate->limit,
                         limit);

    ngx_canary_gate_say(gate, "no %.*s in the %s, clients gave up %" PRIu64
                        " of %" PRIu64 " requests after more than %s",
                        (int) gate->metric.len,
                        (const char *) gate->metric.data,
                        scope == NGX_CANARY_STAGE ? "stage" : "window",
                        gate->late[scope], gate->canary[scope].n, limit);
}


/* ticks that were worse than one tick may count, unless any tick may decide */

static void
ngx_canary_gate_held(const ngx_canary_split_t *split, ngx_canary_gate_t *gate)
{
    unsigned  s;

    if (gate->held == 0 || split->pause_s <= 0) {
        return;
    }

    s = (unsigned) (gate->held_ms / 1000 % 86400);

    ngx_canary_gate_say(gate, "; %" PRIu64 " bad second%s at %02u:%02u:%02u "
                        "UTC, counted as %.1f of %.1f",
                        gate->held, gate->held == 1 ? "" : "s, the last",
                        s / 3600, s / 60 % 60, s % 60,
                        gate->held_ln / NGX_CANARY_LN10,
                        gate->threshold_log10);
}


/*
 * How what is bad comes.  The dispersion of a young stream is a precaution: it
 * is worth a word only where it explains the evidence.  A limit of 0 is broken
 * by anything bad, however it comes.
 */

static void
ngx_canary_gate_bursts(ngx_canary_gate_t *gate)
{
    int          known;
    const char  *bad;

    bad = ngx_canary_gate_bad[gate->rule->metric];

    if (bad == NULL || gate->bad <= 0
        || gate->dispersion < NGX_CANARY_BURSTS
        || (gate->rule->op == NGX_CANARY_AT_MOST && gate->rule->limit == 0))
    {
        return;
    }

    known = (gate->known >= NGX_CANARY_BURSTS_KNOWN);

    if (!known && (gate->status == NGX_CANARY_GATE_PASS
                   || (gate->status == NGX_CANARY_GATE_PENDING
                       && gate->samples < gate->min)))
    {
        return;
    }

    ngx_canary_gate_say(gate, "; %s %s in bursts: each counts as 1/%.*f", bad,
                        known ? "come" : "may come",
                        gate->dispersion < 9.95, gate->dispersion);
}


static void
ngx_canary_gate_aborted(char *p, const ngx_canary_figures_t *f)
{
    ngx_canary_gate_decimal(p, 100.0 * (double) ngx_canary_count(f, ABORTED)
                               / (double) f->requests,
                            NGX_CANARY_DIGITS, "%");
}


void
ngx_canary_gate_reason_aborts(ngx_canary_split_t *split,
    const ngx_canary_variant_t *v)
{
    int                          n;
    char                         part[NGX_CANARY_FIGURE_LEN];
    char                         other[NGX_CANARY_FIGURE_LEN];
    char                         twice[NGX_CANARY_FIGURE_LEN + 32];
    const ngx_canary_figures_t  *f, *base;

    f = &v->figures[NGX_CANARY_STAGE];
    base = &split->variants[0].figures[NGX_CANARY_STAGE];

    ngx_canary_gate_aborted(part, f);
    twice[0] = '\0';

    if (base->requests) {
        ngx_canary_gate_aborted(other, base);
        (void) snprintf(twice, sizeof(twice), " and twice the baseline's %s",
                        other);
    }

    n = snprintf(split->buf, sizeof(split->buf), "no go: clients gave up %s "
                 "of the requests to %.*s in the stage, more than %d%%%s",
                 part, (int) v->name.len, (const char *) v->name.data,
                 NGX_CANARY_GATE_ABORTS / 10000, twice);

    /* an upstream's name has at most 255 bytes: there is room for all of it */

    if (n > 0 && (size_t) n < sizeof(split->buf)) {
        split->reason.len = (size_t) n;
        split->reason.data = (const unsigned char *) split->buf;
    }
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

    if (n > 0 && (size_t) n < room) {
        gate->reason.len += (size_t) n;
    }
}


/* "385ms", "1.2%", "50r/s", "30"; returns "buf" of NGX_CANARY_FIGURE_LEN */

static const char *
ngx_canary_gate_text(const ngx_canary_rule_t *rule, uint64_t micro, char *buf)
{
    char  limit[NGX_CANARY_FIGURE_LEN];

    ngx_canary_gate_figure(rule, micro, NGX_CANARY_DIGITS, buf);

    /* what is not the limit does not read like it */

    if (rule->op != NGX_CANARY_NOT_WORSE && micro != rule->limit) {
        ngx_canary_gate_figure(rule, rule->limit, NGX_CANARY_DIGITS, limit);

        if (strcmp(buf, limit) == 0) {
            ngx_canary_gate_figure(rule, micro, NGX_CANARY_ALL_DIGITS, buf);
        }
    }

    return buf;
}


static void
ngx_canary_gate_figure(const ngx_canary_rule_t *rule, uint64_t micro,
    int digits, char *buf)
{
    double  value;

    value = (double) micro;

    switch (rule->metric) {

    case NGX_CANARY_METRIC_ERROR_RATE:
    case NGX_CANARY_METRIC_ABORT_RATE:
    case NGX_CANARY_METRIC_RETRY_RATE:
    case NGX_CANARY_METRIC_EVENT_RATIO:
        ngx_canary_gate_decimal(buf, value / 1e4, digits, "%");
        break;

    case NGX_CANARY_METRIC_THROUGHPUT:
        ngx_canary_gate_decimal(buf, value / 1e6, digits, "r/s");
        break;

    case NGX_CANARY_METRIC_EVENT_RATE:
        ngx_canary_gate_decimal(buf, value * 60 / 1e6, digits, "r/m");
        break;

    case NGX_CANARY_METRIC_EVENT_MEAN:
    case NGX_CANARY_METRIC_EVENT_QUANTILE:
        ngx_canary_gate_decimal(buf, value / 1e6, digits, "");
        break;

    default:
        if (micro >= 1000000) {
            ngx_canary_gate_decimal(buf, value / 1e6, digits, "s");

        } else {
            ngx_canary_gate_decimal(buf, value / 1e3, digits, "ms");
        }
    }
}


/* so many significant digits at most, no trailing zeros: %g with care */

static void
ngx_canary_gate_decimal(char *buf, double value, int digits,
    const char *unit)
{
    if (value >= 1000 && digits == NGX_CANARY_DIGITS) {
        (void) snprintf(buf, NGX_CANARY_FIGURE_LEN, "%.0f%s", value, unit);

    } else {
        (void) snprintf(buf, NGX_CANARY_FIGURE_LEN, "%.*g%s", digits, value,
                        unit);
    }
}
