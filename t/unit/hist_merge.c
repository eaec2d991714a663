/*
 * Adding up, subtracting and counting work on the range they are given, of any
 * length and start, and on nothing else.
 */

#include "../../src/pure/ngx_canary_hist.h"

#include <string.h>

#include "sample.h"
#include "tap.h"


#define SPAN  40


static uint64_t  one[NGX_CANARY_HIST_BUCKETS];
static uint64_t  two[NGX_CANARY_HIST_BUCKETS];
static uint64_t  both[NGX_CANARY_HIST_BUCKETS];
static uint64_t  sum[NGX_CANARY_HIST_BUCKETS];


static uint64_t
total(const uint64_t *counts, size_t from, size_t to)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    for (i = 0; i < SPAN; i++) {
        n += (i >= from && i <= to) ? counts[i] : 0;
    }

    return n;
}


/* all ranges of the first SPAN buckets; "base" is what sum held before */

static void
check_ranges(const uint64_t *base)
{
    size_t  i, from, to, added, taken, counted;

    added = taken = counted = 0;

    for (from = 0; from < SPAN; from++) {
        for (to = from; to < SPAN; to++) {
            memcpy(sum, base, sizeof(sum));
            ngx_canary_hist_merge(sum, two, from, to);

            for (i = 0; i < SPAN; i++) {
                added += sum[i] != base[i]
                         + ((i >= from && i <= to) ? two[i] : 0);
            }

            ngx_canary_hist_subtract(sum, two, from, to);
            taken += memcmp(sum, base, sizeof(sum)) != 0;

            counted += ngx_canary_hist_count(base, from, to)
                       != total(base, from, to);
        }
    }

    is_u64(added, 0, "every range is added, and nothing beside it");
    is_u64(taken, 0, "subtracting undoes it");
    is_u64(counted, 0, "every range is counted");
}


int
main(void)
{
    size_t    i, last, wrong, bucket;
    uint64_t  state;

    last = NGX_CANARY_HIST_BUCKETS - 1;
    state = 1;

    for (i = 0; i < 200000; i++) {
        bucket = (size_t) (sample_u64(&state) % NGX_CANARY_HIST_BUCKETS);
        both[bucket]++;

        if (i % 3 == 0) {
            one[bucket]++;

        } else {
            two[bucket]++;
        }
    }

    check_ranges(one);

    memcpy(sum, one, sizeof(sum));
    ngx_canary_hist_merge(sum, two, 0, last);
    ok(memcmp(sum, both, sizeof(sum)) == 0,
       "two halves make what was recorded together");
    is_u64(ngx_canary_hist_count(sum, 0, last), 200000, "all of it");

    ngx_canary_hist_subtract(sum, one, 0, last);
    ok(memcmp(sum, two, sizeof(sum)) == 0, "less one half it is the other");

    memcpy(sum, one, sizeof(sum));
    ngx_canary_hist_subtract(sum, two, 0, last);

    for (wrong = 0, i = 0; i <= last; i++) {
        wrong += sum[i] != ((one[i] > two[i]) ? one[i] - two[i] : 0);
    }

    is_u64(wrong, 0, "a bucket never gets negative");
    ok(total(sum, 0, SPAN) < total(one, 0, SPAN), "though some would have");

    memcpy(sum, one, sizeof(sum));
    ngx_canary_hist_merge(sum, two, 5, 4);
    ngx_canary_hist_subtract(sum, two, 5, 4);
    ok(memcmp(sum, one, sizeof(sum)) == 0, "an empty range changes nothing");
    is_u64(ngx_canary_hist_count(sum, 5, 4), 0, "and counts nothing");
    is_u64(ngx_canary_hist_count(sum, last, 0), 0, "however far apart");

    return tap_done();
}
