/*
 * HyperLogLog: P. Flajolet and others, 2007.
 *
 * The upper 12 bits of a 64-bit hash choose one of 4096 registers; a register
 * keeps the largest rank seen, the place of the first 1 among the 52 bits that
 * are left (53 if there is none).  A rank of k is met about every 2^k things,
 * so the registers tell how many there were.  As only maxima are kept, order
 * and repetition do not matter, and union is a maximum again.
 *
 * The number is O. Ertl's improved raw estimator ("New cardinality estimation
 * algorithms for HyperLogLog sketches", 2017, arXiv 1702.01284, algorithm 6):
 * unbiased from 0 to 2^64 without tables or a change of method in between.
 */

#include "ngx_canary_unique.h"

#include <math.h>

#define XXH_INLINE_ALL
#include <xxhash.h>


/* ranks: 0 for an empty register, up to one more than the bits that are left */
#define NGX_CANARY_UNIQUE_REST     (64 - NGX_CANARY_UNIQUE_BITS)
#define NGX_CANARY_UNIQUE_MOST     (NGX_CANARY_UNIQUE_REST + 1)

/* 1 / (2 ln 2) */
#define NGX_CANARY_UNIQUE_ALPHA    0.72134752044448170368

/* part of the meaning of stored registers: never changed */
#define NGX_CANARY_UNIQUE_SEED     0x63616e6172790000u


static double ngx_canary_unique_sigma(double x);
static double ngx_canary_unique_tau(double x);


uint64_t
ngx_canary_unique_hash(const void *data, size_t len)
{
    return XXH3_64bits_withSeed(data, len, NGX_CANARY_UNIQUE_SEED);
}


/* on the request path: mostly one load, as the registers soon change rarely */

void
ngx_canary_unique_put(uint8_t *reg, uint64_t hash)
{
    uint8_t   rank, seen;
    uint64_t  rest;

    reg += hash >> NGX_CANARY_UNIQUE_REST;
    rest = hash << NGX_CANARY_UNIQUE_BITS;

    rank = (uint8_t) (rest ? __builtin_clzll(rest) + 1
                           : NGX_CANARY_UNIQUE_MOST);

    seen = __atomic_load_n(reg, __ATOMIC_RELAXED);

    while (seen < rank) {
        if (__atomic_compare_exchange_n(reg, &seen, rank, 1, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
        {
            break;
        }
    }
}


void
ngx_canary_unique_merge(uint8_t *dst, const uint8_t *src)
{
    size_t   i;
    uint8_t  rank;

    for (i = 0; i < NGX_CANARY_UNIQUE_REGISTERS; i++) {
        rank = __atomic_load_n(&src[i], __ATOMIC_RELAXED);

        if (dst[i] < rank) {
            dst[i] = rank;
        }
    }
}


uint64_t
ngx_canary_unique_estimate(const uint8_t *reg)
{
    double    z, m;
    size_t    i, rank;
    uint32_t  count[NGX_CANARY_UNIQUE_MOST + 1] = { 0 };

    for (i = 0; i < NGX_CANARY_UNIQUE_REGISTERS; i++) {
        rank = __atomic_load_n(&reg[i], __ATOMIC_RELAXED);
        count[rank < NGX_CANARY_UNIQUE_MOST ? rank : NGX_CANARY_UNIQUE_MOST]++;
    }

    if (count[0] == NGX_CANARY_UNIQUE_REGISTERS) {
        return 0;
    }

    m = NGX_CANARY_UNIQUE_REGISTERS;
    z = m * ngx_canary_unique_tau(1 - count[NGX_CANARY_UNIQUE_MOST] / m);

    for (i = NGX_CANARY_UNIQUE_REST; i > 0; i--) {
        z = (z + count[i]) / 2;
    }

    z += m * ngx_canary_unique_sigma(count[0] / m);

    /* every register full: more than there are hashes */

    if (z <= 0) {
        return UINT64_MAX;
    }

    z = NGX_CANARY_UNIQUE_ALPHA * m * m / z + 0.5;

    return (z < 18446744073709549568.0) ? (uint64_t) z : UINT64_MAX;
}


/* the sum of x^(2^k) 2^(k-1) over all k >= 1, and x; for x below 1 */

static double
ngx_canary_unique_sigma(double x)
{
    double  y, z, before;

    y = 1;
    z = x;

    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z > before);

    return z;
}


/* (1 - x - the sum of (1 - x^(2^-k))^2 2^-k over all k >= 1) / 3 */

static double
ngx_canary_unique_tau(double x)
{
    double  y, z, before;

    if (x <= 0 || x >= 1) {
        return 0;
    }

    y = 1;
    z = 1 - x;

    do {
        x = sqrt(x);
        before = z;
        y /= 2;
        z -= (1 - x) * (1 - x) * y;
    } while (z < before);

    return z / 3;
}
