/*
 * The query is cut at "&", each part at its first "=".  Names are compared as
 * they are, values are decoded: "+" is a blank, "%XX" a byte, NUL too.
 */

#include "ngx_canary_fields.h"
#include "ngx_canary_query.h"

#include <string.h>


ngx_canary_query_e
ngx_canary_query_find(const unsigned char *query, size_t len,
    const char *name, unsigned char *value, size_t *vlen)
{
    size_t                i, end, nlen;
    ngx_canary_query_e    found;

    found = NGX_CANARY_QUERY_NONE;
    nlen = strlen(name);

    for (i = 0; i < len; i = end + 1) {

        for (end = i; end < len && query[end] != '&'; end++) { /* void */ }

        if (end - i < nlen
            || memcmp(&query[i], name, nlen) != 0
            || (end - i > nlen && query[i + nlen] != '='))
        {
            continue;
        }

        if (found == NGX_CANARY_QUERY_FOUND) {
            return NGX_CANARY_QUERY_REPEATED;
        }

        found = NGX_CANARY_QUERY_FOUND;

        i += nlen + (end - i > nlen);

        if (ngx_canary_fields_decode(&query[i], end - i, value, vlen) != 0) {
            return NGX_CANARY_QUERY_MALFORMED;
        }
    }

    return found;
}
