/*
 * ngx_canary_split_hash() without the call, for the request path.  Apart from
 * ngx_canary_split.h, as it brings all of XXH3 along.
 */

#ifndef NGX_CANARY_HASH_H_INCLUDED
#define NGX_CANARY_HASH_H_INCLUDED


#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>


#pragma GCC visibility push(hidden)


/* the hash of a key under a seed; any bytes, any length */
static inline uint64_t
ngx_canary_hash(uint64_t seed, const void *key, size_t len)
{
    return XXH3_64bits_withSeed(key, len, seed);
}


#pragma GCC visibility pop

#endif /* NGX_CANARY_HASH_H_INCLUDED */
