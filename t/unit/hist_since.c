/*
 * The difference to totals of which only the lower 32 bits were kept: exact in
 * the range, whatever lies in it, and nothing outside is touched.
 */

#include <string.h>

#include "../../src/pure/ngx_canary_hist.h"
#include "tap.h"


#define UNTOUCHED  0x5555555555555555u


static uint64_t  sum[NGX_CANARY_HIST_BUCKETS];
static uint64_t  before[NGX_CANARY_HIST_BUCKETS];
static uint64_t  diff[NGX_CANARY_HIST_BUCKETS];
static uint32_t  base[NGX_CANARY_HIST_BUCKETS];


/* returns how many buckets are wrong */
static uint64_t
wrong_in(size_t from, size_t to)
{
    size_t    i;
    uint64_t  wrong, expected;

    wrong = 0;

    for (i = 0; i < NGX_CANARY_HIST_BUCKETS; i++) {
        diff[i] = UNTOUCHED;
    }

    ngx_canary_hist_since(diff, sum, base, from, to);

    for (i = 0; i < NGX_CANARY_HIST_BUCKETS; i++) {
        expected = (i < from || i > to) ? UNTOUCHED : sum[i] - before[i];
        wrong += (diff[i] != expected);
    }

    return wrong;
}


int
main(void)
{
    size_t    i, from, len;
    uint64_t  wrong;

    for (i = 0; i < NGX_CANARY_HIST_BUCKETS; i++) {
        /* every third total has outgrown 32 bits in between */
        before[i] = (i % 3 == 0) ? 0xfffffff0u + i % 16 : i * 977;
        sum[i] = before[i] + i % 41;
        base[i] = (uint32_t) before[i];
    }

    is_u64(wrong_in(0, NGX_CANARY_HIST_BUCKETS - 1), 0, "all buckets");

    wrong = 0;

    for (from = 0; from < 12; from++) {
        for (len = 1; len < 12; len++) {
            wrong += wrong_in(from, from + len - 1);
        }
    }

    is_u64(wrong, 0, "ranges of any length at any place");
    is_u64(wrong_in(5, 4), 0, "an empty range");

    sum[7] = before[7] + UINT32_MAX;
    is_u64(wrong_in(7, 7), 0, "the most that may come in between");

    return tap_done();
}
