
#include "ngx_canary_response.h"


#define ngx_canary_origin_is(str, text)                                       \
    ((str)->len == sizeof(text) - 1                                           \
     && ngx_strncmp((str)->data, text, sizeof(text) - 1) == 0)


static ngx_uint_t ngx_canary_origin_is_ours(ngx_http_request_t *r,
    ngx_str_t *origin);
static ngx_uint_t ngx_canary_origin_names(ngx_str_t *authority,
    ngx_str_t *host);
static ngx_int_t ngx_canary_origin_host(ngx_str_t *authority);


ngx_uint_t
ngx_canary_origin_is_foreign(ngx_http_request_t *r)
{
    ngx_str_t         name, *value;
    ngx_uint_t        i, fetch, foreign;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    fetch = 0;
    foreign = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            name.len = header[i].key.len;
            name.data = header[i].lowcase_key;
            value = &header[i].value;

            if (ngx_canary_origin_is(&name, "sec-fetch-site")) {

                if (!ngx_canary_origin_is(value, "same-origin")
                    && !ngx_canary_origin_is(value, "none"))
                {
                    return 1;
                }

                fetch = 1;

            } else if (ngx_canary_origin_is(&name, "origin")
                       && !ngx_canary_origin_is_ours(r, value))
            {
                foreign = 1;
            }
        }
    }

    return fetch ? 0 : foreign;
}


/*
 * For nginx, the host of the request line and :authority go before Host; where
 * a request has both, the origin must name both.
 */

static ngx_uint_t
ngx_canary_origin_is_ours(ngx_http_request_t *r, ngx_str_t *origin)
{
    u_char     *p;
    ngx_str_t   host;

    p = ngx_strnstr(origin->data, "://", origin->len);

    if (p == NULL) {
        return 0;
    }

    host.data = p + 3;
    host.len = origin->data + origin->len - host.data;

    if (ngx_canary_origin_host(&host) != NGX_OK) {
        return 0;
    }

    return ngx_canary_origin_names(&r->headers_in.server, &host)
           && (r->headers_in.host == NULL
               || ngx_canary_origin_names(&r->headers_in.host->value, &host));
}


static ngx_uint_t
ngx_canary_origin_names(ngx_str_t *authority, ngx_str_t *host)
{
    ngx_str_t  name;

    name = *authority;

    return ngx_canary_origin_host(&name) == NGX_OK
           && name.len == host->len
           && ngx_strncasecmp(name.data, host->data, host->len) == 0;
}


/*
 * Cuts off the port, and the dot at the end of a name, as nginx does for its
 * choice of the server.  NGX_DECLINED if no host remains, or if anything but a
 * port follows it.
 */

static ngx_int_t
ngx_canary_origin_host(ngx_str_t *authority)
{
    u_char  *p, *last;

    p = authority->data;
    last = p + authority->len;

    if (p < last && *p == '[') {
        while (p < last && *p != ']') {
            p++;
        }

        if (p == last) {
            return NGX_DECLINED;
        }

        p++;

    } else {
        while (p < last && *p != ':') {
            p++;
        }
    }

    authority->len = p - authority->data;

    if (p < last && *p++ != ':') {
        return NGX_DECLINED;
    }

    for ( /* void */ ; p < last; p++) {
        if (*p < '0' || *p > '9') {
            return NGX_DECLINED;
        }
    }

    if (authority->len && authority->data[authority->len - 1] == '.') {
        authority->len--;
    }

    return authority->len ? NGX_OK : NGX_DECLINED;
}
