/*
 * The assignment of a key to a variant.
 *
 * The hash of the salt is the seed under which the key is hashed, so that two
 * salts place the same keys independently.  The upper half of the hash is a
 * fraction of 2^32; multiplied by 10^6 and cut it is a point on a line of one
 * million, and a share is as many points.
 *
 * Canaries take their points alternately from both ends: the first, third ..
 * upward from 0, each behind the one before, the second, fourth .. downward
 * from the end.  The baseline has the middle, which is where a canary grows
 * into and shrinks from: no state is needed to keep a user where he is.
 */

#include "ngx_canary_split.h"
#include "ngx_canary_hash.h"


#define NGX_CANARY_SPLIT_PERCENT  (NGX_CANARY_PPM / 100)
#define NGX_CANARY_SPLIT_WHOLE    100u          /* the largest share, in % */


uint64_t
ngx_canary_split_seed(const void *salt, size_t len)
{
    return XXH3_64bits(salt, len);
}


uint64_t
ngx_canary_split_hash(uint64_t seed, const void *key, size_t len)
{
    return ngx_canary_hash(seed, key, len);
}


/*
 * A point needs a digit on either side: in "5.%" and ".5%" a digit is more
 * likely to have been lost than left out.
 */

int
ngx_canary_split_parse_share(const unsigned char *text, size_t len,
    uint32_t *ppm)
{
    size_t    i, digits;
    uint32_t  value, weight;

    value = 0;
    digits = 0;

    for (i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
        value = value * 10 + (uint32_t) (text[i] - '0');
        digits++;

        if (value > NGX_CANARY_SPLIT_WHOLE) {
            return -1;
        }
    }

    if (digits == 0) {
        return -1;
    }

    value *= NGX_CANARY_SPLIT_PERCENT;

    if (i < len && text[i] == '.') {
        weight = NGX_CANARY_SPLIT_PERCENT;
        digits = 0;

        for (i++; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
            weight /= 10;
            value += (uint32_t) (text[i] - '0') * weight;
            digits++;

            if (weight == 0) {
                return -1;
            }
        }

        if (digits == 0) {
            return -1;
        }
    }

    if (i + 1 != len || text[i] != '%' || value > NGX_CANARY_PPM) {
        return -1;
    }

    *ppm = value;

    return 0;
}
