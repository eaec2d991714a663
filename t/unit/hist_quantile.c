/*
 * Quantiles are within 0.5% of the order statistic, found by sorting, with and
 * without the clamp to the smallest and largest value.
 */

#include "../../src/pure/ngx_canary_hist.h"

#include "sample.h"
#include "tap.h"


#define SAMPLES    100000
#define QUANTILES  8


static const uint32_t  ppm[QUANTILES] = {
    1, 10000, 500000, 900000, 950000, 990000, 999000, 1000000
};

static uint64_t  values[SAMPLES];
static uint64_t  counts[NGX_CANARY_HIST_BUCKETS];


static void
within(uint64_t *est, size_t n, const char *clamp, const char *name)
{
    size_t    q, rank;
    uint64_t  diff, exact;

    for (q = 0; q < QUANTILES; q++) {
        rank = (n * ppm[q] + 999999) / 1000000;
        exact = values[rank - 1];
        diff = (est[q] > exact) ? est[q] - exact : exact - est[q];

        if (!ok(diff * 1000 <= exact * 5, "%s, %s: %u of a million", name,
                clamp, (unsigned) ppm[q]))
        {
            printf("# %" PRIu64 ", exactly %" PRIu64 "\n", est[q], exact);
        }
    }
}


/* with so many that are greater than any: found among them, or one of them */

static void
with_more(size_t n, size_t more, const char *name)
{
    size_t    q, rank, wrong;
    uint64_t  est, exact, diff;

    wrong = 0;

    for (q = 0; q < QUANTILES; q++) {
        rank = ((n + more) * ppm[q] + 999999) / 1000000;
        exact = (rank > n) ? UINT64_MAX : values[rank - 1];

        est = ngx_canary_hist_quantile(counts, ngx_canary_hist_index(values[0]),
                                       ngx_canary_hist_index(values[n - 1]),
                                       values[0], values[n - 1], ppm[q], more);

        diff = (est > exact) ? est - exact : exact - est;
        wrong += (rank > n) ? est != UINT64_MAX
                            : est == UINT64_MAX || diff * 1000 > exact * 5;
    }

    ok(wrong == 0, "%s, and %zu more", name, more);
}


/* the first n values */

static void
check(size_t n, const char *name)
{
    size_t    i, from, to;
    uint64_t  est[QUANTILES];

    for (i = 0; i < NGX_CANARY_HIST_BUCKETS; i++) {
        counts[i] = 0;
    }

    for (i = 0; i < n; i++) {
        counts[ngx_canary_hist_index(values[i])]++;
    }

    sample_sort(values, n);

    is_u64(ngx_canary_hist_quantiles(counts, 0, NGX_CANARY_HIST_BUCKETS - 1, 0,
                                     UINT64_MAX, ppm, est, QUANTILES),
           n, name);
    within(est, n, "all buckets", name);

    from = ngx_canary_hist_index(values[0]);
    to = ngx_canary_hist_index(values[n - 1]);

    ngx_canary_hist_quantiles(counts, from, to, values[0], values[n - 1], ppm,
                              est, QUANTILES);
    within(est, n, "clamped", name);

    with_more(n, 0, name);
    with_more(n, 1, name);
    with_more(n, n / 20, name);
    with_more(n, 2 * n, name);
}


/* values beyond 1000 s have no quantile, so the tail is cut there */

static void
lognormal(double median_us, double sigma, uint64_t seed, const char *name)
{
    size_t  i;
    double  us;

    for (i = 0; i < SAMPLES; i++) {
        us = median_us * exp(sigma * sample_normal(&seed));
        values[i] = (us < NGX_CANARY_HIST_MAX_US) ? (uint64_t) (us + 0.5)
                                                  : NGX_CANARY_HIST_MAX_US;
    }

    check(SAMPLES, name);
}


/* "slow" in a thousand are around "slow_us", 10% to either side */

static void
bimodal(double fast_us, double slow_us, unsigned slow, uint64_t seed,
    const char *name)
{
    size_t  i;
    double  us;

    for (i = 0; i < SAMPLES; i++) {
        us = (sample_u64(&seed) % 1000 < slow) ? slow_us : fast_us;
        values[i] = (uint64_t) (us * (0.9 + 0.2 * sample_unit(&seed)) + 0.5);
    }

    check(SAMPLES, name);
}


static void
constant(uint64_t us)
{
    size_t  i;
    char    name[64];

    for (i = 0; i < 1000; i++) {
        values[i] = us;
    }

    snprintf(name, sizeof(name), "constant %" PRIu64 " us", us);
    check(1000, name);
}


int
main(void)
{
    size_t  i;

    static const uint64_t  constants[] = {
        3, 4, 99, 999, 1000, 1001, 1005, 1010, 1011, 9999, 10000, 10001, 12345,
        99999, 100001, 543210, 999999, 1000001, 9990001, 10000001, 99999999,
        100000000
    };

    lognormal(3, 0.6, 1, "lognormal around 3 us");
    lognormal(800, 0.5, 2, "lognormal around 800 us");
    lognormal(20000, 1, 3, "lognormal around 20 ms");
    lognormal(1000000, 2.5, 4, "lognormal around 1 s, heavy tail");
    lognormal(100000000, 0.4, 5, "lognormal around 100 s");

    bimodal(3, 100000000, 500, 6, "bimodal, 3 us and 100 s");
    bimodal(2000, 900000, 50, 7, "bimodal, 5% slow");
    bimodal(150000, 30000000, 10, 8, "bimodal, 1% slow");
    bimodal(1005, 10050, 100, 9, "bimodal, around the seams of decades");

    for (i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
        constant(constants[i]);
    }

    return tap_done();
}
