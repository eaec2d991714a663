/*
 * The assignment of a key to a variant: a pure function of (salt, key,
 * shares), the same on every machine and in every release.
 *
 *     seed  = XXH3_64bits(salt)
 *     hash  = XXH3_64bits_withSeed(key, seed)
 *     point = the upper 32 bits of hash, scaled to 0 .. 999999
 *
 * The first canary takes the points from 0 upward, the second those from
 * 999999 downward; the third stacks behind the first, the fourth behind the
 * second, and so on.  What is left in the middle is the baseline's.  So a
 * raised share only moves users into that canary, and with one or two
 * canaries nobody ever moves between canaries.
 */

#ifndef NGX_CANARY_SPLIT_H_INCLUDED
#define NGX_CANARY_SPLIT_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


#define NGX_CANARY_MAX_CANARIES   7
#define NGX_CANARY_MAX_VARIANTS   (NGX_CANARY_MAX_CANARIES + 1)
#define NGX_CANARY_PPM            1000000u      /* a share of 100% */
#define NGX_CANARY_BASELINE       0             /* variant of the baseline */


/* the seed of a salt; any bytes, any length */
uint64_t ngx_canary_split_seed(const void *salt, size_t len);

/* the hash of a key under a seed; any bytes, any length */
uint64_t ngx_canary_split_hash(uint64_t seed, const void *key, size_t len);

/*
 * Reads "5%", "0.0001%", "100%" into 1e-6.  Returns 0, or -1 if the text is not
 * digits with an optional point and up to four decimals followed by "%", or is
 * above 100%.
 */
int ngx_canary_split_parse_share(const unsigned char *text, size_t len,
    uint32_t *ppm);


/* the point of a hash: 0 to 999999, uniform to one part in 2^32 */
static inline uint32_t
ngx_canary_split_point(uint64_t hash)
{
    return (uint32_t) (((hash >> 32) * NGX_CANARY_PPM) >> 32);
}


/*
 * The variant of a point: NGX_CANARY_BASELINE, or 1 + the index of the canary
 * in "shares_ppm" (n <= NGX_CANARY_MAX_CANARIES shares in 1e-6 whose sum is at
 * most NGX_CANARY_PPM).  A point below "low" or not below "high" belongs to a
 * canary already seen.
 */
static inline unsigned
ngx_canary_split_variant(uint32_t point, const uint32_t *shares_ppm, size_t n)
{
    size_t    i;
    uint32_t  low, high;

    low = 0;
    high = NGX_CANARY_PPM;

    for (i = 0; i < n; i++) {

        low += shares_ppm[i];

        if (point < low) {
            return (unsigned) i + 1;
        }

        if (++i == n) {
            break;
        }

        high -= shares_ppm[i];

        if (point >= high) {
            return (unsigned) i + 1;
        }
    }

    return NGX_CANARY_BASELINE;
}


/*
 * How many points, from *from on, ngx_canary_split_variant() gives to the
 * baseline: 0 to NGX_CANARY_PPM.
 */
static inline uint32_t
ngx_canary_split_rest(const uint32_t *shares_ppm, size_t n, uint32_t *from)
{
    size_t    i;
    uint32_t  rest;

    *from = 0;
    rest = NGX_CANARY_PPM;

    for (i = 0; i < n; i++) {
        *from += (i % 2 == 0) ? shares_ppm[i] : 0;
        rest -= shares_ppm[i];
    }

    return rest;
}


#pragma GCC visibility pop

#endif /* NGX_CANARY_SPLIT_H_INCLUDED */
