/* Counts up to an edge are exact.  The oracle counts the values themselves. */

#include "../../src/pure/ngx_canary_hist.h"

#include "sample.h"
#include "tap.h"


#define SAMPLES  3000
#define LAST     (NGX_CANARY_HIST_BUCKETS - 1)


static uint64_t  values[SAMPLES];
static uint64_t  counts[NGX_CANARY_HIST_BUCKETS];
static uint64_t  le[LAST];
static uint64_t  out[LAST];


static uint64_t
at_most(uint64_t us)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    for (i = 0; i < SAMPLES; i++) {
        n += values[i] <= us;
    }

    return n;
}


static size_t
wrong_out(size_t n)
{
    size_t  k, wrong;

    wrong = 0;

    for (k = 0; k < n; k++) {
        wrong += out[k] != at_most(le[k]);
    }

    return wrong;
}


int
main(void)
{
    size_t    i, from, to, n;
    uint64_t  state;

    static const uint64_t  bounds[] = {
        0, 1, 5000, 10000, 25000, 25000, 50000, 100000, 200000, 250000, 500000,
        750000, 1000000, 2500000, 5000000, 10000000, 1000000000
    };

    /* a third of them on an edge or next to one, some beyond 1000 s */

    state = 1;

    for (i = 0; i < SAMPLES; i++) {
        if (i % 3 == 0) {
            values[i] = bounds[sample_u64(&state) % 17]
                        + sample_u64(&state) % 2;

        } else {
            values[i] = (uint64_t) exp(21 * sample_unit(&state));
        }

        counts[ngx_canary_hist_index(values[i])]++;
    }

    sample_sort(values, SAMPLES);
    from = ngx_canary_hist_index(values[0]);
    to = ngx_canary_hist_index(values[SAMPLES - 1]);

    ok(values[SAMPLES - 1] > NGX_CANARY_HIST_MAX_US
       && at_most(NGX_CANARY_HIST_MAX_US) < SAMPLES, "some are beyond 1000 s");

    for (n = 0; n < 17; n++) {
        le[n] = bounds[n];
    }

    ngx_canary_hist_cumulate(counts, 0, LAST, le, out, 17);
    is_u64(wrong_out(17), 0, "the bounds of a configuration");

    ngx_canary_hist_cumulate(counts, from, to, le, out, 17);
    is_u64(wrong_out(17), 0, "the same in the range of the values");

    for (n = 0; n < LAST; n++) {
        le[n] = ngx_canary_hist_upper(n);
    }

    ngx_canary_hist_cumulate(counts, from, to, le, out, LAST);
    is_u64(wrong_out(LAST), 0, "every edge there is");

    for (n = 0; n < 900; n++) {
        le[n] = ngx_canary_hist_upper(1001 + n * 6);
    }

    ngx_canary_hist_cumulate(counts, from, to, le, out, 900);
    is_u64(wrong_out(900), 0, "every sixth edge above 1 ms");

    /* a range that begins above the first bounds and ends below the last */

    from = ngx_canary_hist_index(20000) + 1;
    to = ngx_canary_hist_index(2000000);

    for (n = 0; n < 17; n++) {
        le[n] = bounds[n];
    }

    ngx_canary_hist_cumulate(counts, from, to, le, out, 17);
    is_u64(out[3], 0, "nothing before the range");
    is_u64(out[4], at_most(25000) - at_most(20000), "what is in the range");
    is_u64(out[13], at_most(2000000) - at_most(20000), "all of it behind");
    is_u64(out[16], out[13], "and no more");

    out[0] = 4711;
    ngx_canary_hist_cumulate(counts, 0, LAST, le, out, 0);
    is_u64(out[0], 4711, "no bounds, no counts");

    ngx_canary_hist_cumulate(counts, LAST, 0, le, out, 17);
    is_u64(out[0] + out[16], 0, "nothing in an empty range");

    return tap_done();
}
