/*
 * Two salts place the same users independently, one salt always the same way.
 * Critical values: chi-square at 0.1%, of 99 degrees of freedom for the table
 * of 10 x 10 known probabilities, of 1 for the table of 2 x 2.
 */

#include "../../src/pure/ngx_canary_split.h"

#include <string.h>

#include "sample.h"
#include "tap.h"


#define USERS          100000
#define CRITICAL_10X10 148.23
#define CRITICAL_2X2   10.828


static uint32_t
point_of(uint64_t seed, key_shape_e shape, uint32_t nth)
{
    char    key[64];
    size_t  len;

    len = sample_key(key, sizeof(key), shape, nth);

    return ngx_canary_split_point(ngx_canary_split_hash(seed, key, len));
}


/* are tenths of the points under one salt spread evenly under the other? */

static double
chi_tenths(uint64_t one, uint64_t two, key_shape_e shape)
{
    size_t    i;
    double    chi, diff;
    uint32_t  nth, cells[100];

    for (i = 0; i < 100; i++) {
        cells[i] = 0;
    }

    for (nth = 0; nth < USERS; nth++) {
        cells[point_of(one, shape, nth) / 100000 * 10
              + point_of(two, shape, nth) / 100000]++;
    }

    for (chi = 0, i = 0; i < 100; i++) {
        diff = (double) cells[i] - USERS / 100;
        chi += diff * diff / (USERS / 100);
    }

    return chi;
}


/* does being in a canary of 5% here tell about being in one of 5% there? */

static double
chi_canaries(uint64_t one, uint64_t two, key_shape_e shape)
{
    double    row[2], col[2], det;
    uint32_t  nth, share, cells[2][2];

    cells[0][0] = cells[0][1] = cells[1][0] = cells[1][1] = 0;
    share = 50000;

    for (nth = 0; nth < USERS; nth++) {
        cells[ngx_canary_split_variant(point_of(one, shape, nth), &share, 1)]
             [ngx_canary_split_variant(point_of(two, shape, nth), &share,
                                       1)]++;
    }

    row[0] = (double) cells[0][0] + cells[0][1];
    row[1] = (double) cells[1][0] + cells[1][1];
    col[0] = (double) cells[0][0] + cells[1][0];
    col[1] = (double) cells[0][1] + cells[1][1];

    det = (double) cells[0][0] * cells[1][1]
          - (double) cells[0][1] * cells[1][0];

    return USERS * det * det / (row[0] * row[1] * col[0] * col[1]);
}


static void
check(const char *one, const char *two)
{
    double       chi;
    uint64_t     a, b;
    key_shape_e  shape;

    a = ngx_canary_split_seed(one, strlen(one));
    b = ngx_canary_split_seed(two, strlen(two));

    for (shape = KEY_NUMBER; shape < KEY_SHAPES; shape++) {
        chi = chi_tenths(a, b, shape);
        ok(chi < CRITICAL_10X10, "\"%s\" and \"%s\", keys %d: tenths, %.1f",
           one, two, (int) shape, chi);

        chi = chi_canaries(a, b, shape);
        ok(chi < CRITICAL_2X2, "\"%s\" and \"%s\", keys %d: canaries, %.2f",
           one, two, (int) shape, chi);
    }
}


int
main(void)
{
    char      copy[16];
    uint32_t  nth, moved;
    uint64_t  seed, again;

    check("documents", "images");
    check("documents", "documents2");
    check("a", "b");
    check("", "documents");

    memcpy(copy + 3, "documents", 9);
    seed = ngx_canary_split_seed("documents", 9);
    again = ngx_canary_split_seed(copy + 3, 9);

    is_u64(again, seed, "the same salt is the same seed");

    for (moved = 0, nth = 0; nth < USERS; nth++) {
        moved += point_of(seed, KEY_NUMBER, nth)
                 != point_of(again, KEY_NUMBER, nth);
    }

    is_u64(moved, 0, "and picks the same users");

    ok(chi_tenths(seed, again, KEY_NUMBER) > CRITICAL_10X10
       && chi_canaries(seed, again, KEY_NUMBER) > CRITICAL_2X2,
       "which both tables would tell from two salts");

    return tap_done();
}
