/*
 * Log-linear decimal histogram of times in whole microseconds.
 *
 * A bucket is the half-open range (lower, upper] whose edges have at most
 * three significant decimal digits, so that the number of values at most T
 * is exact for each T of three significant digits ("le" of Prometheus,
 * limits of gates):
 *
 *     bucket 0            the value 0
 *     bucket v            the value v, for v from 1 to 1000
 *     900 more a decade   (1000, 1010], (1010, 1020] .. up to 1000 s
 *     the last one        everything beyond 1000 s
 *
 * A quantile is the middle of its bucket, so it is within 0.5% of the exact
 * order statistic.
 */

#ifndef NGX_CANARY_HIST_H_INCLUDED
#define NGX_CANARY_HIST_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


#define NGX_CANARY_HIST_MAX_US    1000000000u   /* 1000 s, the last edge */
#define NGX_CANARY_HIST_DECADES   6             /* 1 ms to 1000 s */
#define NGX_CANARY_HIST_LINEAR    1000u         /* a bucket for each, and 0 */
#define NGX_CANARY_HIST_DECADE    900u          /* buckets of a decade */
#define NGX_CANARY_HIST_BUCKETS   (1001 + 900 * NGX_CANARY_HIST_DECADES + 1)
#define NGX_CANARY_HIST_SHOWN     7


/* the quantiles that are shown, in 1e-6: min, p50, p90, p95, p99, p999, max */
extern const uint32_t  ngx_canary_hist_ppm[NGX_CANARY_HIST_SHOWN];


/*
 * The upper edge of a bucket, inclusive, in microseconds.  UINT64_MAX for the
 * last bucket.  "index" must be less than NGX_CANARY_HIST_BUCKETS.
 */
uint64_t ngx_canary_hist_upper(size_t index);

/* 1 if "us" is the upper edge of a bucket (three significant digits), or 0 */
int ngx_canary_hist_is_edge(uint64_t us);

/* sum = counts, in [from, to], while others may add to "counts" */
void ngx_canary_hist_copy(uint64_t *sum, const uint64_t *counts, size_t from,
    size_t to);

/* adds "counts" to "sum", bucket by bucket, in [from, to] */
void ngx_canary_hist_merge(uint64_t *sum, const uint64_t *counts, size_t from,
    size_t to);

/*
 * Subtracts "base" from "sum", bucket by bucket, in [from, to]; a bucket that
 * would become negative becomes 0.
 */
void ngx_canary_hist_subtract(uint64_t *sum, const uint64_t *base, size_t from,
    size_t to);

/*
 * diff = sum - base, in [from, to], where "base" has the lower 32 bits of the
 * totals of a while ago; fewer than 2^32 values a bucket came in between.
 */
void ngx_canary_hist_since(uint64_t *diff, const uint64_t *sum,
    const uint32_t *base, size_t from, size_t to);

/* the number of values in [from, to] */
uint64_t ngx_canary_hist_count(const uint64_t *counts, size_t from, size_t to);

/*
 * Quantiles in one pass over [from, to]: "ppm" holds n ascending quantiles in
 * 1e-6 (500000 is the median), "out_us" receives the middle of the bucket that
 * holds the value of rank ceil(q * count), at least 1.  Values in the last
 * bucket are given as "max_us".  All results are clamped to min_us .. max_us.
 * Returns the count; where it is 0, "out_us" is left alone.
 */
uint64_t ngx_canary_hist_quantiles(const uint64_t *counts, size_t from,
    size_t to, uint64_t min_us, uint64_t max_us, const uint32_t *ppm,
    uint64_t *out_us, size_t n);

/*
 * One such quantile, of what is in [from, to] and of "more" values that are
 * greater than any.  UINT64_MAX if it is one of those.  There is a value at
 * least.
 */
uint64_t ngx_canary_hist_quantile(const uint64_t *counts, size_t from,
    size_t to, uint64_t min_us, uint64_t max_us, uint32_t ppm, uint64_t more);

/*
 * Cumulative counts in one pass over [from, to]: "le" holds n ascending edges
 * in microseconds (each ngx_canary_hist_is_edge()), "out" receives the exact
 * number of values at most that.
 */
void ngx_canary_hist_cumulate(const uint64_t *counts, size_t from, size_t to,
    const uint64_t *le, uint64_t *out, size_t n);


/* the bucket of "us" in decade d, which starts at 100 units */
#define ngx_canary_hist_bucket(us, d, unit)                                   \
    (NGX_CANARY_HIST_LINEAR + NGX_CANARY_HIST_DECADE * (d)                    \
     + ((us) - 1) / (unit) - 99u)


/*
 * The bucket of a value: 0 to NGX_CANARY_HIST_BUCKETS - 1.  Any value is
 * valid; those beyond 1000 s share the last bucket.  On the request path: 32
 * bits, so that a division is one multiplication.
 */
static inline size_t
ngx_canary_hist_index(uint64_t us)
{
    uint32_t  v;

    if (us > NGX_CANARY_HIST_MAX_US) {
        return NGX_CANARY_HIST_BUCKETS - 1;
    }

    v = (uint32_t) us;

    if (v <= 1000u) {
        return v;
    }

    if (v <= 10000u) {
        return ngx_canary_hist_bucket(v, 0u, 10u);
    }

    if (v <= 100000u) {
        return ngx_canary_hist_bucket(v, 1u, 100u);
    }

    if (v <= 1000000u) {
        return ngx_canary_hist_bucket(v, 2u, 1000u);
    }

    if (v <= 10000000u) {
        return ngx_canary_hist_bucket(v, 3u, 10000u);
    }

    if (v <= 100000000u) {
        return ngx_canary_hist_bucket(v, 4u, 100000u);
    }

    return ngx_canary_hist_bucket(v, 5u, 1000000u);
}


#pragma GCC visibility pop

#endif /* NGX_CANARY_HIST_H_INCLUDED */
