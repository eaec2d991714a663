
#include "ngx_canary_http.h"


static void ngx_canary_passage_finalize(ngx_http_request_t *r, ngx_int_t rc)
    __attribute__((flatten));
static ngx_inline void ngx_canary_passage_end(ngx_canary_passage_t *p,
    ngx_int_t rc);
static ngx_inline void ngx_canary_passage_settle(ngx_canary_passage_t *p,
    ngx_uint_t gone, ngx_uint_t failed);
static ngx_inline uint32_t ngx_canary_passage_class(ngx_uint_t status);
static ngx_inline ngx_uint_t ngx_canary_passage_is_error(
    ngx_canary_passage_t *p);
static ngx_uint_t ngx_canary_passage_error_if(ngx_canary_passage_t *p)
    __attribute__((noinline));
static ngx_uint_t ngx_canary_passage_status(ngx_http_upstream_t *u);
static ngx_uint_t ngx_canary_passage_answered(ngx_http_upstream_t *u);
static ngx_uint_t ngx_canary_passage_gone(ngx_canary_passage_t *p,
    ngx_int_t rc) __attribute__((noinline));
static ngx_inline ngx_uint_t ngx_canary_passage_cut_short(
    ngx_canary_passage_t *p, ngx_int_t rc);
static ngx_inline void ngx_canary_passage_count(ngx_canary_passage_t *p);
static void ngx_canary_passage_cleanup(void *data);
static void ngx_canary_passage_first_byte(ngx_canary_passage_t *p)
    __attribute__((noinline));


/* the passages of this worker that are not counted yet */
static ngx_queue_t  ngx_canary_queue = {
    &ngx_canary_queue, &ngx_canary_queue
};


ngx_int_t
ngx_canary_passage_begin(ngx_canary_passage_t *p)
{
    ngx_pool_cleanup_t   *cln;
    ngx_http_upstream_t  *u;

    (void) clock_gettime(CLOCK_MONOTONIC, &p->start);

    if (p->conf->latency == NGX_CANARY_LATENCY_REQUEST) {

        ngx_canary_passage_first_byte(p);

        /* the end of the response is the end of the pool */

        cln = ngx_pool_cleanup_add(p->request->pool, 0);
        if (cln == NULL) {
            return NGX_ERROR;
        }

        cln->handler = ngx_canary_passage_cleanup;
        cln->data = p;
    }

    u = p->request->upstream;

    p->original_finalize = u->finalize_request;
    u->finalize_request = ngx_canary_passage_finalize;

    ngx_queue_insert_tail(&ngx_canary_queue, &p->queue);
    p->queued = 1;

    return NGX_OK;
}


void
ngx_canary_passage_attempt_failed(ngx_canary_passage_t *p)
{
    ngx_http_upstream_t  *u;

    /* ngx_http_upstream_next() is about to overwrite the status */

    u = p->request->upstream;

    p->ended = 1;
    p->answered = ngx_canary_passage_answered(u);
    p->status = p->answered ? ngx_canary_passage_status(u) : 0;
}


void
ngx_canary_passage_fall_back(ngx_canary_passage_t *p)
{
    p->fallback = 1;

    ngx_canary_passage_settle(p, 0, !(p->ended && p->answered));
}


static void
ngx_canary_passage_finalize(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_canary_passage_t  *p;

    p = r->upstream->peer.data;

    ngx_canary_passage_end(p, rc);

    p->original_finalize(r, rc);
}


static ngx_inline void
ngx_canary_passage_end(ngx_canary_passage_t *p, ngx_int_t rc)
{
    ngx_uint_t            gone, failed;
    ngx_http_upstream_t  *u;

    if (p->settled) {
        return;
    }

    u = p->request->upstream;

    if (!p->ended) {
        p->answered = p->connected && !p->busy
                      && ngx_canary_passage_answered(u);
        p->status = p->answered ? ngx_canary_passage_status(u) : 0;
    }

    gone = (rc != NGX_OK && ngx_canary_passage_gone(p, rc));
    failed = !p->answered || ngx_canary_passage_cut_short(p, rc);

    ngx_canary_passage_settle(p, gone, failed);
}


static ngx_inline void
ngx_canary_passage_settle(ngx_canary_passage_t *p, ngx_uint_t gone,
    ngx_uint_t failed)
{
    ngx_canary_outcome_t  *oc;

    oc = &p->outcome;

    oc->slot = p->assignment->slot;
    oc->cluster = p->assignment->cluster;
    oc->response = ngx_canary_passage_class(p->status);
    oc->error = !gone && (failed || ngx_canary_passage_is_error(p));
    oc->fallback = p->fallback;
    oc->timed = !gone && p->connected
                && p->status != NGX_HTTP_SWITCHING_PROTOCOLS;

    p->settled = 1;

    if (p->conf->latency == NGX_CANARY_LATENCY_UPSTREAM) {
        ngx_canary_passage_count(p);
    }
}


static ngx_inline uint32_t
ngx_canary_passage_class(ngx_uint_t status)
{
    /* most of them: no division */

    if (status >= 200 && status < 300) {
        return 1;
    }

    return (status >= 100 && status < 600) ? (uint32_t) status / 100 - 1
                                           : NGX_CANARY_CLASS_NONE;
}


