/* Which value a quantile is: the one of rank ceil(q * count), at least 1. */

#include "../../src/pure/ngx_canary_hist.h"

#include "tap.h"


static uint64_t  counts[NGX_CANARY_HIST_BUCKETS];


/* a quantile of one value each of 1 us to n us, which have exact buckets */

static uint64_t
of_first(size_t n, uint32_t ppm)
{
    size_t    i;
    uint64_t  us;

    for (i = 1; i <= 1000; i++) {
        counts[i] = i <= n;
    }

    us = 0;
    ngx_canary_hist_quantiles(counts, 0, 1000, 0, 1000, &ppm, &us, 1);

    return us;
}


int
main(void)
{
    size_t    i;
    uint64_t  us[3];

    static const uint32_t  thirds[3] = { 250000, 500000, 500001 };

    is_u64(of_first(1, 0), 1, "of one value, 0%");
    is_u64(of_first(1, 500000), 1, "of one value, 50%");
    is_u64(of_first(1, 1000000), 1, "of one value, 100%");
    is_u64(of_first(2, 500000), 1, "of two values, 50%");
    is_u64(of_first(2, 500001), 2, "of two values, just above 50%");
    is_u64(of_first(3, 500000), 2, "of three values, 50%");
    is_u64(of_first(100, 990000), 99, "of 100 values, 99%");
    is_u64(of_first(100, 990001), 100, "of 100 values, just above 99%");
    is_u64(of_first(999, 999000), 999, "of 999 values, 99.9%");
    is_u64(of_first(1000, 999000), 999, "of 1000 values, 99.9%");
    is_u64(of_first(1000, 999001), 1000, "of 1000 values, just above 99.9%");
    is_u64(of_first(1000, 1), 1, "of 1000 values, 0.0001%");
    is_u64(of_first(1000, 1000000), 1000, "of 1000 values, 100%");

    for (i = 0; i <= 1000; i++) {
        counts[i] = 0;
    }

    /* twice 2^62: the product with 1e6 does not fit in 64 bits */

    counts[5] = (uint64_t) 1 << 62;
    counts[7] = (uint64_t) 1 << 62;

    is_u64(ngx_canary_hist_quantiles(counts, 0, 1000, 0, 1000, thirds, us, 3),
           (uint64_t) 1 << 63, "a count of 2^63");
    is_u64(us[0], 5, "its quarter");
    is_u64(us[1], 5, "its half");
    is_u64(us[2], 7, "just above its half");

    return tap_done();
}
