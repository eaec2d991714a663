/*
 * Log-linear decimal histogram.
 *
 * Up to 1000 us every value has a bucket of its own.  Each of the six decades
 * above, (10^(3+d), 10^(4+d)], is cut into 900 buckets whose width, the unit,
 * is 10^(1+d): the edges are all the numbers of three significant digits.
 * An edge belongs to the bucket below it, so in decade d the bucket is
 *
 *     1000 + 900 d + (us - 1) / unit - 99
 *
 * since a decade begins at 100 units.  A bucket is at most 1/100 as wide as
 * its values are large, so its middle is within 1/200 of each of them, and the
 * count up to an edge is a sum of whole buckets.
 */

#include "ngx_canary_hist.h"


#define NGX_CANARY_HIST_LAST      (NGX_CANARY_HIST_BUCKETS - 1)
#define NGX_CANARY_HIST_BLOCK     16            /* buckets added up at once */
#define NGX_CANARY_HIST_CHUNK     64            /* passed by at once */
#define NGX_CANARY_HIST_CHUNKS                                                \
    (NGX_CANARY_HIST_BUCKETS / NGX_CANARY_HIST_CHUNK + 1)


static uint64_t ngx_canary_hist_unit(size_t index);
static uint64_t ngx_canary_hist_middle(size_t index);
static uint64_t ngx_canary_hist_block(const uint64_t *counts);
static uint64_t ngx_canary_hist_rank(uint64_t count, uint32_t ppm);
static uint64_t ngx_canary_hist_value(size_t i, uint64_t min_us,
    uint64_t max_us);


const uint32_t  ngx_canary_hist_ppm[NGX_CANARY_HIST_SHOWN] = {
    0, 500000, 900000, 950000, 990000, 999000, 1000000
};


uint64_t
ngx_canary_hist_upper(size_t index)
{
    size_t  nth;

    if (index <= NGX_CANARY_HIST_LINEAR) {
        return index;
    }

    if (index >= NGX_CANARY_HIST_LAST) {
        return UINT64_MAX;
    }

    nth = (index - NGX_CANARY_HIST_LINEAR - 1) % NGX_CANARY_HIST_DECADE;

    return (101 + nth) * ngx_canary_hist_unit(index);
}


int
ngx_canary_hist_is_edge(uint64_t us)
{
    if (us > NGX_CANARY_HIST_MAX_US) {
        return 0;
    }

    return ngx_canary_hist_upper(ngx_canary_hist_index(us)) == us;
}


void
ngx_canary_hist_copy(uint64_t *sum, const uint64_t *counts, size_t from,
    size_t to)
{
    size_t  i;

    i = from;

    for ( /* void */ ; i + 4 <= to + 1; i += 4) {
        sum[i] = __atomic_load_n(&counts[i], __ATOMIC_RELAXED);
        sum[i + 1] = __atomic_load_n(&counts[i + 1], __ATOMIC_RELAXED);
        sum[i + 2] = __atomic_load_n(&counts[i + 2], __ATOMIC_RELAXED);
        sum[i + 3] = __atomic_load_n(&counts[i + 3], __ATOMIC_RELAXED);
    }

    for ( /* void */ ; i <= to; i++) {
        sum[i] = __atomic_load_n(&counts[i], __ATOMIC_RELAXED);
    }
}


void
ngx_canary_hist_merge(uint64_t *sum, const uint64_t *counts, size_t from,
    size_t to)
{
    size_t  i, k;

    i = from;

    for ( /* void */ ; i + NGX_CANARY_HIST_BLOCK <= to + 1;
         i += NGX_CANARY_HIST_BLOCK)
    {
        /* most blocks are empty, but where nearly all latencies lie */

        if (ngx_canary_hist_block(&counts[i]) == 0) {
            continue;
        }

        for (k = i; k < i + NGX_CANARY_HIST_BLOCK; k += 4) {
            sum[k] += counts[k];
            sum[k + 1] += counts[k + 1];
            sum[k + 2] += counts[k + 2];
            sum[k + 3] += counts[k + 3];
        }
    }

    for ( /* void */ ; i <= to; i++) {
        sum[i] += counts[i];
    }
}


void
ngx_canary_hist_subtract(uint64_t *sum, const uint64_t *base, size_t from,
    size_t to)
{
    size_t  i, k;

    i = from;

    for ( /* void */ ; i + NGX_CANARY_HIST_BLOCK <= to + 1;
         i += NGX_CANARY_HIST_BLOCK)
    {
        if (ngx_canary_hist_block(&base[i]) == 0) {
            continue;
        }

        for (k = i; k < i + NGX_CANARY_HIST_BLOCK; k++) {
            sum[k] = (sum[k] > base[k]) ? sum[k] - base[k] : 0;
        }
    }

    for ( /* void */ ; i <= to; i++) {
        sum[i] = (sum[i] > base[i]) ? sum[i] - base[i] : 0;
    }
}


void
ngx_canary_hist_since(uint64_t *diff, const uint64_t *sum,
    const uint32_t *base, size_t from, size_t to)
{
    size_t  i;

    i = from;

    for ( /* void */ ; i + 4 <= to + 1; i += 4) {
        diff[i] = (uint32_t) sum[i] - base[i];
        diff[i + 1] = (uint32_t) sum[i + 1] - base[i + 1];
        diff[i + 2] = (uint32_t) sum[i + 2] - base[i + 2];
        diff[i + 3] = (uint32_t) sum[i + 3] - base[i + 3];
    }

    for ( /* void */ ; i <= to; i++) {
        diff[i] = (uint32_t) sum[i] - base[i];
    }
}


