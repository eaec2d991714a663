/*
 * What a gate's reason says behind its figures: the evidence, the seconds that
 * could not count in full, and how what is bad comes.
 */

#include "gate.h"


#define MIDNIGHT  1764028800000         /* 2025-11-25 00:00:00 UTC, in ms */


static ngx_canary_gate_t *
above(void)
{
    ngx_canary_gate_t  *gate;

    gate = error_rate();
    canary(gate, 50, 1000);
    gate->bad = 50;
    gate->trials = 1000;
    gate->known = 20;
    split.pause_s = 1;

    return gate;
}


static void
held(ngx_canary_gate_t *gate, uint64_t n, uint64_t at_ms, double counted)
{
    gate->held = n;
    gate->held_ms = at_ms;
    gate->held_ln = counted * NGX_CANARY_LN10;
}


static void
test_evidence(void)
{
    ngx_canary_gate_t  *gate;

    gate = above();
    gate->evidence = 3.2 * NGX_CANARY_LN10;
    is_pending(gate, "5% in the stage, above the limit; evidence 10^3.2 of "
               "10^7.7", "some");
    ok(fabs(gate->evidence_log10 - 3.2) < 1e-9, "to base 10");
    ok(fabs(gate->threshold_log10 - 7.6914) < 1e-4, "the threshold as well");
    ok(fabs(gate->evidence_ratio - 3.2 / 7.6914) < 1e-4, "one by the other");

    gate->evidence = -0.001;
    is_pending(gate, "5% in the stage, above the limit; evidence 10^0.0 of "
               "10^7.7", "a little below 1");
    ok(gate->evidence_log10 == 0 && gate->evidence_ratio == 0, "is none");

    gate->evidence = -HUGE_VAL;
    is_pending(gate, "5% in the stage, above the limit; evidence 10^0.0 of "
               "10^7.7", "nothing seen");
    ok(gate->evidence_log10 == 0 && gate->evidence_ratio == 0, "is none");

    gate->evidence = 2 * THRESHOLD;
    fails(gate, "error_rate <= 1% is broken: 5% in the stage (50 of 1000), 5% "
          "in the window, evidence 10^15.4 of 10^7.7", "twice the threshold");
    ok(fabs(gate->evidence_ratio - 2) < 1e-9, "may exceed 1");

    gate->evidence = THRESHOLD;
    ngx_canary_gates_judge(&split);
    ok(gate->evidence_ratio == 1, "1 fails");

    is_u64(gate->has_expected, 0, "a limit expects nothing");
    gate_of(0, NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_NOT_WORSE, 0, "");
    ngx_canary_gates_judge(&split);
    is_u64(gate->has_expected, 1, "a comparison does");
    ok(gate->dispersion == 1, "nothing known: trials count in full");
}


static void
test_held(void)
{
    ngx_canary_gate_t  *gate;

    gate = above();
    gate->evidence = 2.7 * NGX_CANARY_LN10;

    /* 12:03:07 is 43387 s after midnight */

    held(gate, 2, MIDNIGHT + 43387999, 2.6);
    is_pending(gate, "5% in the stage, above the limit; evidence 10^2.7 of "
               "10^7.7; 2 bad seconds, the last at 12:03:07 UTC, counted as "
               "2.6 of 7.7", "two");

    held(gate, 1, MIDNIGHT + 86399000, 1.3);
    is_pending(gate, "5% in the stage, above the limit; evidence 10^2.7 of "
               "10^7.7; 1 bad second at 23:59:59 UTC, counted as 1.3 of 7.7",
               "one");

    split.pause_s = 0;
    is_pending(gate, "5% in the stage, above the limit; evidence 10^2.7 of "
               "10^7.7", "any second may decide");

    split.pause_s = 0.001;
    held(gate, 6, MIDNIGHT, 7.7);
    gate->evidence = THRESHOLD;
    fails(gate, "error_rate <= 1% is broken: 5% in the stage (50 of 1000), 5% "
          "in the window, evidence 10^7.7 of 10^7.7; 6 bad seconds, the last "
          "at 00:00:00 UTC, counted as 7.7 of 7.7", "they made it fail");

    gate->evidence = NGX_CANARY_LN10;
    held(gate, 1, MIDNIGHT + 1000, 1.3);
    canary(gate, 5, 1000);
    passes(gate, "0.5% in the stage, 0.5% in the window; 1 bad second at "
           "00:00:01 UTC, counted as 1.3 of 7.7", "a pass says so, too");

    canary(gate, 9, 10);
    is_pending(gate, "10 of 100 samples; 1 bad second at 00:00:01 UTC, counted "
               "as 1.3 of 7.7", "with too few samples");
}


