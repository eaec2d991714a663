/*
 * Points of a split's history: how they are counted, added up and read.
 *
 * Latencies are counted at 24 bounds, log-spaced from 1 ms to 100 s, and at
 * the limits of the latency gates, so that a quantile of a point is on the
 * same side of a gate's limit as the exact one.  In between it is about right:
 * bounds are 1.65 apart.
 */

#ifndef NGX_CANARY_HISTORY_H_INCLUDED
#define NGX_CANARY_HISTORY_H_INCLUDED


#include "ngx_canary_snapshot.h"


#pragma GCC visibility push(hidden)


/* each is an edge of the histogram; ascending */
extern const uint64_t  ngx_canary_history_le_us[NGX_CANARY_HISTORY_LE];


/*
 * The limits of the latency gates among "rules", the first that differ, as
 * many as there is room for: ascending, then 0.
 */
void ngx_canary_history_rules(const ngx_canary_rule_t *rules, size_t n,
    uint64_t *limits_us);

/* the limits that stand in both; "common" may be one of them */
void ngx_canary_history_limits(uint64_t *common, const uint64_t *a_us,
    const uint64_t *b_us);

/*
 * What the totals grew by; a total below its base, as it began anew, counts as
 * it is.  The counts have the limits that both have.
 */
void ngx_canary_history_since(ngx_canary_point_counts_t *counts,
    const ngx_canary_point_totals_t *totals, const uint64_t *limits_us,
    const ngx_canary_point_totals_t *base, const uint64_t *base_us);

/* adds "more", of a point with limits more_us, to "sum" with sum_us */
void ngx_canary_history_add(ngx_canary_point_counts_t *sum,
    const uint64_t *sum_us, const ngx_canary_point_counts_t *more,
    const uint64_t *more_us);

/* the more evidence of both, beside its threshold */
void ngx_canary_history_raise(ngx_canary_point_gate_t *gate,
    ngx_canary_point_gate_t more);

/* the point that "later" becomes a part of; after all its counts were added */
void ngx_canary_history_extend(ngx_canary_point_t *point,
    const ngx_canary_point_t *later);

/* evidence or a threshold, log10, as a point holds it */
uint16_t ngx_canary_history_evidence(double log10);

/*
 * Quantiles, of n ascending ppm in 1e-6, interpolated on the logarithm between
 * bounds; what is beyond the last bound is given as that bound.  Returns the
 * count; where it is 0, out_us is left alone.
 */
uint32_t ngx_canary_history_quantiles(const ngx_canary_point_counts_t *counts,
    const uint64_t *limits_us, const uint32_t *ppm, uint64_t *out_us, size_t n);


#pragma GCC visibility pop

#endif /* NGX_CANARY_HISTORY_H_INCLUDED */
