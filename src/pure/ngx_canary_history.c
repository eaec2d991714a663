/*
 * A point counts what totals grew by between two moments: requests, errors,
 * latencies up to each bound.  All of it is a sum, so two points make a longer
 * one by addition, in any order, and the result is what one point over both
 * would have counted.  Only the columns of gates' limits depend on the
 * configuration: a point says which limits they are of, and a sum keeps those
 * that all of its parts have.
 *
 * The quantile of rank r lies between the first bound that has counted r and
 * the one before it; the logarithm of the latency is taken as evenly spread
 * there, below the first bound the latency itself.
 */

#include <math.h>
#include <string.h>

#include "ngx_canary_history.h"


#define NGX_CANARY_HISTORY_BOUNDS                                             \
    (NGX_CANARY_HISTORY_LE + NGX_CANARY_HISTORY_LIMITS)


typedef struct {
    size_t    n;
    uint64_t  us[NGX_CANARY_HISTORY_BOUNDS];
    uint32_t  seen[NGX_CANARY_HISTORY_BOUNDS];
} ngx_canary_history_bounds_t;


static uint32_t ngx_canary_history_grown(uint64_t total, uint64_t base);
static uint32_t ngx_canary_history_plus(uint32_t a, uint32_t b);
static void ngx_canary_history_bounds(ngx_canary_history_bounds_t *bounds,
    const ngx_canary_point_counts_t *counts, const uint64_t *limits_us);
static uint64_t ngx_canary_history_between(double low_us, double high_us,
    double part);


/* 1000 * 10^(5 k / 23), of three digits */

const uint64_t  ngx_canary_history_le_us[NGX_CANARY_HISTORY_LE] = {
    1000, 1650, 2720, 4490, 7410, 12200, 20200, 33200, 54800, 90500, 149000,
    246000, 406000, 670000, 1110000, 1820000, 3010000, 4960000, 8190000,
    13500000, 22300000, 36700000, 60600000, 100000000
};


void
ngx_canary_history_rules(const ngx_canary_rule_t *rules, size_t n,
    uint64_t *limits_us)
{
    size_t    i, k, used;
    uint64_t  us;

    used = 0;
    memset(limits_us, 0, NGX_CANARY_HISTORY_LIMITS * sizeof(uint64_t));

    for (i = 0; i < n && used < NGX_CANARY_HISTORY_LIMITS; i++) {
        us = rules[i].limit;

        if (rules[i].metric > NGX_CANARY_METRIC_P999
            || rules[i].op == NGX_CANARY_NOT_WORSE)
        {
            continue;
        }

        for (k = 0; k < used && limits_us[k] < us; k++) { /* void */ }

        if (k < used && limits_us[k] == us) {
            continue;
        }

        memmove(&limits_us[k + 1], &limits_us[k],
                (used - k) * sizeof(uint64_t));
        limits_us[k] = us;
        used++;
    }
}


void
ngx_canary_history_limits(uint64_t *common, const uint64_t *a_us,
    const uint64_t *b_us)
{
    size_t    i, k, n;
    uint64_t  us[NGX_CANARY_HISTORY_LIMITS];

    memset(us, 0, sizeof(us));
    n = 0;
    k = 0;

    for (i = 0; i < NGX_CANARY_HISTORY_LIMITS && a_us[i]; i++) {

        while (k < NGX_CANARY_HISTORY_LIMITS && b_us[k] && b_us[k] < a_us[i]) {
            k++;
        }

        if (k < NGX_CANARY_HISTORY_LIMITS && b_us[k] == a_us[i]) {
            us[n++] = a_us[i];
        }
    }

    memcpy(common, us, sizeof(us));
}


void
ngx_canary_history_since(ngx_canary_point_counts_t *counts,
    const ngx_canary_point_totals_t *totals, const uint64_t *limits_us,
    const ngx_canary_point_totals_t *base, const uint64_t *base_us)
{
    size_t  i, k, n;

    memset(counts, 0, sizeof(ngx_canary_point_counts_t));

    counts->requests = ngx_canary_history_grown(totals->requests,
                                                base->requests);
    counts->errors = ngx_canary_history_grown(totals->errors, base->errors);
    counts->samples = ngx_canary_history_grown(totals->samples, base->samples);
    counts->count = ngx_canary_history_grown(totals->count, base->count);

    for (i = 0; i < NGX_CANARY_HISTORY_LE; i++) {
        counts->le[i] = ngx_canary_history_grown(totals->le[i], base->le[i]);
    }

    n = 0;

    for (i = 0; i < NGX_CANARY_HISTORY_LIMITS && limits_us[i]; i++) {
        for (k = 0; k < NGX_CANARY_HISTORY_LIMITS; k++) {
            if (base_us[k] == limits_us[i]) {
                counts->limits[n++] = ngx_canary_history_grown(
                                                         totals->limits[i],
                                                         base->limits[k]);
            }
        }
    }
}


