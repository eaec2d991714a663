/*
 * Points of history: what totals grew by, sums of points, and quantiles.  The
 * oracle keeps every latency, counts those of a stretch one by one, and sorts
 * them.
 */

#include "../../src/pure/ngx_canary_hist.h"
#include "../../src/pure/ngx_canary_history.h"

#include "sample.h"
#include "tap.h"

#include <string.h>


#define SAMPLES  4000
#define PARTS    8


static uint64_t  values[SAMPLES];


/* those of values[from .. to), totals of what came before "to" */
static void
oracle_totals(ngx_canary_point_totals_t *totals, const uint64_t *limits_us,
    size_t to)
{
    size_t  i, k;

    memset(totals, 0, sizeof(*totals));

    for (i = 0; i < to; i++) {
        totals->requests++;
        totals->errors += i % 7 == 0;
        totals->samples += i % 5 != 0;
        totals->count++;

        for (k = 0; k < NGX_CANARY_HISTORY_LE; k++) {
            totals->le[k] += values[i] <= ngx_canary_history_le_us[k];
        }

        for (k = 0; k < NGX_CANARY_HISTORY_LIMITS && limits_us[k]; k++) {
            totals->limits[k] += values[i] <= limits_us[k];
        }
    }
}


static void
part(ngx_canary_point_counts_t *counts, const uint64_t *limits_us,
    const uint64_t *base_us, size_t from, size_t to)
{
    ngx_canary_point_totals_t  totals, base;

    oracle_totals(&totals, limits_us, to);
    oracle_totals(&base, base_us, from);

    ngx_canary_history_since(counts, &totals, limits_us, &base, base_us);
}


static void
test_sums(void)
{
    size_t                     i;
    ngx_canary_point_counts_t  whole, sum, parts[PARTS];

    static const uint64_t  limits[NGX_CANARY_HISTORY_LIMITS] = {
        500, 50000, 1000000
    };

    part(&whole, limits, limits, 0, SAMPLES);

    for (i = 0; i < PARTS; i++) {
        part(&parts[i], limits, limits, i * SAMPLES / PARTS,
             (i + 1) * SAMPLES / PARTS);
    }

    sum = parts[0];

    for (i = 1; i < PARTS; i++) {
        ngx_canary_history_add(&sum, limits, &parts[i], limits);
    }

    is_u64(whole.requests, SAMPLES, "what totals grew by");
    ok(memcmp(&sum, &whole, sizeof(sum)) == 0,
       "the sum of points is one point over all of it");

    /* twice as long, twice as long again, as a series doubles */

    for (i = 0; i < PARTS; i += 2) {
        ngx_canary_history_add(&parts[i], limits, &parts[i + 1], limits);
    }

    for (i = 0; i < PARTS; i += 4) {
        ngx_canary_history_add(&parts[i], limits, &parts[i + 2], limits);
    }

    ngx_canary_history_add(&parts[0], limits, &parts[4], limits);
    ok(memcmp(&parts[0], &whole, sizeof(sum)) == 0, "in any order");
}


static void
test_limits(void)
{
    uint64_t                   common[NGX_CANARY_HISTORY_LIMITS];
    ngx_canary_point_counts_t  one, two, expected;

    static const uint64_t  before[NGX_CANARY_HISTORY_LIMITS] = {
        500, 50000, 1000000
    };
    static const uint64_t  after[NGX_CANARY_HISTORY_LIMITS] = {
        50000, 300000, 1000000, 2000000
    };
    static const uint64_t  both[NGX_CANARY_HISTORY_LIMITS] = {
        50000, 1000000
    };

    ngx_canary_history_limits(common, before, after);
    ok(memcmp(common, both, sizeof(both)) == 0, "limits of both");

    part(&one, before, before, 0, 1000);
    part(&two, after, after, 1000, 3000);
    ngx_canary_history_add(&one, before, &two, after);
    part(&expected, both, both, 0, 3000);
    ok(memcmp(&one, &expected, sizeof(one)) == 0,
       "a sum has the limits that both parts have");

    part(&one, after, before, 1000, 3000);
    part(&expected, both, both, 1000, 3000);
    ok(memcmp(&one, &expected, sizeof(one)) == 0,
       "so has a point in which they changed");

    ngx_canary_history_limits(common, common, common);
    ok(memcmp(common, both, sizeof(both)) == 0, "into one of them");
}


