/*
 * A walk over the fields of a struct that either writes each one to bytes or
 * reads it from them, so that the two can never differ.
 *
 * After the first mistake all steps do nothing more than to read zeros, and
 * "failed" is set: a walk always ends, and never leaves its bytes.
 */

#ifndef NGX_CANARY_WALK_H_INCLUDED
#define NGX_CANARY_WALK_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


/* zeroed at first; writes without "out" only count */
typedef struct {
    const unsigned char  *in;
    unsigned char        *out;
    size_t                pos;
    size_t                size;     /* of "in" or "out" */
    uint64_t              version;  /* of what is written or read */
    int                   writes;
    int                   failed;
} ngx_canary_walk_t;


/*
 * From 0 to "max", a byte for each 7 bits, the lowest first: at most 10.  Only
 * the shortest form is read.
 */
void ngx_canary_walk_number(ngx_canary_walk_t *w, uint64_t *value,
    uint64_t max);

/* in as many bytes, the lowest first; 1 to 8 */
void ngx_canary_walk_fixed(ngx_canary_walk_t *w, uint64_t *value,
    size_t bytes);

/* from "min" to "max", in the 8 bytes of IEEE 754; never what is no number */
void ngx_canary_walk_double(ngx_canary_walk_t *w, double *value, double min,
    double max);

/* a length from 0 to "max" and as many bytes */
void ngx_canary_walk_text(ngx_canary_walk_t *w, uint64_t *len,
    unsigned char *data, uint64_t max);

/* "len" bytes below 128: each stretch of alike ones in at most 3 */
void ngx_canary_walk_bytes(ngx_canary_walk_t *w, unsigned char *data,
    size_t len);

/* a histogram's buckets in use, each in at most 12; read into a zeroed one */
void ngx_canary_walk_hist(ngx_canary_walk_t *w, uint64_t *hist);

/* one byte, as it is; the only step that touches the bytes */
void ngx_canary_walk_byte(ngx_canary_walk_t *w, unsigned char *byte);


#pragma GCC visibility pop

#endif /* NGX_CANARY_WALK_H_INCLUDED */
