
#include "ngx_canary_passage.h"


/* statuses after which nginx may try another server */
#define NGX_CANARY_NEXT_STATUSES                                              \
    (NGX_HTTP_UPSTREAM_FT_HTTP_500|NGX_HTTP_UPSTREAM_FT_HTTP_502              \
     |NGX_HTTP_UPSTREAM_FT_HTTP_503|NGX_HTTP_UPSTREAM_FT_HTTP_504             \
     |NGX_HTTP_UPSTREAM_FT_HTTP_403|NGX_HTTP_UPSTREAM_FT_HTTP_404             \
     |NGX_HTTP_UPSTREAM_FT_HTTP_429)


static void ngx_canary_latency_first_byte(ngx_canary_passage_t *p);
static void ngx_canary_latency_cleanup(void *data);
static ngx_int_t ngx_canary_latency_log(ngx_http_request_t *r);
static ngx_int_t ngx_canary_latency_header(ngx_http_request_t *r);
static ngx_int_t ngx_canary_latency_reinit(ngx_http_request_t *r);
static ngx_int_t ngx_canary_latency_call(ngx_http_request_t *r,
    ngx_canary_passage_t *p, ngx_int_t (*handler)(ngx_http_request_t *r));
static void ngx_canary_latency_headed(ngx_canary_passage_t *p,
    ngx_http_upstream_t *u);


/*
 * Only where a split measures whole requests.  It is the first handler of the
 * log phase, so that an access log has the very value that is counted.
 */

ngx_int_t
ngx_canary_latency_add_handler(ngx_conf_t *cf)
{
    ngx_uint_t                   i;
    ngx_array_t                 *handlers;
    ngx_http_handler_pt         *h;
    ngx_canary_srv_conf_t      **split;
    ngx_canary_main_conf_t      *cmcf;
    ngx_http_core_main_conf_t   *core;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_canary_module);
    split = cmcf->splits.elts;

    for (i = 0; i < cmcf->splits.nelts; i++) {
        if (split[i]->latency == NGX_CANARY_LATENCY_REQUEST) {
            break;
        }
    }

    if (i == cmcf->splits.nelts) {
        return NGX_OK;
    }

    core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    handlers = &core->phases[NGX_HTTP_LOG_PHASE].handlers;

    if (ngx_array_push(handlers) == NULL) {
        return NGX_ERROR;
    }

    h = handlers->elts;

    ngx_memmove(h + 1, h, (handlers->nelts - 1) * sizeof(ngx_http_handler_pt));
    *h = ngx_canary_latency_log;

    return NGX_OK;
}


