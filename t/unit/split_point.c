/* A point is the upper half of the hash, scaled to a million and cut. */

#include "../../src/pure/ngx_canary_split.h"

#include "sample.h"
#include "tap.h"


#define CELLS  100
#define USERS  100000

/* chi-square of 99 degrees of freedom, 0.1% */
#define CRITICAL  148.23


int
main(void)
{
    char      key[64];
    double    chi, diff;
    size_t    i, len;
    uint32_t  point, below, at, cells[CELLS];
    uint64_t  first;

    is_u64(ngx_canary_split_point(0), 0, "the smallest");
    is_u64(ngx_canary_split_point(UINT64_MAX), 999999, "the largest");
    is_u64(ngx_canary_split_point(0x00000000ffffffff), 0,
           "the lower half does not matter");
    is_u64(ngx_canary_split_point(0x8000000000000000), 500000, "a half");
    is_u64(ngx_canary_split_point(0x7fffffffffffffff), 499999, "just less");

    below = at = 0;

    for (point = 1; point < NGX_CANARY_PPM; point++) {

        /* the first upper half of the point: ceil(point * 2^32 / 10^6) */

        first = (((uint64_t) point << 32) + 999999) / 1000000;

        at += ngx_canary_split_point(first << 32) != point;
        below += ngx_canary_split_point((first << 32) - 1) != point - 1;
    }

    is_u64(at, 0, "every point begins where it must");
    is_u64(below, 0, "and the one before it ends there");

    for (i = 0; i < CELLS; i++) {
        cells[i] = 0;
    }

    for (i = 0; i < USERS; i++) {
        len = sample_key(key, sizeof(key), KEY_NUMBER, (uint32_t) i);
        point = ngx_canary_split_point(ngx_canary_split_hash(1, key, len));
        cells[point / (NGX_CANARY_PPM / CELLS)]++;
    }

    for (chi = 0, i = 0; i < CELLS; i++) {
        diff = (double) cells[i] - USERS / CELLS;
        chi += diff * diff / (USERS / CELLS);
    }

    ok(chi < CRITICAL, "users spread evenly: chi-square %.1f of %.2f", chi,
       CRITICAL);

    return tap_done();
}
