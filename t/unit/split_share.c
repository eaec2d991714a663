/*
 * The share of 100,000 users is within four standard deviations of what was
 * asked for, whatever their keys look like, and each stays where he is.
 */

#include "../../src/pure/ngx_canary_split.h"

#include <string.h>

#include "sample.h"
#include "tap.h"


#define USERS  100000


static const char  *shapes[KEY_SHAPES] = { "numbers", "addresses", "sessions" };


static void
check(uint32_t share_ppm, key_shape_e shape, const char *salt)
{
    char      key[64];
    double    p, off;
    size_t    len;
    uint32_t  nth, in;
    uint64_t  seed;

    seed = ngx_canary_split_seed(salt, strlen(salt));
    in = 0;

    for (nth = 0; nth < USERS; nth++) {
        len = sample_key(key, sizeof(key), shape, nth);
        in += ngx_canary_split_variant(
                  ngx_canary_split_point(
                      ngx_canary_split_hash(seed, key, len)),
                  &share_ppm, 1);
    }

    p = share_ppm / 1e6;
    off = (in - USERS * p) / sqrt(USERS * p * (1 - p));

    ok(fabs(off) <= 4, "%.2f%% of %s, salt %s: %u, off by %.2f deviations",
       p * 100, shapes[shape], salt, (unsigned) in, off);
}


/* the same bytes at any address, with other bytes around them */

static void
check_same(void)
{
    char      key[64], copy[80];
    size_t    len, shift;
    uint32_t  nth, moved;
    uint64_t  seed, hash;

    seed = ngx_canary_split_seed("documents", 9);
    moved = 0;

    for (nth = 0; nth < USERS; nth++) {
        len = sample_key(key, sizeof(key), (key_shape_e) (nth % KEY_SHAPES),
                         nth);
        hash = ngx_canary_split_hash(seed, key, len);

        shift = nth % 16;
        memset(copy, (int) (nth & 255), sizeof(copy));
        memcpy(copy + shift, key, len);

        moved += ngx_canary_split_hash(seed, copy + shift, len) != hash;
    }

    is_u64(moved, 0, "the same key is always the same");
}


int
main(void)
{
    size_t       i;
    key_shape_e  shape;

    static const uint32_t  shares[] = {
        100, 10000, 50000, 250000, 500000, 999000
    };

    for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        for (shape = KEY_NUMBER; shape < KEY_SHAPES; shape++) {
            check(shares[i], shape, "documents");
            check(shares[i], shape, "images-2");
        }
    }

    check_same();

    return tap_done();
}