ngx_int_t
ngx_canary_latency_begin(ngx_canary_passage_t *p, ngx_http_upstream_t *u)
{
    ngx_pool_cleanup_t  *cln;

    if (p->conf->latency == NGX_CANARY_LATENCY_HEADER) {
        p->state |= NGX_CANARY_UNTIMED;

        p->header = u->process_header;
        p->header_reinit = u->reinit_request;

        u->process_header = ngx_canary_latency_header;
        u->reinit_request = ngx_canary_latency_reinit;

        return NGX_OK;
    }

    ngx_canary_latency_first_byte(p);

    /* the end of the response is the end of the pool, if it is not logged */

    cln = ngx_pool_cleanup_add(p->request->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_canary_latency_cleanup;
    cln->data = p;

    return NGX_OK;
}


void
ngx_canary_latency_settled(ngx_canary_passage_t *p, ngx_uint_t state)
{
    p->state = state;

    if (p->conf->latency == NGX_CANARY_LATENCY_REQUEST) {
        p->outcome = state;
        return;
    }

    /* no other attempt has replaced the header that was held back */

    if (state & NGX_CANARY_HELD) {
        state |= NGX_CANARY_TIMED;
    }

    ngx_canary_passage_counted(p, state);
}


void
ngx_canary_latency_end(ngx_canary_passage_t *p)
{
    if (p->state & NGX_CANARY_COUNTED) {
        return;
    }

    if (p->outcome & NGX_CANARY_TIMED) {
        p->latency_us = ngx_canary_passage_elapsed(p);
    }

    ngx_canary_passage_counted(p, p->outcome);
}


static void
ngx_canary_latency_cleanup(void *data)
{
    ngx_canary_latency_end(data);
}


static ngx_int_t
ngx_canary_latency_log(ngx_http_request_t *r)
{
    ngx_canary_passage_t  *p;

    p = ngx_canary_passage(r);

    if (p
        && p->conf->latency == NGX_CANARY_LATENCY_REQUEST
        && (p->state & NGX_CANARY_SETTLED))
    {
        ngx_canary_latency_end(p);
    }

    return NGX_OK;
}


/*
 * nginx keeps the wall clock of a request's first byte, to the millisecond;
 * it is taken over to the monotonic clock here, so that a clock that is set
 * later does not matter.  The clock of nginx's last turn, which $request_time
 * goes by, would make it too late by as much as that turn has taken.
 */

static void
ngx_canary_latency_first_byte(ngx_canary_passage_t *p)
{
    int64_t              ns;
    struct timespec      now;
    ngx_http_request_t  *r;

    r = p->request;

    (void) clock_gettime(CLOCK_REALTIME, &now);

    ns = (int64_t) (now.tv_sec - r->start_sec) * 1000000000
         + now.tv_nsec - (int64_t) r->start_msec * 1000000;

    if (ns > 0) {
        p->start.tv_sec -= ns / 1000000000;
        p->start.tv_nsec -= ns % 1000000000;
    }
}


static ngx_int_t
ngx_canary_latency_header(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_http_upstream_t   *u;
    ngx_canary_passage_t  *p;

    u = r->upstream;
    p = u->peer.data;

    rc = ngx_canary_latency_call(r, p, p->header);

    /*
     * Behind the header of an attempt, one that failed or none at all, it is
     * that of a stale response out of the cache; behind a fallback, the
     * baseline's.
     */

    if (rc == NGX_OK
        && !(p->state & (NGX_CANARY_SETTLED|NGX_CANARY_BUSY|NGX_CANARY_ENDED
                         |NGX_CANARY_HELD|NGX_CANARY_ENTERED)))
    {
        ngx_canary_latency_headed(p, u);
    }

    return rc;
}


static ngx_int_t
ngx_canary_latency_reinit(ngx_http_request_t *r)
{
    ngx_canary_passage_t  *p;

    p = r->upstream->peer.data;

    return ngx_canary_latency_call(r, p, p->header_reinit);
}


/* protocols set another handler of the header, whichever they are called for */

static ngx_int_t
ngx_canary_latency_call(ngx_http_request_t *r, ngx_canary_passage_t *p,
    ngx_int_t (*handler)(ngx_http_request_t *r))
{
    ngx_int_t             rc;
    ngx_http_upstream_t  *u;

    u = r->upstream;
    u->process_header = p->header;

    rc = handler(r);

    p->header = u->process_header;
    u->process_header = ngx_canary_latency_header;

    return rc;
}


static void
ngx_canary_latency_headed(ngx_canary_passage_t *p, ngx_http_upstream_t *u)
{
    ngx_uint_t                status;
    ngx_canary_assignment_t  *a;

    status = u->headers_in.status_n;

    if (status == NGX_HTTP_SWITCHING_PROTOCOLS || u->upgrade) {
        return;
    }

    p->latency_us = ngx_canary_passage_elapsed(p);

    /* nginx tells only later whether another attempt follows */

    if (status >= NGX_HTTP_SPECIAL_RESPONSE
        && (u->conf->next_upstream & NGX_CANARY_NEXT_STATUSES))
    {
        p->state |= NGX_CANARY_HELD;
        return;
    }

    p->state |= NGX_CANARY_ENTERED;

    a = p->assignment;

    if (!ngx_canary_is_apart(a->why) && !ngx_canary_is_lost(p->conf, a)) {
        ngx_canary_record_latency(p->conf->zone, a->cell, p->latency_us);
    }
}
