/* What a quantile is kept within, and that nothing has none. */

#include "../../src/pure/ngx_canary_hist.h"

#include "tap.h"


#define LAST  (NGX_CANARY_HIST_BUCKETS - 1)


static const uint32_t  ppm[2] = { 500000, 1000000 };

static uint64_t  counts[NGX_CANARY_HIST_BUCKETS];


int
main(void)
{
    size_t    bucket;
    uint64_t  us[2];

    us[0] = 4711;
    us[1] = 4712;

    is_u64(ngx_canary_hist_quantiles(counts, 0, LAST, 1, 9, ppm, us, 2), 0,
           "an empty histogram has no count");
    is_u64(us[0], 4711, "and leaves the results alone");
    is_u64(us[1], 4712, "all of them");

    is_u64(ngx_canary_hist_quantiles(counts, LAST, 0, 1, 9, ppm, us, 2), 0,
           "as has an empty range");
    is_u64(us[0], 4711, "and leaves the results alone");

    bucket = ngx_canary_hist_index(20050);
    counts[bucket] = 10;

    ngx_canary_hist_quantiles(counts, bucket, bucket, 0, UINT64_MAX, ppm, us,
                              2);
    is_u64(us[0], 20050, "the middle of the bucket from 20 ms to 20.1 ms");

    ngx_canary_hist_quantiles(counts, 0, LAST, 20070, 20080, ppm, us, 2);
    is_u64(us[0], 20070, "not below the smallest value");

    ngx_canary_hist_quantiles(counts, 0, LAST, 20010, 20020, ppm, us, 2);
    is_u64(us[1], 20020, "not beyond the largest value");

    counts[LAST] = 10;

    ngx_canary_hist_quantiles(counts, 0, LAST, 20010, 7000000000, ppm, us, 2);
    is_u64(us[0], 20050, "half are at 20 ms");
    is_u64(us[1], 7000000000, "those beyond 1000 s are given as the largest");

    is_u64(ngx_canary_hist_quantiles(counts, bucket + 1, LAST, 0, 7000000000,
                                     ppm, us, 2),
           10, "buckets before the range do not count");
    is_u64(us[0], 7000000000, "nor move a quantile");

    is_u64(ngx_canary_hist_quantiles(counts, 0, LAST - 1, 0, 7000000000, ppm,
                                     us, 2),
           10, "buckets behind the range do not count");
    is_u64(us[1], 20050, "nor move a quantile");

    return tap_done();
}
