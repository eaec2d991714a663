/*
 * The status of a gate on both sides of each boundary, and the verdict of
 * several.
 */

#include "gate.h"


static void
test_allowed(void)
{
    is_u64(ngx_canary_gate_allowed(0, 10000), 0, "of none, none");
    is_u64(ngx_canary_gate_allowed(99, 10000), 0, "1% of 99");
    is_u64(ngx_canary_gate_allowed(100, 10000), 1, "1% of 100");
    is_u64(ngx_canary_gate_allowed(199, 10000), 1, "1% of 199");
    is_u64(ngx_canary_gate_allowed(999999, 1), 0, "0.0001% of 999,999");
    is_u64(ngx_canary_gate_allowed(1000000, 1), 1, "0.0001% of 1,000,000");
    is_u64(ngx_canary_gate_allowed(3, 333333), 0, "33.3333% of 3");
    is_u64(ngx_canary_gate_allowed(3000003, 333333), 999999,
           "33.3333% of 3,000,003");
    is_u64(ngx_canary_gate_allowed(UINT64_MAX, 0), 0, "0% of the most");
    is_u64(ngx_canary_gate_allowed(UINT64_MAX, NGX_CANARY_PPM), UINT64_MAX,
           "100% of the most");

    /* 18446744073709551615 / 2, rounded down */

    is_u64(ngx_canary_gate_allowed(UINT64_MAX, 500000), 9223372036854775807,
           "50% of the most");
}


static void
test_error_rate(void)
{
    ngx_canary_gate_t  *gate;

    gate = error_rate();
    is_pending(gate, "0 of 100 samples", "nothing seen");
    is_u64(gate->has_actual, 0, "nothing to show of the stage");
    is_u64(gate->has_window, 0, "nothing to show of the window");

    canary(gate, 0, 99);
    is_pending(gate, "99 of 100 samples", "one less than min");
    is_u64(gate->samples, 99, "the samples");

    canary(gate, 1, 100);
    passes(gate, "1% in the stage, 1% in the window",
           "at min and at the limit");
    is_u64(gate->actual, 10000, "the figure of the stage, in 1e-6");
    is_u64(gate->window, 10000, "that of the window");

    canary(gate, 2, 100);
    is_pending(gate, "2% in the stage, above the limit; evidence 10^0.0 of "
               "10^7.7", "one more than is allowed");

    canary(gate, 2, 199);
    is_pending(gate, "1.005% in the stage, above the limit; evidence 10^0.0 "
               "of 10^7.7", "two of 199");

    canary(gate, 2, 200);
    passes(gate, "1% in the stage, 1% in the window", "two of 200");

    canary(gate, 1, 100);
    trials(&gate->canary[NGX_CANARY_WINDOW], 2, 100);
    gate->evidence = 2.302585092994046;
    is_pending(gate, "2% in the window, above the limit; evidence 10^1.0 of "
               "10^7.7", "the stage is within the limit, the window is not");

    canary(gate, 2, 100);
    trials(&gate->canary[NGX_CANARY_WINDOW], 1, 100);
    is_pending(gate, "2% in the stage, above the limit; evidence 10^1.0 of "
               "10^7.7", "the window is within the limit, the stage is not");

    canary(gate, 0, 100);
    trials(&gate->canary[NGX_CANARY_WINDOW], 0, 0);
    is_pending(gate, "no samples in the window", "an empty window");
    is_u64(gate->has_window, 0, "nothing to show of it");

    canary(gate, 0, 100);
    trials(&gate->canary[NGX_CANARY_WINDOW], 0, 1);
    passes(gate, "0% in the stage, 0% in the window", "one in the window");

    /* a limit of 0% */

    gate = error_rate();
    rules[0].limit = 0;
    canary(gate, 0, 100000);
    passes(gate, "0% in the stage, 0% in the window", "no error at 0%");
    canary(gate, 1, 100000);
    is_pending(gate, "0.001% in the stage, above the limit; evidence 10^0.0 "
               "of 10^7.7", "one error at 0%");
}


/* aborted or retried by requests */

