/*
 * Files whose length and checksum are right, whatever else is in them; and
 * numbers as they are in a file, in any form.
 */

#ifndef CRAFTED_H_INCLUDED
#define CRAFTED_H_INCLUDED


#include "../../src/pure/ngx_canary_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>


static char  crafted_error[NGX_CANARY_STATE_ERROR];


/* in "bytes" bytes, the lowest first */

static inline void
crafted_fixed(unsigned char *data, uint64_t value, size_t bytes)
{
    size_t  i;

    for (i = 0; i < bytes; i++) {
        data[i] = (unsigned char) (value >> (8 * i));
    }
}


/* in its shortest form, or in one byte more; returns its length */

static inline size_t
crafted_number(unsigned char *data, uint64_t value, int padded)
{
    size_t  n;

    n = 0;

    for ( /* void */ ; value > 0x7f; value >>= 7) {
        data[n++] = (unsigned char) (value | 0x80);
    }

    data[n++] = (unsigned char) value;

    if (padded) {
        data[n - 1] |= 0x80;
        data[n++] = 0;
    }

    return n;
}


/* behind the "len" bytes there is room for a checksum; returns all of it */

static inline size_t
crafted_seal(unsigned char *data, size_t len)
{
    crafted_fixed(data + 12, len + NGX_CANARY_STATE_CHECK, 8);
    crafted_fixed(data + len, XXH3_64bits(data, len), NGX_CANARY_STATE_CHECK);

    return len + NGX_CANARY_STATE_CHECK;
}


/* from memory of just that size, for sanitizers and valgrind */

static inline int
crafted_decode(ngx_canary_saved_t *saved, const unsigned char *data, size_t len)
{
    int             rc;
    unsigned char  *copy;

    copy = malloc(len ? len : 1);
    if (copy == NULL) {
        abort();
    }

    if (len) {
        memcpy(copy, data, len);
    }

    crafted_error[0] = '\0';

    rc = ngx_canary_state_decode(saved, len ? copy : NULL, len, crafted_error);

    free(copy);

    return rc;
}


static inline int
crafted_says(const char *part)
{
    int  found;

    found = strstr(crafted_error, part) != NULL;

    if (!found) {
        printf("# \"%s\", not \"%s\"\n", crafted_error, part);
    }

    return found;
}


#endif /* CRAFTED_H_INCLUDED */
