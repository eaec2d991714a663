/*
 * Intervals of confidence against the distribution itself: sums of the
 * binomial, whose terms are worked out one from the other, and published
 * tables of Wilson's interval.
 */

#include <math.h>

#include "tap.h"

#include "../../src/pure/ngx_canary_interval.h"


/* the probability of at most k of n, each with probability p */
static double
binomial(uint64_t n, double p, double k)
{
    double    term, sum;
    uint64_t  i;

    if (k < 0) {
        return 0;
    }

    sum = 0;

    for (i = 0; i <= n && (double) i <= k; i++) {
        term = lgamma((double) n + 1) - lgamma((double) i + 1)
               - lgamma((double) (n - i) + 1)
               + (double) i * log(p) + (double) (n - i) * log1p(-p);
        sum += exp(term);
    }

    return fmin(sum, 1);
}


/* to four decimals, as R's prop.test(x, n, correct = FALSE) gives them */
static void
tables(void)
{
    double  low, high;
    size_t  i;

    static const struct {
        double  bad, n, low, high;
    } rows[] = {
        { 0, 10, 0, 0.2775 },
        { 1, 10, 0.0179, 0.4042 },
        { 5, 10, 0.2366, 0.7634 },
        { 10, 10, 0.7225, 1 },
        { 81, 263, 0.2553, 0.3662 },    /* Newcombe, 1998 */
        { 15, 148, 0.0624, 0.1605 },
        { 0, 20, 0, 0.1611 },
        { 1, 29, 0.0061, 0.1718 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ngx_canary_interval_part(rows[i].bad, rows[i].n, &low, &high);
        ok(fabs(low - rows[i].low) < 6e-5 && fabs(high - rows[i].high) < 6e-5,
           "%g of %g: %.4f to %.4f", rows[i].bad, rows[i].n, low, high);
    }

    ngx_canary_interval_part(0, 0, &low, &high);
    ok(low == 0 && high == 1, "nothing is known of nothing");
}


/* a fraction is in it about 19 times of 20, on the mean over fractions */
static void
parts(void)
{
    double    p, low, high, within, last, cdf, sum, least;
    size_t    i;
    uint64_t  n, k;

    static const uint64_t  sizes[] = { 20, 100, 1300 };

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        n = sizes[i];
        sum = 0;
        least = 1;

        for (p = 0.01; p < 0.995; p += 0.02) {
            within = 0;
            last = 0;

            for (k = 0; k <= n; k++) {
                cdf = binomial(n, p, (double) k);
                ngx_canary_interval_part((double) k, (double) n, &low, &high);

                if (low <= p && p <= high) {
                    within += cdf - last;
                }

                last = cdf;

                if (n > 1000 && k > 400) {
                    break;
                }
            }

            if (n > 1000 && p > 0.2) {
                continue;
            }

            sum += within;
            least = fmin(least, within);
        }

        sum /= n > 1000 ? 10 : 50;

        ok(sum > 0.94 && sum < 0.965, "of %" PRIu64 ": %.3f on the mean", n,
           sum);
        ok(least > 0.82, "of %" PRIu64 ": %.3f at least", n, least);
    }
}


/* the quantile lies between the two values: the number below it is binomial */
static void
ranks(void)
{
    double    q, within;
    size_t    i, j;
    uint64_t  n, low, high;

    static const uint32_t  ppm[] = { 500000, 900000, 950000, 990000, 999000 };
    static const uint64_t  sizes[] = { 1, 7, 30, 100, 400, 3000, 20000 };

    for (i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++) {
        for (j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
            n = sizes[j];
            q = ppm[i] / 1e6;
            ngx_canary_interval_ranks(n, ppm[i], &low, &high);

            within = 1;

            if (low > 0) {
                within -= binomial(n, q, (double) low - 1);
            }

            if (high <= n) {
                within -= 1 - binomial(n, q, (double) high - 1);
            }

            ok(low <= high && within > 0.93 && (n < 1000 || within < 0.98
                                                || low == 0 || high > n),
               "p%g of %" PRIu64 ": ranks %" PRIu64 " to %" PRIu64 ", %.4f",
               100 * q, n, low, high, within);
        }
    }
}


/* narrower with more of the same, and never without what was counted */
static void
shape(void)
{
    double    low, high, width, last;
    uint64_t  n, a, b, lower, upper;

    last = 1;

    for (n = 10; n <= 100000; n *= 10) {
        ngx_canary_interval_part(0.1 * (double) n, (double) n, &low, &high);
        width = high - low;

        ok(low <= 0.1 && high >= 0.1 && width < last,
           "10%% of %" PRIu64 ": %.4f wide", n, width);
        last = width;
    }

    ngx_canary_interval_ranks(100, 990000, &a, &b);
    is_u64(b, 101, "100 values do not bound a p99 above");
    ngx_canary_interval_ranks(1, 500000, &a, &b);
    is_u64(a, 0, "one value does not bound a median below");
    is_u64(b, 2, "nor above");
    ngx_canary_interval_ranks(0, 500000, &a, &b);
    ok(a == 0 && b == 1, "nor does nothing");
    ngx_canary_interval_ranks((uint64_t) 1 << 50, 999999, &lower, &upper);
    ok(lower > 0 && upper <= (uint64_t) 1 << 50 && lower < upper,
       "many values");
}


int
main(void)
{
    tables();
    parts();
    ranks();
    shape();

    return tap_done();
}