static void
test_rates(void)
{
    size_t              i;
    ngx_canary_gate_t  *gate;

    static const ngx_canary_metric_e  rates[] = {
        NGX_CANARY_METRIC_ABORT_RATE, NGX_CANARY_METRIC_RETRY_RATE
    };

    for (i = 0; i < 2; i++) {
        gate = gate_of(0, rates[i], NGX_CANARY_AT_MOST, 20000, "rate <= 2%");
        canary(gate, 0, 99);
        is_pending(gate, "99 of 100 samples", "a rate: one less than min");

        canary(gate, 20, 1000);
        passes(gate, "2% in the stage, 2% in the window",
               "a rate: at the limit");
        is_u64(gate->actual, 20000, "a rate: the figure, in 1e-6");

        canary(gate, 21, 1000);
        is_pending(gate, "2.1% in the stage, above the limit; evidence 10^0.0 "
                   "of 10^7.7", "a rate: one more");

        gate->evidence = THRESHOLD;
        fails(gate, "rate <= 2% is broken: 2.1% in the stage (21 of 1000), "
              "2.1% in the window, evidence 10^7.7 of 10^7.7",
              "a rate: broken");

        gate = gate_of(0, rates[i], NGX_CANARY_NOT_WORSE, 500000, "rate");
        canary(gate, 30, 1000);
        baseline(gate, 200, 10000);
        passes(gate, "3% in the stage, 3% in the window, the baseline 2%",
               "a rate, not worse: 1.5 times the baseline's");

        canary(gate, 31, 1000);
        is_pending(gate, "3.1% in the stage, worse than the baseline's 2%; "
                   "evidence 10^0.0 of 10^7.7", "a rate, not worse: one more");
    }
}


/* nothing of the canary is in the window any more */

static void
test_over(void)
{
    ngx_canary_gate_t  *gate;

    gate = error_rate();
    canary(gate, 1, 100);
    trials(&gate->canary[NGX_CANARY_WINDOW], 0, 0);
    is_pending(gate, "no samples in the window", "not rolled back");

    split.state = NGX_CANARY_STATE_ROLLED_BACK;
    passes(gate, "1% in the stage", "rolled back: the stage at its limit");

    canary(gate, 2, 100);
    trials(&gate->canary[NGX_CANARY_WINDOW], 0, 0);
    is_pending(gate, "2% in the stage, above the "
               "limit; evidence 10^0.0 of 10^7.7",
               "rolled back: one more than is allowed");

    canary(gate, 0, 99);
    trials(&gate->canary[NGX_CANARY_WINDOW], 0, 0);
    is_pending(gate, "99 of 100 samples",
               "rolled back: one sample too few");

    canary(gate, 1, 100);
    trials(&gate->canary[NGX_CANARY_WINDOW], 1, 1);
    is_pending(gate, "100% in the window, above the "
               "limit; evidence 10^0.0 of 10^7.7",
               "rolled back just now: the window counts");

    gate->evidence = THRESHOLD;
    trials(&gate->canary[NGX_CANARY_WINDOW], 0, 0);
    fails(gate, "error_rate <= 1% is broken: 1% in the stage (1 of 100), "
          "evidence 10^7.7 of 10^7.7", "rolled back: what failed has failed");

    gate = gate_of(0, NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_NOT_WORSE,
                   500000, "error_rate not_worse");
    split.state = NGX_CANARY_STATE_ROLLED_BACK;
    canary(gate, 3, 100);
    baseline(gate, 20, 1000);
    trials(&gate->canary[NGX_CANARY_WINDOW], 0, 0);
    trials(&gate->baseline[NGX_CANARY_WINDOW], 0, 0);
    passes(gate, "3% in the stage, the baseline 2%",
           "rolled back: 1.5 times the baseline's");

    canary(gate, 4, 100);
    trials(&gate->canary[NGX_CANARY_WINDOW], 0, 0);
    is_pending(gate, "4% in the stage, worse than "
               "the baseline's 2%; evidence 10^0.0 of 10^7.7",
               "rolled back: one more");
}


