/*
 * How many different things, such as users, there were, in 4 KB however many
 * they are: a HyperLogLog sketch.  The standard error is 1.04 / sqrt(4096), or
 * 1.6%; small numbers are nearly exact.
 *
 * A sketch is NGX_CANARY_UNIQUE_REGISTERS bytes, zeroed when nothing has been
 * added.  Adding the same again changes nothing, and the sketch of two sets
 * together is the merge of theirs.
 */

#ifndef NGX_CANARY_UNIQUE_H_INCLUDED
#define NGX_CANARY_UNIQUE_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


#define NGX_CANARY_UNIQUE_BITS        12
#define NGX_CANARY_UNIQUE_REGISTERS   (1u << NGX_CANARY_UNIQUE_BITS)


/* what is put into sketches: any bytes, once for several of them */
uint64_t ngx_canary_unique_hash(const void *data, size_t len);

/* adds to a sketch; others may add to it at the same time */
void ngx_canary_unique_put(uint8_t *reg, uint64_t hash);

/* dst = the union of both, while others may add to "src" */
void ngx_canary_unique_merge(uint8_t *dst, const uint8_t *src);

/* the number of different things added, an estimate; 0 if none were */
uint64_t ngx_canary_unique_estimate(const uint8_t *reg);


#pragma GCC visibility pop

#endif /* NGX_CANARY_UNIQUE_H_INCLUDED */
