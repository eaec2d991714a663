
#include "ngx_canary_passage.h"


static void ngx_canary_take_back_headers(ngx_canary_passage_t *p);


/*
 * What the balancer of the canary has set for its servers: lua's has timeouts
 * in a copy of the configuration, a local address, TLS and the name for it.
 */

void
ngx_canary_take_back(ngx_canary_passage_t *p)
{
    ngx_http_upstream_t  *u;

    ngx_canary_take_back_headers(p);

    u = p->request->upstream;

    u->conf = p->settings.conf;
    u->peer.local = p->settings.local;
    u->peer.cached = 0;

#if (NGX_HTTP_SSL)
    u->schema = p->settings.schema;
    u->ssl_name = p->settings.ssl_name;
    u->ssl = p->settings.ssl;
#endif
}


/*
 * The headers that the balancer of the canary has added, "sticky cookie" in
 * its get(): the client gets those of the baseline.  Nobody else adds any while
 * a server is sought and asked but "canary_cookie" of another split, by way of
 * a variable.  Where early hints have emptied the list, the part that is walked
 * may be in use no more, which does no harm.
 */

static void
ngx_canary_take_back_headers(ngx_canary_passage_t *p)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    i = p->headers_kept;

    for (part = p->headers; part; part = part->next) {
        h = part->elts;

        for ( /* void */ ; i < part->nelts; i++) {
            if (!ngx_canary_cookie_is(p->request, &h[i])) {
                h[i].hash = 0;
            }
        }

        i = 0;
    }
}