static ngx_inline ngx_uint_t
ngx_canary_passage_is_error(ngx_canary_passage_t *p)
{
    ngx_uint_t  status;

    status = p->status;

    if (status <= NGX_CANARY_MAX_STATUS
        && p->conf->errors[status])
    {
        return 1;
    }

    return p->conf->error_if ? ngx_canary_passage_error_if(p) : 0;
}


/* apart, so that only those who ask for it pay for a guarded stack frame */

static ngx_uint_t
ngx_canary_passage_error_if(ngx_canary_passage_t *p)
{
    ngx_str_t  value;

    if (ngx_canary_value(p->request, p->conf->error_if, &value) != NGX_OK) {
        return 0;
    }

    return value.len && (value.len != 1 || value.data[0] != '0');
}


/*
 * The status line as the upstream sent it: a stale response out of the cache
 * replaces headers_in, but not the state.  An answer without a status line
 * (HTTP/0.9) has none in headers_in.
 */

static ngx_uint_t
ngx_canary_passage_status(ngx_http_upstream_t *u)
{
    if (u->headers_in.status_n == 0) {
        return 0;
    }

    return u->state->status ? u->state->status : u->headers_in.status_n;
}


static ngx_uint_t
ngx_canary_passage_answered(ngx_http_upstream_t *u)
{
    return u->state && u->state->header_time != (ngx_msec_t) -1;
}


/* the client ended it: it left, or its request could not be read */

static ngx_uint_t
ngx_canary_passage_gone(ngx_canary_passage_t *p, ngx_int_t rc)
{
    ngx_connection_t     *c;
    ngx_http_upstream_t  *u;

    c = p->request->connection;
    u = p->request->upstream;

    switch (rc) {

    case NGX_DONE:
    case NGX_HTTP_CLIENT_CLOSED_REQUEST:
        return 1;

    case NGX_ERROR:
        /* also if the upstream's body makes no sense */
        return c->error || c->timedout
               || (u->pipe && u->pipe->downstream_error);

    case NGX_HTTP_BAD_REQUEST:
    case NGX_HTTP_REQUEST_TIME_OUT:
    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        /* or it is the upstream's own answer, on its way to error_page */
        return p->ended || !p->answered || u->header_sent;

    default:
        return 0;
    }
}


/*
 * Behind a complete header an error of nginx's own means a broken body, and so
 * does one that its event pipe saw: a FastCGI server that ends its output too
 * early, and the connection with it, is finalized as a success.
 */

static ngx_inline ngx_uint_t
ngx_canary_passage_cut_short(ngx_canary_passage_t *p, ngx_int_t rc)
{
    ngx_http_upstream_t  *u;

    u = p->request->upstream;

    if (rc != NGX_ERROR
        && rc < NGX_HTTP_INTERNAL_SERVER_ERROR
        && !(u->pipe && u->pipe->upstream_error))
    {
        return 0;
    }

    /* a tunnel ends as either side likes, or by proxy_read_timeout */

    return !p->ended
           && p->status != NGX_HTTP_SWITCHING_PROTOCOLS
           && (u->header_sent || p->request->subrequest_in_memory);
}


static ngx_inline void
ngx_canary_passage_count(ngx_canary_passage_t *p)
{
    ngx_canary_zone_t  *zone;

    if (!p->queued) {
        return;
    }

    ngx_queue_remove(&p->queue);
    p->queued = 0;

    zone = p->conf->shm_zone->data;

    if (p->outcome.timed) {
        p->outcome.latency_us = ngx_canary_passage_elapsed(p);
    }

    switch (p->assignment->why) {

    case NGX_CANARY_FORCED:
        ngx_canary_add(&ngx_canary_shard(zone)->cells[p->outcome.slot]
                       .counts.forced, 1);
        break;

    case NGX_CANARY_UNKEYED:
        ngx_canary_add(&ngx_canary_shard(zone)->unkeyed, 1);
        break;

    default:
        ngx_canary_record(zone, &p->outcome);
    }
}


static void
ngx_canary_passage_cleanup(void *data)
{
    ngx_canary_passage_t *p = data;

    ngx_canary_passage_count(p);
}


/* a worker that is told to stop at once leaves requests: count them */

void
ngx_canary_exit_process(ngx_cycle_t *cycle)
{
    ngx_queue_t           *q;
    ngx_canary_passage_t  *p;

    while (!ngx_queue_empty(&ngx_canary_queue)) {
        q = ngx_queue_head(&ngx_canary_queue);
        p = ngx_queue_data(q, ngx_canary_passage_t, queue);

        ngx_canary_passage_end(p, NGX_DONE);
        ngx_canary_passage_cleanup(p);
    }

    ngx_canary_state_each(cycle, ngx_canary_keep_exit);
}


/*
 * nginx keeps the wall clock of a request's first byte, to the millisecond;
 * it is taken over to the monotonic clock here, so that a clock that is set
 * later does not matter.  The clock of nginx's last turn, which $request_time
 * goes by, would make it too late by as much as that turn has taken.
 */

static void
ngx_canary_passage_first_byte(ngx_canary_passage_t *p)
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