static void
test_quantiles(void)
{
    size_t                     i, from, to, n, wrong, crossed, bad_order;
    uint64_t                   sorted[SAMPLES], out[3], exact, low, high;
    ngx_canary_point_counts_t  counts;

    static const uint32_t  ppm[3] = { 500000, 950000, 990000 };
    static const uint64_t  limits[NGX_CANARY_HISTORY_LIMITS] = {
        500, 50000, 1000000, 200000000
    };

    wrong = 0;
    crossed = 0;
    bad_order = 0;

    for (from = 0; from + 37 < SAMPLES; from += 37) {
        to = from + 1 + from % 36 * 11;
        to = to > SAMPLES ? SAMPLES : to;
        n = to - from;

        part(&counts, limits, limits, from, to);
        memcpy(sorted, &values[from], n * sizeof(uint64_t));
        sample_sort(sorted, n);

        out[0] = 0;

        if (ngx_canary_history_quantiles(&counts, limits, ppm, out, 3) != n) {
            wrong++;
        }

        for (i = 0; i < 3; i++) {
            size_t  k, rank;

            rank = (size_t) (((uint64_t) n * ppm[i] + 999999) / 1000000);
            exact = sorted[rank - 1];
            low = 0;
            high = UINT64_MAX;

            for (k = 0; k < NGX_CANARY_HISTORY_LE; k++) {
                if (ngx_canary_history_le_us[k] < exact) {
                    low = ngx_canary_history_le_us[k];

                } else if (high == UINT64_MAX) {
                    high = ngx_canary_history_le_us[k];
                }
            }

            wrong += out[i] < low || (out[i] > high && high != UINT64_MAX);

            for (k = 0; k < NGX_CANARY_HISTORY_LIMITS && limits[k]; k++) {
                crossed += (out[i] <= limits[k]) != (exact <= limits[k])
                           && exact <= limits[3];
            }

            bad_order += i && out[i] < out[i - 1];
        }
    }

    is_u64(wrong, 0, "a quantile lies between the bounds of the exact one");
    is_u64(crossed, 0, "and on its side of each gate's limit");
    is_u64(bad_order, 0, "and they ascend");

    memset(&counts, 0, sizeof(counts));
    out[0] = 4711;
    is_u64(ngx_canary_history_quantiles(&counts, limits, ppm, out, 1), 0,
           "nothing counted");
    is_u64(out[0], 4711, "no quantile");

    counts.count = 3;
    (void) ngx_canary_history_quantiles(&counts, limits, ppm, out, 1);
    is_u64(out[0], 200000000, "beyond the last bound, that bound");

    counts.le[0] = 3;
    (void) ngx_canary_history_quantiles(&counts, &limits[5], ppm, out, 1);
    is_u64(out[0], 500, "below the first, evenly spread");
}


static void
test_edges(void)
{
    size_t                     i, wrong;
    ngx_canary_point_gate_t    gate = { 0, 0 }, more;
    ngx_canary_point_totals_t  totals, base;
    ngx_canary_point_counts_t  counts, sum;

    static const uint64_t  none[NGX_CANARY_HISTORY_LIMITS] = { 0 };

    wrong = 0;

    for (i = 0; i < NGX_CANARY_HISTORY_LE; i++) {
        wrong += !ngx_canary_hist_is_edge(ngx_canary_history_le_us[i]);
        wrong += i && ngx_canary_history_le_us[i]
                      <= ngx_canary_history_le_us[i - 1];
    }

    is_u64(wrong, 0, "bounds are ascending edges of the histogram");

    memset(&totals, 0, sizeof(totals));
    memset(&base, 0, sizeof(base));
    totals.requests = 5;
    base.requests = 9;
    totals.errors = (uint64_t) 1 << 40;

    ngx_canary_history_since(&counts, &totals, none, &base, none);
    is_u64(counts.requests, 5, "counters that began anew");
    is_u64(counts.errors, UINT32_MAX, "more than a point can hold");

    sum = counts;
    ngx_canary_history_add(&sum, none, &counts, none);
    is_u64(sum.requests, 10, "a sum");
    is_u64(sum.errors, UINT32_MAX, "that does not wrap");

    more.evidence = 0;
    more.threshold = 400;
    ngx_canary_history_raise(&gate, more);
    is_u64(gate.threshold, 400, "a gate without evidence is one");

    more.evidence = 250;
    more.threshold = 500;
    ngx_canary_history_raise(&gate, more);
    more.evidence = 100;
    ngx_canary_history_raise(&gate, more);
    is_u64(gate.evidence, 250, "the most evidence");
    is_u64(gate.threshold, 500, "beside its threshold");

    more.threshold = 0;
    more.evidence = 999;
    ngx_canary_history_raise(&gate, more);
    is_u64(gate.evidence, 250, "where there is no gate, there is none");

    is_u64(ngx_canary_history_evidence(-1), 0, "evidence below 1");
    is_u64(ngx_canary_history_evidence(2.346), 235, "is rounded");
    is_u64(ngx_canary_history_evidence(1e9), UINT16_MAX, "and cut");
}


int
main(void)
{
    size_t    i;
    uint64_t  state;

    state = 11;

    for (i = 0; i < SAMPLES; i++) {
        values[i] = (uint64_t) exp(5 + 13.5 * sample_unit(&state));

        /* on a bound, a limit, or next to one */

        if (i % 9 == 0) {
            values[i] = 50000 + i % 2;

        } else if (i % 11 == 0) {
            values[i] = ngx_canary_history_le_us[i % NGX_CANARY_HISTORY_LE];
        }
    }

    test_sums();
    test_limits();
    test_quantiles();
    test_edges();

    return tap_done();
}
