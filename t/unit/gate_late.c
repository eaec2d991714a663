/*
 * Latency gates and requests that clients gave up beyond the limit: these are
 * infinitely slow, and a quantile that falls among them has no figure.
 */

#include "gate.h"


static ngx_canary_gate_t *
p95(void)
{
    ngx_canary_gate_t  *gate;

    gate = gate_of(0, NGX_CANARY_METRIC_P95, NGX_CANARY_AT_MOST, 500000,
                   "p95 <= 500ms");
    text(&gate->metric, "p95");
    gate->limit = 500000;

    return gate;
}


/* of n requests, "late" were given up, and they alone are beyond the limit */

static void
late(ngx_canary_gate_t *gate, ngx_canary_scope_e scope, uint64_t given_up,
    uint64_t n)
{
    gate->late[scope] = given_up;
    gate->beyond[scope] = (given_up * 20 > n);
    trials(&gate->canary[scope], given_up, n);
    split.variants[1].figures[scope].latency.count = n - given_up;
}


static void
test_limit(void)
{
    ngx_canary_gate_t  *gate;

    gate = p95();
    quantile(1, NGX_CANARY_METRIC_P95, 1, 480000);

    /* the quantile is that of all of them, not of those that were timed */

    split.variants[1].figures[NGX_CANARY_STAGE]
        .latency.quantile_us[NGX_CANARY_METRIC_P95] = 100000;

    late(gate, NGX_CANARY_STAGE, 5, 100);
    late(gate, NGX_CANARY_WINDOW, 5, 100);
    passes(gate, "480ms in the stage, 480ms in the window", "5 of 100");
    is_u64(gate->samples, 100, "they are samples");
    is_u64(gate->actual, 480000, "the figure has them in it");

    late(gate, NGX_CANARY_STAGE, 6, 100);
    is_pending(gate, "no p95 in the stage, clients gave up 6 of 100 requests "
               "after more than 500ms; evidence 10^0.0 of 10^7.7",
               "6 of 100");
    is_u64(gate->has_actual, 0, "nothing to show of the stage");
    is_u64(gate->samples, 100, "which has samples");
    ok(gate->has_window != 0, "the window has a figure");
    ok(split.verdict == NGX_CANARY_VERDICT_PENDING, "no go");

    late(gate, NGX_CANARY_STAGE, 5, 100);
    late(gate, NGX_CANARY_WINDOW, 6, 100);
    is_pending(gate, "no p95 in the window, clients gave up 6 of 100 requests "
               "after more than 500ms; evidence 10^0.0 of 10^7.7",
               "6 of 100 in the window");
    is_u64(gate->has_window, 0, "nothing to show of the window");

    /* all of them, before there are enough samples to pass */

    late(gate, NGX_CANARY_STAGE, 12, 12);
    late(gate, NGX_CANARY_WINDOW, 12, 12);
    gate->evidence = 2.5 * NGX_CANARY_LN10;
    is_pending(gate, "no p95 in the stage, clients gave up 12 of 12 requests "
               "after more than 500ms; evidence 10^2.5 of 10^7.7",
               "12 of 12, none was timed");

    gate->evidence = THRESHOLD;
    fails(gate, "p95 <= 500ms is broken: no p95 in the stage, clients gave up "
          "12 of 12 requests after more than 500ms, evidence 10^7.7 of "
          "10^7.7", "12 of 12");

    late(gate, NGX_CANARY_STAGE, 1, 100);
    fails(gate, "p95 <= 500ms is broken: 480ms in the stage (1 of 100), "
          "evidence 10^7.7 of 10^7.7", "the window alone has no figure");
}


static void
test_relative(void)
{
    ngx_canary_gate_t  *gate;

    gate = gate_of(0, NGX_CANARY_METRIC_P95, NGX_CANARY_NOT_WORSE, 0,
                   "p95 not_worse");
    text(&gate->metric, "p95");
    gate->ref_us = 1500000;
    quantile(0, NGX_CANARY_METRIC_P95, 1000, 300000);
    quantile(1, NGX_CANARY_METRIC_P95, 1, 290000);
    baseline(gate, 50, 1000);

    late(gate, NGX_CANARY_STAGE, 5, 100);
    late(gate, NGX_CANARY_WINDOW, 5, 100);
    passes(gate, "290ms in the stage, 290ms in the window, the baseline 300ms",
           "relative: 5 of 100");

    late(gate, NGX_CANARY_STAGE, 6, 100);
    is_pending(gate, "no p95 in the stage, clients gave up 6 of 100 requests "
               "after more than 1.5s; evidence 10^0.0 of 10^7.7",
               "relative: 6 of 100");

    /* a baseline as bad does not make up for it */

    baseline(gate, 900, 1000);
    is_pending(gate, "no p95 in the stage, clients gave up 6 of 100 requests "
               "after more than 1.5s; evidence 10^0.0 of 10^7.7",
               "relative: the baseline is worse");
}


int
main(void)
{
    test_limit();
    test_relative();

    return tap_done();
}
