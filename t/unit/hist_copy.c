/*
 * A copy takes the range it is given, of any length and start, and leaves all
 * other buckets alone.
 */

#include "../../src/pure/ngx_canary_hist.h"

#include "tap.h"


#define SPAN  24


static uint64_t  counts[NGX_CANARY_HIST_BUCKETS];
static uint64_t  sum[NGX_CANARY_HIST_BUCKETS];


int
main(void)
{
    size_t  from, to, i, wrong;

    wrong = 0;

    for (i = 0; i < SPAN; i++) {
        counts[i] = 1000 + i;
    }

    for (from = 0; from < SPAN; from++) {
        for (to = from; to < SPAN; to++) {

            for (i = 0; i < SPAN; i++) {
                sum[i] = i;
            }

            ngx_canary_hist_copy(sum, counts, from, to);

            for (i = 0; i < SPAN; i++) {
                wrong += sum[i] != ((i >= from && i <= to) ? 1000 + i : i);
            }
        }
    }

    ok(wrong == 0, "every range of %d buckets", SPAN);

    sum[0] = 7;
    ngx_canary_hist_copy(sum, counts, 1, 0);
    ok(sum[0] == 7, "an empty range copies nothing");

    i = NGX_CANARY_HIST_BUCKETS - 1;
    counts[i] = 5;
    ngx_canary_hist_copy(sum, counts, 0, i);
    ok(sum[0] == 1000 && sum[i] == 5, "the whole histogram");

    return tap_done();
}
