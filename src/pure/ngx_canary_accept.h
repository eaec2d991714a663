/*
 * What a client accepts, of the two formats that metrics are rendered in.
 */

#ifndef NGX_CANARY_ACCEPT_H_INCLUDED
#define NGX_CANARY_ACCEPT_H_INCLUDED


#include <stddef.h>


#pragma GCC visibility push(hidden)


/* in 1e-3; 0: not accepted, or not named */
typedef struct {
    unsigned int  openmetrics;
    unsigned int  plain;
} ngx_canary_accept_t;


/*
 * Raises the qualities to those in the value of an Accept header.  A quality
 * that is malformed or above 1 counts as 0.
 */
void ngx_canary_accept_parse(ngx_canary_accept_t *accept,
    const unsigned char *text, size_t len);


#pragma GCC visibility pop

#endif /* NGX_CANARY_ACCEPT_H_INCLUDED */
