/*
 * A value's bucket is the number of edges below it.  The oracle is the list of
 * all numbers of at most three significant digits, from 0 to 1000 s.
 */

#include "../../src/pure/ngx_canary_hist.h"

#include "sample.h"
#include "tap.h"


#define LAST  (NGX_CANARY_HIST_BUCKETS - 1)


static uint64_t  edges[1000 * 8];


static size_t
make_edges(void)
{
    size_t    i, n, kept;
    uint64_t  scale;

    n = 0;

    for (scale = 1; scale <= 10000000; scale *= 10) {
        for (i = 0; i < 1000; i++) {
            if (i * scale <= 1000000000) {
                edges[n++] = i * scale;
            }
        }
    }

    sample_sort(edges, n);

    for (kept = 1, i = 1; i < n; i++) {
        if (edges[i] != edges[kept - 1]) {
            edges[kept++] = edges[i];
        }
    }

    return kept;
}


/* values from "us" upward, against a walk along the list */

static size_t
wrong_walk(uint64_t us, uint64_t step, uint64_t end, size_t n)
{
    size_t  below, wrong;

    below = 0;
    wrong = 0;

    for ( /* void */ ; us <= end; us += step) {
        while (below < n && edges[below] < us) {
            below++;
        }

        wrong += ngx_canary_hist_index(us) != below;
        wrong += ngx_canary_hist_is_edge(us)
                 != (below < n && edges[below] == us);
    }

    return wrong;
}


int
main(void)
{
    size_t    i, n, at, behind, not_edge, edge, upper;
    uint64_t  huge;

    n = make_edges();

    is_u64(n, NGX_CANARY_HIST_BUCKETS - 1,
           "a bucket for each edge, and one beyond");
    is_u64(edges[n - 1], NGX_CANARY_HIST_MAX_US, "the last edge is 1000 s");

    at = behind = not_edge = edge = upper = 0;

    for (i = 0; i < n; i++) {
        at += ngx_canary_hist_index(edges[i]) != i;
        behind += ngx_canary_hist_index(edges[i] + 1) != i + 1;
        upper += ngx_canary_hist_upper(i) != edges[i];
        not_edge += !ngx_canary_hist_is_edge(edges[i]);

        if (edges[i] >= 1000) {
            edge += ngx_canary_hist_is_edge(edges[i] + 1);
        }

        if (edges[i] > 1000) {
            edge += ngx_canary_hist_is_edge(edges[i] - 1);
        }
    }

    is_u64(at, 0, "every edge is the last value of its bucket");
    is_u64(behind, 0, "the next value is in the next bucket");
    is_u64(upper, 0, "the upper edge of every bucket is in the list");
    is_u64(not_edge, 0, "every number of three digits is an edge");
    is_u64(edge, 0, "its neighbours of four digits are not");

    is_u64(wrong_walk(0, 1, 1200000, n), 0, "every value up to 1.2 s");
    is_u64(wrong_walk(1, 997, 1000001000, n), 0, "every 997th up to 1000 s");

    is_u64(ngx_canary_hist_upper(LAST), UINT64_MAX, "the last has no edge");

    for (i = 30; i < 64; i++) {
        huge = (uint64_t) 1 << i;

        is_u64(ngx_canary_hist_index(huge), LAST, "a power of two beyond");
        is_u64(ngx_canary_hist_index(huge + 1000), LAST, "and 1 ms more");
        ok(!ngx_canary_hist_is_edge(huge + 1000), "which is not an edge");
    }

    is_u64(ngx_canary_hist_index(UINT64_MAX), LAST, "the largest value");
    ok(!ngx_canary_hist_is_edge(UINT64_MAX), "is not an edge");

    return tap_done();
}