static void
test_evidence(void)
{
    ngx_canary_gate_t  *gate;

    gate = error_rate();
    canary(gate, 50, 1000);

    gate->evidence = nextafter(THRESHOLD, 0);
    is_pending(gate, "5% in the stage, above the limit; evidence 10^7.7 of "
               "10^7.7", "the least below the threshold");
    ok(split.verdict == NGX_CANARY_VERDICT_PENDING, "the verdict: pending");

    gate->evidence = THRESHOLD;
    fails(gate, "error_rate <= 1% is broken: 5% in the stage (50 of 1000), "
          "5% in the window, evidence 10^7.7 of 10^7.7", "at the threshold");
    ok(split.verdict == NGX_CANARY_VERDICT_ROLLBACK, "the verdict: rollback");

    gate->evidence = HUGE_VAL;
    fails(gate, "error_rate <= 1% is broken: 5% in the stage (50 of 1000), "
          "5% in the window, evidence 10^999.0 of 10^7.7", "certain");

    /* whatever the figures and the number of samples */

    gate->evidence = THRESHOLD;
    canary(gate, 0, 1000);
    fails(gate, "error_rate <= 1% is broken: 0% in the stage (0 of 1000), "
          "0% in the window, evidence 10^7.7 of 10^7.7", "figures are fine");

    canary(gate, 9, 9);
    trials(&gate->canary[NGX_CANARY_WINDOW], 0, 0);
    fails(gate, "error_rate <= 1% is broken: 100% in the stage (9 of 9), "
          "evidence 10^7.7 of 10^7.7", "before min, the window is empty");

    canary(gate, 0, 0);
    fails(gate, "error_rate <= 1% is broken: evidence 10^7.7 of 10^7.7",
          "a new stage without a request");

    gate->evidence = -HUGE_VAL;
    canary(gate, 0, 100);
    passes(gate, "0% in the stage, 0% in the window", "none at all");
}


static void
test_quantile(void)
{
    ngx_canary_gate_t  *gate;

    gate = gate_of(0, NGX_CANARY_METRIC_P95, NGX_CANARY_AT_MOST, 500000,
                   "p95 <= 500ms");
    quantile(1, NGX_CANARY_METRIC_P95, 399, 385000);
    rules[0].min = gate->min = 400;
    canary(gate, 0, 399);
    is_pending(gate, "399 of 400 samples", "p95: one less than min");

    /* the figure shown may be on the other side: counts decide */

    quantile(1, NGX_CANARY_METRIC_P95, 400, 500500);
    canary(gate, 20, 400);
    passes(gate, "500.5ms in the stage, 500.5ms in the window",
           "p95: 5% beyond the limit");
    canary(gate, 21, 400);
    is_pending(gate, "500.5ms in the stage, above the limit; evidence 10^0.0 "
               "of 10^7.7", "p95: one more");

    quantile(1, NGX_CANARY_METRIC_P95, 400, 1200000);
    gate->evidence = THRESHOLD;
    canary(gate, 200, 400);
    fails(gate, "p95 <= 500ms is broken: 1.2s in the stage (200 of 400), "
          "1.2s in the window, evidence 10^7.7 of 10^7.7", "p95: broken");

    gate = gate_of(0, NGX_CANARY_METRIC_P50, NGX_CANARY_AT_MOST, 200000,
                   "p50 <= 200ms");
    quantile(1, NGX_CANARY_METRIC_P50, 101, 1234);
    canary(gate, 50, 101);
    passes(gate, "1.234ms in the stage, 1.234ms in the window",
           "p50: 50 of 101 beyond the limit");
    canary(gate, 51, 101);
    is_pending(gate, "1.234ms in the stage, above the limit; evidence 10^0.0 "
               "of 10^7.7", "p50: one more");
}


