/*
 * Any shares that add up to at most 100%, any key: the variant is one of them
 * and not one without a share, and the last canary can grow into what the
 * baseline has without moving anyone else.
 */

#include "../../src/pure/ngx_canary_split.h"

#include "require.h"

#include <string.h>


static size_t make_shares(const uint8_t *data, uint32_t *shares,
    uint32_t *left);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t    n;
    unsigned  before, after;
    uint32_t  left, point, shares[NGX_CANARY_MAX_CANARIES];
    uint64_t  seed;

    if (size < 1 + 4 * NGX_CANARY_MAX_CANARIES) {
        return 0;
    }

    n = make_shares(data, shares, &left);

    seed = ngx_canary_split_seed(data, 1 + 4 * NGX_CANARY_MAX_CANARIES);

    data += 1 + 4 * NGX_CANARY_MAX_CANARIES;
    size -= 1 + 4 * NGX_CANARY_MAX_CANARIES;

    point = ngx_canary_split_point(ngx_canary_split_hash(seed, data, size));
    require(point < NGX_CANARY_PPM);

    before = ngx_canary_split_variant(point, shares, n);
    require(before <= n);
    require(before == NGX_CANARY_BASELINE || shares[before - 1] > 0);
    require(before != NGX_CANARY_BASELINE || left > 0);

    if (n == 0) {
        return 0;
    }

    shares[n - 1] += left;

    after = ngx_canary_split_variant(point, shares, n);
    require(after == ((before == NGX_CANARY_BASELINE) ? n : before));

    return 0;
}


/* how many, then four bytes for each as a part of what is left */

static size_t
make_shares(const uint8_t *data, uint32_t *shares, uint32_t *left)
{
    size_t    i, n;
    uint32_t  wanted;

    n = data[0] % (NGX_CANARY_MAX_CANARIES + 1);
    *left = NGX_CANARY_PPM;

    for (i = 0; i < n; i++) {
        memcpy(&wanted, data + 1 + 4 * i, 4);
        shares[i] = wanted % (*left + 1);
        *left -= shares[i];
    }

    return n;
}
