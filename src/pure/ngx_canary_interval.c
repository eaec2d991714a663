/*
 * Intervals of confidence.
 *
 * The fraction p is not rejected by x of n if (x - np)^2 <= z^2 np(1 - p).
 * That is a quadratic in p, whose two roots are Wilson's interval.
 *
 * A value is not rejected as the quantile q if the number x of values below it
 * is no unlikely one of n trials that each fall below it with probability q:
 * (x - nq)^2 <= z^2 nq(1 - q).  So the quantile lies between the values of two
 * ranks, whatever the distribution.
 */

#include <math.h>

#include "ngx_canary_interval.h"


#define NGX_CANARY_Z  1.959963984540054     /* 2.5% lie beyond it */


void
ngx_canary_interval_part(double bad, double n, double *low, double *high)
{
    double  zz, middle, half;

    *low = 0;
    *high = 1;

    if (!(n > 0)) {
        return;
    }

    zz = NGX_CANARY_Z * NGX_CANARY_Z;
    middle = (bad + zz / 2) / (n + zz);
    half = NGX_CANARY_Z / (n + zz) * sqrt(bad * (1 - bad / n) + zz / 4);

    /* the ends are exact where nothing or everything is bad */

    if (bad > 0) {
        *low = fmax(middle - half, 0);
    }

    if (bad < n) {
        *high = fmin(middle + half, 1);
    }
}


void
ngx_canary_interval_ranks(uint64_t n, uint32_t ppm, uint64_t *low,
    uint64_t *high)
{
    double  q, middle, half, top;

    q = ppm / 1e6;
    middle = (double) n * q;
    half = NGX_CANARY_Z * sqrt(middle * (1 - q));
    top = ceil(middle + half) + 1;

    *low = middle > half ? (uint64_t) floor(middle - half) : 0;
    *high = top > (double) n ? n + 1 : (uint64_t) top;
}
