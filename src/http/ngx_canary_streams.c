
#include "ngx_canary_passage.h"


/* RFC 9113: what a connection begins with, and the head of a frame */

#define NGX_CANARY_H2_PREFACE   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define NGX_CANARY_H2_HEAD      9
#define NGX_CANARY_H2_STREAM    5


/*
 * nginx makes a request of gRPC or HTTP/2 for a new connection, as stream 1,
 * and writes another number into its frames when it uses one that was kept.
 * Up to 1.31 it does not write 1 again for the next server: that one answers in
 * a stream that nginx does not know, and the client gets a 502.
 */

void
ngx_canary_streams_reset(ngx_http_upstream_t *u)
{
    u_char     *p, *last;
    size_t      length;
    ngx_buf_t  *b;

    if (u->request_bufs == NULL) {
        return;
    }

    /* the first buffer holds what precedes the body, in whole frames */

    b = u->request_bufs->buf;
    p = b->start;
    last = b->last;

    length = sizeof(NGX_CANARY_H2_PREFACE) - 1;

    if (p == NULL
        || (size_t) (last - p) < length
        || ngx_memcmp(p, NGX_CANARY_H2_PREFACE, length) != 0)
    {
        return;
    }

    for (p += length; last - p >= NGX_CANARY_H2_HEAD; p += length) {
        length = ((size_t) p[0] << 16) + ((size_t) p[1] << 8) + p[2];
        length = ngx_min(length + NGX_CANARY_H2_HEAD, (size_t) (last - p));

        /* stream 0 is the connection itself */

        p += NGX_CANARY_H2_STREAM;

        if (p[0] || p[1] || p[2] || p[3]) {
            ngx_memcpy(p, "\0\0\0\1", 4);
        }

        p -= NGX_CANARY_H2_STREAM;
    }
}
