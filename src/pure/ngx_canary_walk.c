/*
 * Fields to bytes and back.
 *
 * There is one form for each value: a number has no leading zeros, a histogram
 * names no bucket that is empty.  So what was read and is written again gives
 * the same bytes.
 */

#include "ngx_canary_walk.h"
#include "ngx_canary_hist.h"

#include <string.h>


static size_t ngx_canary_walk_next(const uint64_t *hist, size_t from);


void
ngx_canary_walk_number(ngx_canary_walk_t *w, uint64_t *value, uint64_t max)
{
    unsigned       shift;
    uint64_t       rest;
    unsigned char  byte;

    byte = 0;
    rest = w->writes ? *value : 0;

    if (w->writes) {
        if (rest > max) {
            w->failed = 1;
        }

        while (rest > 0x7f) {
            byte = (unsigned char) ((rest & 0x7f) | 0x80);
            ngx_canary_walk_byte(w, &byte);
            rest >>= 7;
        }

        byte = (unsigned char) rest;
        ngx_canary_walk_byte(w, &byte);

        return;
    }

    for (shift = 0; shift < 64; shift += 7) {
        ngx_canary_walk_byte(w, &byte);

        rest |= (uint64_t) (byte & 0x7f) << shift;

        if (byte < 0x80) {
            break;
        }
    }

    /* too long, or longer than it needs to be */

    if (byte >= 0x80 || (shift == 63 && byte > 1) || (shift && byte == 0)) {
        w->failed = 1;
    }

    if (rest > max) {
        w->failed = 1;
    }

    *value = w->failed ? 0 : rest;
}


void
ngx_canary_walk_fixed(ngx_canary_walk_t *w, uint64_t *value, size_t bytes)
{
    size_t         i;
    uint64_t       sum;
    unsigned char  byte;

    sum = 0;

    for (i = 0; i < bytes; i++) {
        byte = w->writes ? (unsigned char) (*value >> (8 * i)) : 0;
        ngx_canary_walk_byte(w, &byte);
        sum |= (uint64_t) byte << (8 * i);
    }

    *value = sum;
}


void
ngx_canary_walk_double(ngx_canary_walk_t *w, double *value, double min,
    double max)
{
    double    number;
    uint64_t  bits;

    memcpy(&bits, value, sizeof(bits));
    ngx_canary_walk_fixed(w, &bits, sizeof(bits));
    memcpy(&number, &bits, sizeof(bits));

    if (!(number >= min && number <= max)) {
        w->failed = 1;
    }

    *value = w->failed ? 0 : number;
}


void
ngx_canary_walk_text(ngx_canary_walk_t *w, uint64_t *len, unsigned char *data,
    uint64_t max)
{
    uint64_t  i;

    ngx_canary_walk_number(w, len, max);

    for (i = 0; i < *len && !w->failed; i++) {
        ngx_canary_walk_byte(w, &data[i]);
    }
}


/* each stretch as its value and how many; two that follow differ */

void
ngx_canary_walk_bytes(ngx_canary_walk_t *w, unsigned char *data, size_t len)
{
    size_t    i;
    uint64_t  value, same;

    for (i = 0; i < len && !w->failed; i += same) {
        value = data[i];
        same = 1;

        while (w->writes && i + same < len && data[i + same] == value) {
            same++;
        }

        ngx_canary_walk_number(w, &value, INT8_MAX);
        ngx_canary_walk_number(w, &same, len - i);

        if (same == 0 || (i > 0 && value == data[i - 1])) {
            w->failed = 1;
        }

        if (w->failed) {
            return;
        }

        if (!w->writes) {
            memset(data + i, (int) value, same);
        }
    }
}


/*
 * For each bucket in use the empty ones before it, and its count; then the
 * empty ones up to the end and a count of 0.
 */

void
ngx_canary_walk_hist(ngx_canary_walk_t *w, uint64_t *hist)
{
    size_t    i;
    uint64_t  gap, count;

    for (i = 0; !w->failed; i++) {
        gap = 0;
        count = 0;

        if (w->writes) {
            gap = ngx_canary_walk_next(hist, i) - i;
            count = i + gap < NGX_CANARY_HIST_BUCKETS ? hist[i + gap] : 0;
        }

        ngx_canary_walk_number(w, &gap, NGX_CANARY_HIST_BUCKETS - i);
        ngx_canary_walk_number(w, &count, UINT64_MAX);

        i += gap;

        if ((i == NGX_CANARY_HIST_BUCKETS) != (count == 0)) {
            w->failed = 1;
        }

        if (count == 0 || w->failed) {
            return;
        }

        hist[i] = count;
    }
}


void
ngx_canary_walk_byte(ngx_canary_walk_t *w, unsigned char *byte)
{
    if (!w->writes) {
        *byte = 0;
    }

    if (w->failed || w->pos == w->size) {
        w->failed = 1;
        return;
    }

    if (!w->writes) {
        *byte = w->in[w->pos];

    } else if (w->out) {
        w->out[w->pos] = *byte;
    }

    w->pos++;
}


/* the first bucket in use, from "from"; NGX_CANARY_HIST_BUCKETS if none */

static size_t
ngx_canary_walk_next(const uint64_t *hist, size_t from)
{
    const uint64_t  *h;

    /* most are empty */

    for ( /* void */ ; from + 8 <= NGX_CANARY_HIST_BUCKETS; from += 8) {
        h = hist + from;

        if (h[0] | h[1] | h[2] | h[3] | h[4] | h[5] | h[6] | h[7]) {
            break;
        }
    }

    while (from < NGX_CANARY_HIST_BUCKETS && hist[from] == 0) {
        from++;
    }

    return from;
}
