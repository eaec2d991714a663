/*
 * Of the million points each canary has exactly its share, the baseline what
 * is left.
 */

#include "../../src/pure/ngx_canary_split.h"

#include "sample.h"
#include "tap.h"


static void
check(const uint32_t *shares, size_t n)
{
    size_t    i, wrong;
    uint32_t  point, left, from, rest, has[NGX_CANARY_MAX_VARIANTS];
    unsigned  variant;

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        has[i] = 0;
    }

    wrong = 0;
    rest = ngx_canary_split_rest(shares, n, &from);

    for (point = 0; point < NGX_CANARY_PPM; point++) {
        variant = ngx_canary_split_variant(point, shares, n);
        has[variant]++;

        wrong += (variant == NGX_CANARY_BASELINE) != (point - from < rest);
    }

    ok(wrong == 0, "%u canaries, those of the baseline stand together",
       (unsigned) n);

    left = NGX_CANARY_PPM;
    wrong = 0;

    for (i = 0; i < n; i++) {
        wrong += has[1 + i] != shares[i];
        left -= shares[i];
    }

    wrong += has[NGX_CANARY_BASELINE] != left;

    ok(wrong == 0, "%u canaries, the baseline has %u", (unsigned) n,
       (unsigned) left);
}


int
main(void)
{
    size_t    i, n;
    uint64_t  state;
    uint32_t  left, shares[NGX_CANARY_MAX_CANARIES];

    static const uint32_t  all[] = {
        100000, 200000, 300000, 50000, 150000, 199999, 1
    };
    static const uint32_t  none[] = { 0, 0, 0, 0, 0, 0, 0 };
    static const uint32_t  first[] = { 1000000, 0, 0 };
    static const uint32_t  second[] = { 0, 1000000, 0 };
    static const uint32_t  least[] = { 1, 1, 1, 1, 1, 1, 1 };

    check(none, 0);
    check(none, 7);
    check(all, 7);
    check(first, 3);
    check(second, 3);
    check(least, 7);

    state = 1;

    for (i = 0; i < 30; i++) {
        left = NGX_CANARY_PPM;

        for (n = 0; n < 1 + i % NGX_CANARY_MAX_CANARIES; n++) {
            shares[n] = (uint32_t) (sample_u64(&state) % (left / 2 + 1));
            left -= shares[n];
        }

        check(shares, n);
    }

    return tap_done();
}