static uint32_t
ngx_canary_history_grown(uint64_t total, uint64_t base)
{
    uint64_t  grown;

    grown = (total < base) ? total : total - base;

    return (grown > UINT32_MAX) ? UINT32_MAX : (uint32_t) grown;
}


void
ngx_canary_history_add(ngx_canary_point_counts_t *sum, const uint64_t *sum_us,
    const ngx_canary_point_counts_t *more, const uint64_t *more_us)
{
    size_t    i, k, n;
    uint32_t  limits[NGX_CANARY_HISTORY_LIMITS];

    sum->requests = ngx_canary_history_plus(sum->requests, more->requests);
    sum->errors = ngx_canary_history_plus(sum->errors, more->errors);
    sum->samples = ngx_canary_history_plus(sum->samples, more->samples);
    sum->count = ngx_canary_history_plus(sum->count, more->count);

    for (i = 0; i < NGX_CANARY_HISTORY_LE; i++) {
        sum->le[i] = ngx_canary_history_plus(sum->le[i], more->le[i]);
    }

    memset(limits, 0, sizeof(limits));
    n = 0;

    for (i = 0; i < NGX_CANARY_HISTORY_LIMITS && sum_us[i]; i++) {
        for (k = 0; k < NGX_CANARY_HISTORY_LIMITS; k++) {
            if (more_us[k] == sum_us[i]) {
                limits[n++] = ngx_canary_history_plus(sum->limits[i],
                                                      more->limits[k]);
            }
        }
    }

    memcpy(sum->limits, limits, sizeof(limits));
}


static uint32_t
ngx_canary_history_plus(uint32_t a, uint32_t b)
{
    return (a > UINT32_MAX - b) ? UINT32_MAX : a + b;
}


void
ngx_canary_history_raise(ngx_canary_point_gate_t *gate,
    ngx_canary_point_gate_t more)
{
    if (more.threshold && more.evidence >= gate->evidence) {
        *gate = more;
    }
}


void
ngx_canary_history_extend(ngx_canary_point_t *point,
    const ngx_canary_point_t *later)
{
    point->length_ms += later->length_ms;
    point->generation = later->generation;

    memcpy(point->share_ppm, later->share_ppm, sizeof(point->share_ppm));

    ngx_canary_history_limits(point->limits_us, point->limits_us,
                              later->limits_us);
}


uint16_t
ngx_canary_history_evidence(double log10)
{
    if (!(log10 > 0)) {
        return 0;
    }

    return (uint16_t) fmin(log10 * 100 + 0.5, UINT16_MAX);
}


uint32_t
ngx_canary_history_quantiles(const ngx_canary_point_counts_t *counts,
    const uint64_t *limits_us, const uint32_t *ppm, uint64_t *out_us, size_t n)
{
    size_t                       i, q;
    double                       rank, below, part;
    ngx_canary_history_bounds_t  bounds;

    if (counts->count == 0) {
        return 0;
    }

    ngx_canary_history_bounds(&bounds, counts, limits_us);
    i = 0;

    for (q = 0; q < n; q++) {
        rank = fmax(ceil((double) counts->count * ppm[q] / NGX_CANARY_PPM), 1);

        while (i < bounds.n && bounds.seen[i] < rank) {
            i++;
        }

        if (i == bounds.n) {
            out_us[q] = bounds.us[i - 1];
            continue;
        }

        below = (i > 0) ? bounds.seen[i - 1] : 0;
        part = (rank - below - 0.5) / (bounds.seen[i] - below);

        out_us[q] = ngx_canary_history_between((i > 0) ? (double)
                                               bounds.us[i - 1] : 0,
                                               (double) bounds.us[i], part);
    }

    return counts->count;
}


/* the bounds and the limits in one ascending row */

static void
ngx_canary_history_bounds(ngx_canary_history_bounds_t *bounds,
    const ngx_canary_point_counts_t *counts, const uint64_t *limits_us)
{
    size_t    i, k, n;
    uint64_t  us;

    n = 0;
    k = 0;

    for (i = 0; i <= NGX_CANARY_HISTORY_LE; i++) {
        us = (i < NGX_CANARY_HISTORY_LE) ? ngx_canary_history_le_us[i]
                                         : UINT64_MAX;

        while (k < NGX_CANARY_HISTORY_LIMITS && limits_us[k]
               && limits_us[k] < us)
        {
            bounds->us[n] = limits_us[k];
            bounds->seen[n++] = counts->limits[k++];
        }

        if (i < NGX_CANARY_HISTORY_LE) {
            bounds->us[n] = us;
            bounds->seen[n++] = counts->le[i];
        }
    }

    bounds->n = n;
}


static uint64_t
ngx_canary_history_between(double low_us, double high_us, double part)
{
    if (low_us > 0) {
        return (uint64_t) (low_us * pow(high_us / low_us, part) + 0.5);
    }

    return (uint64_t) (high_us * part + 0.5);
}
