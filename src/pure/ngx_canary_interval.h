/*
 * Intervals of confidence of 95% around what was counted, both by inverting
 * the same score test (E. B. Wilson, 1927): a figure belongs to the interval
 * unless what was counted is more than 1.96 standard deviations from what that
 * figure would make likely.
 */

#ifndef NGX_CANARY_INTERVAL_H_INCLUDED
#define NGX_CANARY_INTERVAL_H_INCLUDED


#include <stdint.h>


#pragma GCC visibility push(hidden)


/*
 * Of a fraction of which "bad" of "n" were counted, bad <= n: 0 <= low <= high
 * <= 1.  Nothing is known of 0 trials: 0 and 1.
 */
void ngx_canary_interval_part(double bad, double n, double *low, double *high);

/*
 * Of the quantile "ppm" (in 1e-6, between 0 and 1000000) of n values: the ranks
 * of the values between which it lies, from 1 to n.  Where n values are too few
 * to bound it below or above, low is 0 or high is n + 1.  Exact for n up to
 * 2^52.
 */
void ngx_canary_interval_ranks(uint64_t n, uint32_t ppm, uint64_t *low,
    uint64_t *high);


#pragma GCC visibility pop

#endif /* NGX_CANARY_INTERVAL_H_INCLUDED */
