
#include "ngx_canary_response.h"
#include "../pure/ngx_canary_accept.h"


ngx_uint_t
ngx_canary_accepts_openmetrics(ngx_http_request_t *r)
{
    ngx_uint_t            i;
    ngx_list_part_t      *part;
    ngx_table_elt_t      *header;
    ngx_canary_accept_t   accept;

    ngx_memzero(&accept, sizeof(ngx_canary_accept_t));

    part = &r->headers_in.headers.part;
    header = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (header[i].key.len == sizeof("Accept") - 1
            && ngx_strncasecmp(header[i].key.data, (u_char *) "Accept",
                               sizeof("Accept") - 1)
               == 0)
        {
            ngx_canary_accept_parse(&accept, header[i].value.data,
                                    header[i].value.len);
        }
    }

    return accept.openmetrics > 0 && accept.openmetrics >= accept.plain;
}
