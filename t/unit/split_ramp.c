/*
 * Who moves when the shares change, over all points: a raised share only moves
 * users in, a lowered one only out, and two canaries never swap a user as long
 * as the largest shares that they ever have leave room for each other.
 */

#include "../../src/pure/ngx_canary_split.h"

#include "sample.h"
#include "tap.h"


/* moves[from][to]: points of one variant before, of the other after */

static uint32_t  moves[NGX_CANARY_MAX_VARIANTS][NGX_CANARY_MAX_VARIANTS];


static void
change(const uint32_t *before, const uint32_t *after, size_t n)
{
    size_t    i, k;
    uint32_t  point;

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        for (k = 0; k < NGX_CANARY_MAX_VARIANTS; k++) {
            moves[i][k] = 0;
        }
    }

    for (point = 0; point < NGX_CANARY_PPM; point++) {
        moves[ngx_canary_split_variant(point, before, n)]
             [ngx_canary_split_variant(point, after, n)]++;
    }
}


static uint32_t
left(size_t variant)
{
    size_t    i;
    uint32_t  n;

    n = 0;

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        n += (i != variant) ? moves[variant][i] : 0;
    }

    return n;
}


static uint32_t
joined(size_t variant)
{
    size_t    i;
    uint32_t  n;

    n = 0;

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        n += (i != variant) ? moves[i][variant] : 0;
    }

    return n;
}


static void
one_canary(void)
{
    size_t  i, k;

    static const uint32_t  stages[] = {
        0, 1, 50000, 250000, 500000, 1000000
    };

    for (i = 0; i < 6; i++) {
        for (k = 0; k < 6; k++) {
            change(&stages[i], &stages[k], 1);

            if (k >= i) {
                ok(left(1) == 0 && joined(1) == stages[k] - stages[i],
                   "from %u to %u: every user is still in",
                   (unsigned) stages[i], (unsigned) stages[k]);

            } else {
                ok(joined(1) == 0 && left(1) == stages[i] - stages[k],
                   "from %u to %u: users only move out",
                   (unsigned) stages[i], (unsigned) stages[k]);
            }
        }
    }
}


/* any order of these: the largest of each add up to 100% */

static void
two_canaries(void)
{
    size_t  i, k, swapped, ungrown, unshrunk;

    static const uint32_t  shares[][2] = {
        { 0, 0 }, { 50000, 0 }, { 50000, 50000 }, { 250000, 50000 },
        { 250000, 400000 }, { 600000, 100000 }, { 600000, 400000 },
        { 600000, 0 }, { 0, 400000 }
    };

    swapped = ungrown = unshrunk = 0;

    for (i = 0; i < 9; i++) {
        for (k = 0; k < 9; k++) {
            change(shares[i], shares[k], 2);

            swapped += moves[1][2] + moves[2][1];

            ungrown += shares[k][0] >= shares[i][0] && left(1);
            ungrown += shares[k][1] >= shares[i][1] && left(2);
            unshrunk += shares[k][0] <= shares[i][0] && joined(1);
            unshrunk += shares[k][1] <= shares[i][1] && joined(2);
        }
    }

    is_u64(swapped, 0, "two canaries: nobody moves between them");
    is_u64(ungrown, 0, "nobody leaves one that grows");
    is_u64(unshrunk, 0, "nobody joins one that shrinks");
}


/* the last one of each end has the baseline beside it */

static void
more_canaries(void)
{
    static const uint32_t  small[] = { 50000, 60000, 70000, 80000 };
    static const uint32_t  third[] = { 50000, 60000, 370000, 80000 };
    static const uint32_t  fourth[] = { 50000, 60000, 70000, 280000 };
    static const uint32_t  first[] = { 55000, 60000, 70000, 80000 };

    is_u64(ngx_canary_split_variant(49999, small, 4), 1, "first: from 0");
    is_u64(ngx_canary_split_variant(50000, small, 4), 3, "third: behind it");
    is_u64(ngx_canary_split_variant(119999, small, 4), 3, "up to its share");
    is_u64(ngx_canary_split_variant(120000, small, 4), 0, "then the baseline");
    is_u64(ngx_canary_split_variant(859999, small, 4), 0, "up to the fourth");
    is_u64(ngx_canary_split_variant(860000, small, 4), 4, "fourth: before");
    is_u64(ngx_canary_split_variant(939999, small, 4), 4, "up to");
    is_u64(ngx_canary_split_variant(940000, small, 4), 2, "second: to the end");
    is_u64(ngx_canary_split_variant(999999, small, 4), 2, "the end");

    change(small, third, 4);
    ok(moves[0][3] == 300000 && joined(3) == 300000 && left(3) == 0
       && left(1) + left(2) + left(4) == 0,
       "a third that grows takes users of the baseline only");

    change(small, fourth, 4);
    ok(moves[0][4] == 200000 && joined(4) == 200000 && left(4) == 0
       && left(1) + left(2) + left(3) == 0,
       "a fourth that grows takes users of the baseline only");

    change(third, small, 4);
    ok(moves[3][0] == 300000 && left(3) == 300000 && joined(3) == 0,
       "a third that shrinks gives them back to the baseline");

    change(small, first, 4);
    ok(left(1) == 0 && joined(1) == 5000 && left(2) + left(4) == 0
       && joined(2) + joined(4) == 0,
       "a first that grows keeps its own, the other end does not move");
}


int
main(void)
{
    one_canary();
    two_canaries();
    more_canaries();

    return tap_done();
}