/* the words of a metric whose gate is above its limit */

static void
bursts(ngx_canary_metric_e metric, const char *words)
{
    char                expected[128];
    ngx_canary_gate_t  *gate;

    gate = gate_of(0, metric, NGX_CANARY_AT_MOST, 10000, "");
    canary(gate, 500, 1000);
    gate->evidence = THRESHOLD;
    gate->bad = 500;
    gate->trials = 1000;
    gate->known = 20;
    gate->dispersion = 12;

    (void) snprintf(expected, sizeof(expected), "; %s come in bursts: each "
                    "counts as 1/12", words);

    ngx_canary_gates_judge(&split);

    ok(gate->reason.len > strlen(expected)
       && memcmp(gate->reason.data + gate->reason.len - strlen(expected),
                 expected, strlen(expected)) == 0,
       "in bursts: %s", words);
}


static void
test_bursts(void)
{
    ngx_canary_gate_t  *gate;

    gate = above();
    gate->evidence = 3.2 * NGX_CANARY_LN10;

    gate->dispersion = 1.49;
    is_pending(gate, "5% in the stage, above the limit; evidence 10^3.2 of "
               "10^7.7", "not worth a word");

    gate->dispersion = 1.5;
    is_pending(gate, "5% in the stage, above the limit; evidence 10^3.2 of "
               "10^7.7; failures come in bursts: each counts as 1/1.5",
               "just worth one");

    gate->dispersion = 200;
    is_pending(gate, "5% in the stage, above the limit; evidence 10^3.2 of "
               "10^7.7; failures come in bursts: each counts as 1/200",
               "the most");

    /* of 20 bad ones on, it is known; before, it is a precaution */

    gate->dispersion = 12.4;
    is_pending(gate, "5% in the stage, above the limit; evidence 10^3.2 of "
               "10^7.7; failures come in bursts: each counts as 1/12",
               "known from 20 bad ones");

    gate->known = 19.99;
    is_pending(gate, "5% in the stage, above the limit; evidence 10^3.2 of "
               "10^7.7; failures may come in bursts: each counts as 1/12",
               "known from less");

    gate->evidence = THRESHOLD;
    fails(gate, "error_rate <= 1% is broken: 5% in the stage (50 of 1000), 5% "
          "in the window, evidence 10^7.7 of 10^7.7; failures may come in "
          "bursts: each counts as 1/12", "known from less, and it fails");

    gate->evidence = NONE;
    gate->bad = 0;
    is_pending(gate, "5% in the stage, above the limit; evidence 10^0.0 of "
               "10^7.7", "none since the stream began");

    canary(gate, 5, 1000);
    gate->bad = 50;
    passes(gate, "0.5% in the stage, 0.5% in the window",
           "known from less, and it passes");

    gate->known = 20;
    passes(gate, "0.5% in the stage, 0.5% in the window; failures come in "
           "bursts: each counts as 1/12", "known, and it passes");

    canary(gate, 1, 99);
    gate->known = 19.99;
    is_pending(gate, "99 of 100 samples", "known from less, too few samples");

    gate->known = 20;
    is_pending(gate, "99 of 100 samples; failures come in bursts: each counts "
               "as 1/12", "known, too few samples");

    /* a limit of 0 */

    gate = above();
    rules[0].limit = 0;
    gate->dispersion = 12;
    gate->evidence = THRESHOLD;
    fails(gate, "error_rate <= 1% is broken: 5% in the stage (50 of 1000), 5% "
          "in the window, evidence 10^7.7 of 10^7.7", "nothing bad is allowed");

    bursts(NGX_CANARY_METRIC_ERROR_RATE, "failures");
    bursts(NGX_CANARY_METRIC_ABORT_RATE, "aborts");
    bursts(NGX_CANARY_METRIC_RETRY_RATE, "retries");
    bursts(NGX_CANARY_METRIC_P50, "slow requests");
    bursts(NGX_CANARY_METRIC_P999, "slow requests");
    bursts(NGX_CANARY_METRIC_EVENT_RATE, "events");
    bursts(NGX_CANARY_METRIC_EVENT_RATIO, "bad events");
    bursts(NGX_CANARY_METRIC_EVENT_MEAN, "high values");
    bursts(NGX_CANARY_METRIC_EVENT_QUANTILE, "high values");
}


