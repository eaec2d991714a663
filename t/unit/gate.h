/*
 * A split with a canary at 10%, and what gate_*.c say of its gates.  The
 * expected values are worked out by hand.
 */

#ifndef GATE_H_INCLUDED
#define GATE_H_INCLUDED

#include <float.h>
#include <math.h>
#include <string.h>

#include "../../src/pure/ngx_canary_gate.h"

#include "tap.h"


#define NONE       -708.0
#define THRESHOLD  17.71                /* ln(90 days * 6): 10^7.7 */
#define TENTH      100000


static ngx_canary_split_t  split;
static ngx_canary_gate_t   gates[3];
static ngx_canary_rule_t   rules[3];


static inline void
text(ngx_canary_str_t *str, const char *data)
{
    str->data = (const unsigned char *) data;
    str->len = strlen(data);
}


/* gate i of a split at 10%, with nothing seen yet */

static inline ngx_canary_gate_t *
gate_of(size_t i, ngx_canary_metric_e metric, ngx_canary_op_e op,
    uint64_t limit, const char *words)
{
    if (i == 0) {
        memset(&split, 0, sizeof(split));
        memset(gates, 0, sizeof(gates));
        memset(rules, 0, sizeof(rules));

        split.gates = gates;
        split.rules = rules;
        split.nvariants = 2;
        split.variants[0].configured_share_ppm = NGX_CANARY_PPM - TENTH;
        split.variants[1].configured_share_ppm = TENTH;
        split.variants[1].canary = 1;
    }

    rules[i].metric = metric;
    rules[i].op = op;
    rules[i].limit = limit;
    rules[i].min = 100;

    if (metric <= NGX_CANARY_METRIC_P999) {
        rules[i].quantile_ppm = metric == NGX_CANARY_METRIC_P50 ? 500000
                                                                : 950000;
    }

    text(&rules[i].text, words);

    gates[i].rule = &rules[i];
    gates[i].index = 1;
    gates[i].min = 100;
    gates[i].text = rules[i].text;
    gates[i].evidence = NONE;
    gates[i].threshold = THRESHOLD;

    split.ngates = i + 1;

    return &gates[i];
}


static inline void
trials(ngx_canary_trial_t *of, uint64_t bad, uint64_t n)
{
    of->bad = bad;
    of->n = n;
}


static inline void
canary(ngx_canary_gate_t *gate, uint64_t bad, uint64_t n)
{
    trials(&gate->canary[NGX_CANARY_STAGE], bad, n);
    trials(&gate->canary[NGX_CANARY_WINDOW], bad, n);
}


static inline void
baseline(ngx_canary_gate_t *gate, uint64_t bad, uint64_t n)
{
    trials(&gate->baseline[NGX_CANARY_STAGE], bad, n);
    trials(&gate->baseline[NGX_CANARY_WINDOW], bad, n);
}


/* the p50 or p95 of a variant, over n requests, of the stage and the window */

static inline void
quantile(size_t variant, ngx_canary_metric_e metric, uint64_t n, uint64_t us)
{
    size_t                 s;
    ngx_canary_latency_t  *latency;

    for (s = NGX_CANARY_STAGE; s <= NGX_CANARY_WINDOW; s++) {
        latency = &split.variants[variant].figures[s].latency;
        latency->count = n;
        latency->quantile_us[metric] = us;

        if (variant) {
            gates[0].quantile_us[s] = us;
        }
    }
}


static inline void
is_status(const ngx_canary_gate_t *gate, ngx_canary_gate_status_e status,
    const char *reason, const char *name)
{
    static const char  *statuses[] = { "pending", "pass", "fail" };

    ngx_canary_gates_judge(&split);

    if (!ok(gate->status == status, "%s: %s", name, statuses[status])) {
        printf("# it is %s\n", statuses[gate->status]);
    }

    if (!ok(gate->reason.len == strlen(reason)
            && memcmp(gate->reason.data, reason, gate->reason.len) == 0,
            "%s: the reason", name))
    {
        printf("#      got: %.*s\n# expected: %s\n", (int) gate->reason.len,
               (const char *) gate->reason.data, reason);
    }
}


static inline void
is_pending(const ngx_canary_gate_t *gate, const char *reason, const char *name)
{
    is_status(gate, NGX_CANARY_GATE_PENDING, reason, name);
}


static inline void
passes(const ngx_canary_gate_t *gate, const char *reason, const char *name)
{
    is_status(gate, NGX_CANARY_GATE_PASS, reason, name);
}


static inline void
fails(const ngx_canary_gate_t *gate, const char *reason, const char *name)
{
    is_status(gate, NGX_CANARY_GATE_FAIL, reason, name);
}


static inline ngx_canary_gate_t *
error_rate(void)
{
    return gate_of(0, NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_AT_MOST, 10000,
                   "error_rate <= 1%");
}

#endif /* GATE_H_INCLUDED */
