/*
 * An argument of a query string, as forms and URLSearchParams write it
 * (application/x-www-form-urlencoded, WHATWG URL).
 */

#ifndef NGX_CANARY_QUERY_H_INCLUDED
#define NGX_CANARY_QUERY_H_INCLUDED


#include <stddef.h>


#pragma GCC visibility push(hidden)


typedef enum {
    NGX_CANARY_QUERY_FOUND = 0,
    NGX_CANARY_QUERY_NONE,
    NGX_CANARY_QUERY_REPEATED,
    NGX_CANARY_QUERY_MALFORMED          /* "%" without two digits */
} ngx_canary_query_e;


/*
 * Finds the argument "name", case and all, and decodes its value into "value",
 * which has room for "len" bytes.  "name" without "=" is an empty value.
 * "value" and "vlen" hold something only if the argument is found.
 */
ngx_canary_query_e ngx_canary_query_find(const unsigned char *query,
    size_t len, const char *name, unsigned char *value, size_t *vlen);


#pragma GCC visibility pop

#endif /* NGX_CANARY_QUERY_H_INCLUDED */