/* a comparison without a margin has a limit of 0 as well */

static void
test_bursts_relative(void)
{
    ngx_canary_gate_t  *gate;

    gate = gate_of(0, NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_NOT_WORSE, 0,
                   "error_rate not_worse");
    canary(gate, 3, 1000);
    baseline(gate, 20, 9000);
    gate->dispersion = 3.04;
    gate->bad = 3;
    gate->known = 20;
    is_pending(gate, "0.3% in the stage, worse than the baseline's 0.2222%; "
               "evidence 10^0.0 of 10^7.7; failures come in bursts: each "
               "counts as 1/3.0", "in bursts: not worse");
}


/* what does not fit is left out as a whole: a gate's text of any length */

static void
test_long(void)
{
    char                words[NGX_CANARY_REASON_LEN];
    size_t              len, n, ends, said;
    ngx_canary_gate_t  *gate;

    ends = 0;

    for (len = 1; len < sizeof(words); len++) {
        memset(words, 'e', len);
        words[len] = '\0';

        gate = above();
        text(&gate->text, words);
        gate->evidence = THRESHOLD;
        gate->dispersion = 12;
        canary(gate, 50000000, 1000000000);
        held(gate, 2, MIDNIGHT, 2.6);
        ngx_canary_gates_judge(&split);

        n = gate->reason.len;

        /* 150 bytes of it, at most */

        said = strspn(gate->buf, "e");

        if (said != (len < 150 ? len : 150)
            || memcmp(gate->buf + said, " is broken: ", 12) != 0)
        {
            break;
        }

        if (memcmp(gate->buf + n - 4, "1/12", 4) == 0) {
            ends |= 1;

        } else if (memcmp(gate->buf + n - 10, "2.6 of 7.7", 10) == 0) {
            ends |= 2;

        } else if (memcmp(gate->buf + n - 6, "10^7.7", 6) == 0) {
            ends |= 4;

        } else {
            break;
        }
    }

    is_u64(len, sizeof(words), "a text of any length");
    is_u64(ends, 1 | 2 | 4, "with a longer one, less is said behind it");
}


/* a figure beside its limit has the digits that tell them apart, if it can */

static void
test_close(void)
{
    ngx_canary_gate_t  *gate;

    gate = error_rate();
    canary(gate, 10001, 1000000);
    is_pending(gate, "1.0001% in the stage, above the limit; evidence 10^0.0 "
               "of 10^7.7", "the fifth digit");
    canary(gate, 100010, 10000000);
    is_pending(gate, "1.0001% in the stage, above the limit; evidence 10^0.0 "
               "of 10^7.7", "the same of more");
    canary(gate, 10010, 1000000);
    is_pending(gate, "1.001% in the stage, above the limit; evidence 10^0.0 "
               "of 10^7.7", "four do");
    canary(gate, 123456, 1000000);
    is_pending(gate, "12.35% in the stage, above the limit; evidence 10^0.0 "
               "of 10^7.7", "far from it, four are enough");
}


int
main(void)
{
    test_evidence();
    test_held();
    test_bursts();
    test_bursts_relative();
    test_long();
    test_close();

    return tap_done();
}
