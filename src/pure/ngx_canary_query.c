/*
 * The query is cut at "&", each part at its first "=".  Names are compared as
 * they are, values are decoded: "+" is a blank, "%XX" a byte, NUL too.
 */

#include "ngx_canary_fields.h"
#include "ngx_canary_query.h"

#include <string.h>


static int ngx_canary_query_decode(const unsigned char *src, size_t len,
    unsigned char *value, size_t *vlen);


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

        if (ngx_canary_query_decode(&query[i], end - i, value, vlen) != 0) {
            return NGX_CANARY_QUERY_MALFORMED;
        }
    }

    return found;
}


static int
ngx_canary_query_decode(const unsigned char *src, size_t len,
    unsigned char *value, size_t *vlen)
{
    int     high, low;
    size_t  i, n;

    n = 0;

    for (i = 0; i < len; i++) {

        if (src[i] != '%') {
            value[n++] = (unsigned char) (src[i] == '+' ? ' ' : src[i]);
            continue;
        }

        if (len - i < 3) {
            return -1;
        }

        high = ngx_canary_fields_hex(src[i + 1]);
        low = ngx_canary_fields_hex(src[i + 2]);

        if (high < 0 || low < 0) {
            return -1;
        }

        value[n++] = (unsigned char) (high * 16 + low);
        i += 2;
    }

    *vlen = n;

    return 0;
}