static void
test_throughput(void)
{
    ngx_canary_gate_t  *gate;

    gate = gate_of(0, NGX_CANARY_METRIC_THROUGHPUT, NGX_CANARY_AT_LEAST,
                   50000000, "throughput >= 50r/s");
    is_pending(gate, "0 of 100 samples", "throughput: nothing seen");

    /* of the whole split, over 10 s; the canary has none of it */

    split.elapsed_us[NGX_CANARY_STAGE] = 10000000;
    split.elapsed_us[NGX_CANARY_WINDOW] = 10000000;
    split.passages[NGX_CANARY_STAGE] = 500;
    split.passages[NGX_CANARY_WINDOW] = 500;
    passes(gate, "50r/s in the stage, 50r/s in the window",
           "throughput: at the limit");
    is_u64(gate->samples, 500, "throughput: samples of the split");

    split.passages[NGX_CANARY_WINDOW] = 499;
    is_pending(gate, "49.9r/s in the window, below the limit",
               "throughput: one less in the window");

    split.passages[NGX_CANARY_STAGE] = 499;
    split.passages[NGX_CANARY_WINDOW] = 500;
    is_pending(gate, "49.9r/s in the stage, below the limit",
               "throughput: one less in the stage");

    split.passages[NGX_CANARY_STAGE] = 100;
    split.passages[NGX_CANARY_WINDOW] = 0;
    is_pending(gate, "10r/s in the stage, below the limit",
               "throughput: nothing comes any more");
    ok(split.verdict == NGX_CANARY_VERDICT_PENDING,
       "throughput: a quiet night rolls nothing back");

    split.elapsed_us[NGX_CANARY_STAGE] = 1000000;
    split.passages[NGX_CANARY_STAGE] = 123456;
    split.passages[NGX_CANARY_WINDOW] = 123456;
    passes(gate, "123456r/s in the stage, 12346r/s in the window",
           "throughput: high");
}


static void
test_not_worse(void)
{
    ngx_canary_gate_t  *gate;

    gate = gate_of(0, NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_NOT_WORSE,
                   500000, "error_rate not_worse margin=50%");
    canary(gate, 30, 1000);
    baseline(gate, 200, 10000);
    passes(gate, "3% in the stage, 3% in the window, the baseline 2%",
           "not worse: 1.5 times the baseline's 2%");

    canary(gate, 31, 1000);
    is_pending(gate, "3.1% in the stage, worse than the baseline's 2%; "
               "evidence 10^0.0 of 10^7.7", "not worse: one more");

    canary(gate, 30, 1000);
    trials(&gate->canary[NGX_CANARY_WINDOW], 31, 1000);
    is_pending(gate, "3.1% in the window, worse than the baseline; "
               "evidence 10^0.0 of 10^7.7",
               "not worse: one more in the window");

    /* a baseline that never fails */

    baseline(gate, 0, 10000);
    canary(gate, 0, 1000);
    passes(gate, "0% in the stage, 0% in the window, the baseline 0%",
           "not worse: no errors on either side");

    canary(gate, 1, 1000);
    is_pending(gate, "0.1% in the stage, worse than the baseline's 0%; "
               "evidence 10^0.0 of 10^7.7",
               "not worse: one error, the baseline has none");

    gate->evidence = THRESHOLD;
    canary(gate, 40, 1000);
    fails(gate, "error_rate not_worse margin=50% is broken: 4% in the stage "
          "(40 of 1000), 4% in the window, evidence 10^7.7 of 10^7.7",
          "not worse: 40 errors, the baseline has none");

    /* nothing to compare with yet */

    gate->evidence = NONE;
    canary(gate, 0, 1000);
    baseline(gate, 0, 0);
    is_pending(gate, "no samples of the baseline in the stage",
               "not worse: no request of the baseline");

    canary(gate, 9, 1000);
    is_pending(gate, "no samples of the baseline in the stage",
               "not worse: errors, but no request of the baseline");

    canary(gate, 0, 1000);
    trials(&gate->baseline[NGX_CANARY_STAGE], 0, 10);
    is_pending(gate, "no samples of the baseline in the window",
               "not worse: none of the baseline in the window");

    trials(&gate->baseline[NGX_CANARY_WINDOW], 0, 1);
    passes(gate, "0% in the stage, 0% in the window, the baseline 0%",
           "not worse: one of the baseline");
}


static void
test_not_worse_quantile(void)
{
    ngx_canary_gate_t  *gate;

    gate = gate_of(0, NGX_CANARY_METRIC_P95, NGX_CANARY_NOT_WORSE, 0,
                   "p95 not_worse");
    quantile(0, NGX_CANARY_METRIC_P95, 1000, 300000);
    quantile(1, NGX_CANARY_METRIC_P95, 1000, 280000);
    canary(gate, 50, 1000);
    baseline(gate, 500, 10000);
    passes(gate, "280ms in the stage, 280ms in the window, the baseline 300ms",
           "p95 not worse: as many beyond the baseline's");

    quantile(1, NGX_CANARY_METRIC_P95, 1000, 310000);
    canary(gate, 51, 1000);
    is_pending(gate, "310ms in the stage, worse than the baseline's 300ms; "
               "evidence 10^0.0 of 10^7.7", "p95 not worse: one more");

    /* the baseline's quantile is that of no request: no trials either */

    canary(gate, 0, 0);
    baseline(gate, 0, 0);
    quantile(0, NGX_CANARY_METRIC_P95, 0, 0);
    is_pending(gate, "no samples of the baseline in the stage",
               "p95 not worse: no request of the baseline");
    ok(gate->has_actual != 0, "p95 not worse: the canary's own is shown");

    quantile(1, NGX_CANARY_METRIC_P95, 0, 0);
    is_pending(gate, "0 of 100 samples", "p95 not worse: none at all");
}