uint64_t
ngx_canary_hist_count(const uint64_t *counts, size_t from, size_t to)
{
    size_t    i;
    uint64_t  count;

    count = 0;
    i = from;

    for ( /* void */ ; i + NGX_CANARY_HIST_BLOCK <= to + 1;
         i += NGX_CANARY_HIST_BLOCK)
    {
        count += ngx_canary_hist_block(&counts[i]);
    }

    for ( /* void */ ; i <= to; i++) {
        count += counts[i];
    }

    return count;
}


/*
 * The counts may grow while they are read, so a rank may lie beyond what the
 * walk adds up, and never ends it behind "to".
 */

uint64_t
ngx_canary_hist_quantiles(const uint64_t *counts, size_t from, size_t to,
    uint64_t min_us, uint64_t max_us, const uint32_t *ppm, uint64_t *out_us,
    size_t n)
{
    size_t    i, q, c, last;
    uint64_t  count, rank, passed, seen;
    uint64_t  chunks[NGX_CANARY_HIST_CHUNKS];

    if (from > to) {
        return 0;
    }

    count = 0;
    last = (to - from) / NGX_CANARY_HIST_CHUNK;

    for (c = 0; c <= last; c++) {
        i = from + c * NGX_CANARY_HIST_CHUNK;
        chunks[c] = ngx_canary_hist_count(counts, i,
                                          (c < last)
                                          ? i + NGX_CANARY_HIST_CHUNK - 1 : to);
        count += chunks[c];
    }

    if (count == 0) {
        return 0;
    }

    passed = 0;
    c = 0;

    for (q = 0; q < n; q++) {
        rank = ngx_canary_hist_rank(count, ppm[q]);

        while (c < last && passed + chunks[c] < rank) {
            passed += chunks[c++];
        }

        i = from + c * NGX_CANARY_HIST_CHUNK;
        seen = passed;

        while (i < to && seen + counts[i] < rank) {
            seen += counts[i++];
        }

        out_us[q] = ngx_canary_hist_value(i, min_us, max_us);
    }

    return count;
}


uint64_t
ngx_canary_hist_quantile(const uint64_t *counts, size_t from, size_t to,
    uint64_t min_us, uint64_t max_us, uint32_t ppm, uint64_t more)
{
    size_t    i;
    uint64_t  count, rank, seen;

    count = (from <= to) ? ngx_canary_hist_count(counts, from, to) : 0;
    rank = ngx_canary_hist_rank(count + more, ppm);

    if (rank > count) {
        return UINT64_MAX;
    }

    seen = 0;

    for (i = from; i < to && seen + counts[i] < rank; i++) {
        seen += counts[i];
    }

    return ngx_canary_hist_value(i, min_us, max_us);
}


/* what a value of a bucket is taken for */

static uint64_t
ngx_canary_hist_value(size_t i, uint64_t min_us, uint64_t max_us)
{
    uint64_t  us;

    us = (i < NGX_CANARY_HIST_LAST) ? ngx_canary_hist_middle(i) : max_us;

    if (us > max_us) {
        us = max_us;
    }

    return (us < min_us) ? min_us : us;
}


void
ngx_canary_hist_cumulate(const uint64_t *counts, size_t from, size_t to,
    const uint64_t *le, uint64_t *out, size_t n)
{
    size_t    i, k, end;
    uint64_t  seen;

    seen = 0;
    i = from;

    for (k = 0; k < n; k++) {
        end = ngx_canary_hist_index(le[k]);

        if (end > to) {
            end = to;
        }

        if (i <= end) {
            seen += ngx_canary_hist_count(counts, i, end);
            i = end + 1;
        }

        out[k] = seen;
    }
}


/* the width of a bucket between the linear part and the last one */

static uint64_t
ngx_canary_hist_unit(size_t index)
{
    static const uint32_t  units[NGX_CANARY_HIST_DECADES] = {
        10, 100, 1000, 10000, 100000, 1000000
    };

    return units[(index - NGX_CANARY_HIST_LINEAR - 1)
                 / NGX_CANARY_HIST_DECADE];
}


static uint64_t
ngx_canary_hist_middle(size_t index)
{
    if (index <= NGX_CANARY_HIST_LINEAR) {
        return index;
    }

    return ngx_canary_hist_upper(index) - ngx_canary_hist_unit(index) / 2;
}


static uint64_t
ngx_canary_hist_block(const uint64_t *counts)
{
    return counts[0] + counts[1] + counts[2] + counts[3]
           + counts[4] + counts[5] + counts[6] + counts[7]
           + counts[8] + counts[9] + counts[10] + counts[11]
           + counts[12] + counts[13] + counts[14] + counts[15];
}


/* ceil(count * ppm / 1e6), at least 1, for a count of any size */

static uint64_t
ngx_canary_hist_rank(uint64_t count, uint32_t ppm)
{
    uint64_t  rank;

    rank = count / 1000000 * ppm + (count % 1000000 * ppm + 999999) / 1000000;

    return (rank == 0) ? 1 : rank;
}
