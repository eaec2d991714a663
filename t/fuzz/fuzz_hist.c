/*
 * Any values: each is in the bucket whose edges enclose it, cumulated counts
 * are exact, and quantiles are ordered and within 0.5% of the sorted values.
 */

#include "../../src/pure/ngx_canary_hist.h"

#include "require.h"

#include <stdlib.h>
#include <string.h>


#define VALUES  256
#define LAST    (NGX_CANARY_HIST_BUCKETS - 1)


static void check_bucket(uint64_t us);
static void check_quantiles(const uint64_t *values, size_t n);
static void check_cumulate(const uint64_t *values, size_t n);
static int compare(const void *one, const void *two);


static uint64_t  counts[NGX_CANARY_HIST_BUCKETS];


/* five bytes a value: a mantissa of four, shifted left by the fifth */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t    i, n;
    uint32_t  mantissa;
    uint64_t  values[VALUES];

    for (n = 0; n < VALUES && size >= 5; n++, data += 5, size -= 5) {
        memcpy(&mantissa, data, 4);
        values[n] = (data[4] & 0x80) ? (uint64_t) mantissa << (data[4] & 31)
                                     : mantissa >> (data[4] & 31);
        check_bucket(values[n]);
    }

    if (n == 0) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        counts[ngx_canary_hist_index(values[i])]++;
    }

    qsort(values, n, sizeof(uint64_t), compare);

    check_quantiles(values, n);
    check_cumulate(values, n);

    for (i = 0; i < n; i++) {
        counts[ngx_canary_hist_index(values[i])] = 0;
    }

    return 0;
}


static void
check_bucket(uint64_t us)
{
    size_t  i;

    i = ngx_canary_hist_index(us);

    require(i <= LAST);
    require((i == LAST) == (us > NGX_CANARY_HIST_MAX_US));
    require(us <= ngx_canary_hist_upper(i));
    require(i == 0 || us > ngx_canary_hist_upper(i - 1));
    require(ngx_canary_hist_is_edge(us)
            == (i != LAST && ngx_canary_hist_upper(i) == us));
}


static void
check_quantiles(const uint64_t *values, size_t n)
{
    size_t    q, from, to, rank;
    uint64_t  exact, diff, us[5];

    static const uint32_t  ppm[5] = { 1, 500000, 950000, 999000, 1000000 };

    from = ngx_canary_hist_index(values[0]);
    to = ngx_canary_hist_index(values[n - 1]);

    require(ngx_canary_hist_quantiles(counts, from, to, values[0],
                                      values[n - 1], ppm, us, 5)
            == n);

    for (q = 0; q < 5; q++) {
        rank = (n * ppm[q] + 999999) / 1000000;
        exact = values[rank - 1];
        diff = (us[q] > exact) ? us[q] - exact : exact - us[q];

        require(q == 0 || us[q] >= us[q - 1]);
        require(us[q] >= values[0] && us[q] <= values[n - 1]);

        if (exact <= NGX_CANARY_HIST_MAX_US) {
            require(diff * 200 <= exact);

        } else {
            require(us[q] == values[n - 1]);
        }
    }
}


/* the edge of each value's bucket: ascending, as the values are */

static void
check_cumulate(const uint64_t *values, size_t n)
{
    size_t    i, k, bounds, below;
    uint64_t  le[VALUES], out[VALUES];

    bounds = 0;

    for (i = 0; i < n && values[i] <= NGX_CANARY_HIST_MAX_US; i++) {
        le[bounds++] = ngx_canary_hist_upper(ngx_canary_hist_index(values[i]));
    }

    ngx_canary_hist_cumulate(counts, 0, LAST, le, out, bounds);

    below = 0;

    for (k = 0; k < bounds; k++) {
        while (below < n && values[below] <= le[k]) {
            below++;
        }

        require(out[k] == below);
    }

    require(ngx_canary_hist_count(counts, 0, LAST) == n);
}


static int
compare(const void *one, const void *two)
{
    uint64_t  a, b;

    memcpy(&a, one, sizeof(uint64_t));
    memcpy(&b, two, sizeof(uint64_t));

    return (a > b) - (a < b);
}