static void
test_whole_share(void)
{
    ngx_canary_gate_t  *gate;

    gate = gate_of(0, NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_NOT_WORSE, 0,
                   "error_rate not_worse");
    split.variants[0].configured_share_ppm = 1;
    split.variants[1].configured_share_ppm = NGX_CANARY_PPM - 1;
    is_pending(gate, "0 of 100 samples", "99.9999%: there is a baseline");

    split.variants[0].configured_share_ppm = 0;
    split.variants[1].configured_share_ppm = NGX_CANARY_PPM;
    passes(gate, "nothing to compare with: the baseline has no share of the "
           "requests", "100%: nothing to compare with");
    ok(split.verdict == NGX_CANARY_VERDICT_GO, "does not stop a stage");

    gate->evidence = THRESHOLD;
    fails(gate, "error_rate not_worse is broken: evidence 10^7.7 of 10^7.7",
          "100%: what was seen before still fails");

    gate = error_rate();
    split.variants[0].configured_share_ppm = 0;
    is_pending(gate, "0 of 100 samples", "100%: a limit still holds");
}


/* of three gates, by their states: p pending, g pass, f fail */

static void
verdict(const char *states, ngx_canary_state_e state,
    ngx_canary_verdict_e expected)
{
    size_t              i;
    ngx_canary_gate_t  *gate;

    (void) error_rate();

    for (i = 0; states[i] != '\0'; i++) {
        gate = gate_of(i, NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_AT_MOST,
                       10000, "error_rate <= 1%");
        canary(gate, 0, states[i] == 'p' ? 99 : 100);
        gate->evidence = states[i] == 'f' ? THRESHOLD : NONE;
    }

    split.ngates = i;
    split.state = state;
    ngx_canary_gates_judge(&split);

    ok(split.verdict == expected, "verdict of \"%s\"%s", states,
       state == NGX_CANARY_STATE_ROLLED_BACK ? ", rolled back" : "");
}


int
main(void)
{
    test_allowed();
    test_error_rate();
    test_rates();
    test_over();
    test_evidence();
    test_quantile();
    test_throughput();
    test_not_worse();
    test_not_worse_quantile();
    test_whole_share();

    verdict("", NGX_CANARY_STATE_ACTIVE, NGX_CANARY_VERDICT_PENDING);
    verdict("", NGX_CANARY_STATE_ROLLED_BACK, NGX_CANARY_VERDICT_ROLLBACK);
    verdict("ggg", NGX_CANARY_STATE_ACTIVE, NGX_CANARY_VERDICT_GO);
    verdict("ggg", NGX_CANARY_STATE_OFF, NGX_CANARY_VERDICT_GO);
    verdict("gpg", NGX_CANARY_STATE_ACTIVE, NGX_CANARY_VERDICT_PENDING);
    verdict("ppp", NGX_CANARY_STATE_ACTIVE, NGX_CANARY_VERDICT_PENDING);
    verdict("ggf", NGX_CANARY_STATE_ACTIVE, NGX_CANARY_VERDICT_ROLLBACK);
    verdict("fpp", NGX_CANARY_STATE_ACTIVE, NGX_CANARY_VERDICT_ROLLBACK);
    verdict("pgf", NGX_CANARY_STATE_OFF, NGX_CANARY_VERDICT_ROLLBACK);
    verdict("ggg", NGX_CANARY_STATE_ROLLED_BACK, NGX_CANARY_VERDICT_ROLLBACK);
    verdict("ppp", NGX_CANARY_STATE_ROLLED_BACK, NGX_CANARY_VERDICT_ROLLBACK);

    return tap_done();
}
