
#include "ngx_canary_passage.h"
#include "../zone/ngx_canary_writer.h"


static ngx_inline void ngx_canary_passage_end(ngx_canary_passage_t *p,
    ngx_http_upstream_t *u, ngx_int_t rc);
static ngx_inline void ngx_canary_passage_complete(ngx_canary_passage_t *p,
    ngx_uint_t state);
static ngx_inline void ngx_canary_passage_timed(ngx_canary_passage_t *p,
    ngx_uint_t state);
static void ngx_canary_passage_untimed(ngx_canary_passage_t *p,
    ngx_uint_t state) __attribute__((noinline));
static ngx_uint_t ngx_canary_passage_error_if(ngx_canary_passage_t *p)
    __attribute__((noinline));
static ngx_inline ngx_uint_t ngx_canary_passage_attempt(
    ngx_canary_passage_t *p, ngx_http_upstream_t *u);
static ngx_inline ngx_uint_t ngx_canary_passage_status(ngx_http_upstream_t *u);
static ngx_inline ngx_uint_t ngx_canary_passage_interim(
    ngx_http_upstream_t *u);
static ngx_uint_t ngx_canary_passage_gone(ngx_canary_passage_t *p,
    ngx_http_upstream_t *u, ngx_uint_t state, ngx_int_t rc)
    __attribute__((noinline));
static void ngx_canary_passage_left(ngx_canary_passage_t *p,
    ngx_http_upstream_t *u, ngx_uint_t state) __attribute__((noinline));
static ngx_inline ngx_uint_t ngx_canary_passage_cut_short(
    ngx_canary_passage_t *p, ngx_http_upstream_t *u, ngx_uint_t state,
    ngx_int_t rc);
static ngx_inline void ngx_canary_passage_count(ngx_canary_passage_t *p,
    ngx_uint_t state);
static void ngx_canary_passage_count_apart(ngx_canary_passage_t *p)
    __attribute__((noinline));


ngx_queue_t  ngx_canary_queue = { &ngx_canary_queue, &ngx_canary_queue };


void
ngx_canary_passage_attempt_failed(ngx_canary_passage_t *p)
{
    /* the outcome that is known already has its own status */

    if (!(p->state & NGX_CANARY_SETTLED)) {

        /* ngx_http_upstream_next() is about to overwrite it */

        p->state |= ngx_canary_passage_attempt(p, p->request->upstream);
    }

    p->state |= NGX_CANARY_ENDED;
}


void
ngx_canary_passage_fall_back(ngx_canary_passage_t *p)
{
    ngx_uint_t  state;

    state = p->state | NGX_CANARY_FALLBACK;

    if (!(state & NGX_CANARY_ANSWERED)) {
        state |= NGX_CANARY_ERROR;
    }

    ngx_canary_passage_complete(p, state);
}


void
ngx_canary_passage_finalize(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_http_upstream_t   *u;
    ngx_canary_passage_t  *p;

    u = r->upstream;
    p = u->peer.data;

    ngx_canary_passage_end(p, u, rc);

    p->original_finalize(p->request, rc);
}


static ngx_inline void
ngx_canary_passage_end(ngx_canary_passage_t *p, ngx_http_upstream_t *u,
    ngx_int_t rc)
{
    ngx_uint_t  state;

    state = p->state;

    if (ngx_canary_rare((state & (NGX_CANARY_SETTLED|NGX_CANARY_CONNECTED
                                  |NGX_CANARY_BUSY|NGX_CANARY_ENDED))
                        != NGX_CANARY_CONNECTED))
    {
        if (state & NGX_CANARY_SETTLED) {
            return;
        }

    } else {
        state |= ngx_canary_passage_attempt(p, u);
    }

    if (ngx_canary_rare(rc != NGX_OK)
        && ngx_canary_passage_gone(p, u, state, rc))
    {
        ngx_canary_passage_left(p, u, state);
        return;
    }

    if (ngx_canary_rare(!(state & NGX_CANARY_ANSWERED)
                        || ngx_canary_passage_cut_short(p, u, state, rc)))
    {
        state |= NGX_CANARY_ERROR;
    }

    ngx_canary_passage_complete(p, state);
}


/* it has an answer, or failed: what "if=" makes of it, and its time count */

static ngx_inline void
ngx_canary_passage_complete(ngx_canary_passage_t *p, ngx_uint_t state)
{
    if (ngx_canary_rare(p->conf->error_if != NULL)
        && !(state & NGX_CANARY_ERROR)
        && ngx_canary_passage_error_if(p))
    {
        state |= NGX_CANARY_ERROR;
    }

    if (ngx_canary_rare((state & (NGX_CANARY_CONNECTED|NGX_CANARY_TUNNEL
                                  |NGX_CANARY_UNTIMED))
                        != NGX_CANARY_CONNECTED))
    {
        ngx_canary_passage_untimed(p, state);
        return;
    }

    ngx_canary_passage_timed(p, state);
}


static ngx_inline void
ngx_canary_passage_timed(ngx_canary_passage_t *p, ngx_uint_t state)
{
    state |= NGX_CANARY_SETTLED|NGX_CANARY_TIMED;

    if (ngx_canary_rare(p->conf->latency != NGX_CANARY_LATENCY_UPSTREAM)) {
        ngx_canary_latency_settled(p, state);
        return;
    }

    p->latency_us = ngx_canary_passage_elapsed(p);

    ngx_canary_passage_count(p, state);
}


static void
ngx_canary_passage_untimed(ngx_canary_passage_t *p, ngx_uint_t state)
{
    state |= NGX_CANARY_SETTLED;

    if (p->conf->latency != NGX_CANARY_LATENCY_UPSTREAM) {
        ngx_canary_latency_settled(p, state);
        return;
    }

    ngx_canary_passage_count(p, state);
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


/* what the attempt that ends now has answered: bits of NGX_CANARY_ANSWER */

static ngx_inline ngx_uint_t
ngx_canary_passage_attempt(ngx_canary_passage_t *p, ngx_http_upstream_t *u)
{
    ngx_uint_t  state;

    if (ngx_canary_rare(u->state == NULL
                        || u->state->header_time == (ngx_msec_t) -1))
    {
        return 0;
    }

    state = p->conf->statuses[ngx_canary_passage_status(u)];

#if (nginx_version >= 1031000)

    /* "tunnel_pass" answers CONNECT with 200 */

    if (ngx_canary_rare(u->upgrade)) {
        state |= NGX_CANARY_TUNNEL;
    }

#endif

    return state;
}


/*
 * The status line as the upstream sent it: a stale response out of the cache
 * replaces headers_in, but not the state, which keeps the first status that
 * came, that of an interim response too.  An answer without a status line
 * (HTTP/0.9) has none in headers_in.
 */

static ngx_inline ngx_uint_t
ngx_canary_passage_status(ngx_http_upstream_t *u)
{
    ngx_uint_t  status;

    status = u->state->status;

    if (ngx_canary_rare(ngx_canary_passage_interim(u))) {
        status = u->headers_in.status_n;
    }

    if (ngx_canary_rare(u->headers_in.status_n == 0
                        || status >= NGX_CANARY_STATUSES))
    {
        return 0;
    }

    return status;
}


/* the state has no status, or that of a response before the final one */

static ngx_inline ngx_uint_t
ngx_canary_passage_interim(ngx_http_upstream_t *u)
{
    return u->state->status < NGX_HTTP_OK
           && u->state->status != NGX_HTTP_SWITCHING_PROTOCOLS;
}


#if (defined NGX_HTTP_EARLY_HINTS && NGX_HTTP_CACHE)

/*
 * Called before a response out of the cache replaces headers_in, where the
 * final status is behind early hints, and before another attempt.
 */

ngx_int_t
ngx_canary_passage_reinit(ngx_http_request_t *r)
{
    ngx_http_upstream_t   *u;
    ngx_canary_passage_t  *p;

    u = r->upstream;
    p = u->peer.data;

    if (u->state->header_time != (ngx_msec_t) -1
        && ngx_canary_passage_interim(u))
    {
        u->state->status = u->headers_in.status_n;
    }

    return p->original_reinit(r);
}

#endif


/* the client ended it: it left, or its request could not be read */

static ngx_uint_t
ngx_canary_passage_gone(ngx_canary_passage_t *p, ngx_http_upstream_t *u,
    ngx_uint_t state, ngx_int_t rc)
{
    ngx_connection_t  *c;

    c = p->request->connection;

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
        return (state & (NGX_CANARY_ENDED|NGX_CANARY_ANSWERED))
               != NGX_CANARY_ANSWERED
               || u->header_sent;

    default:
        return 0;
    }
}


/*
 * Behind a complete header the status decides, as for any other request.  A
 * status line of which the header is not complete tells the class alone.
 */

static void
ngx_canary_passage_left(ngx_canary_passage_t *p, ngx_http_upstream_t *u,
    ngx_uint_t state)
{
    ngx_uint_t  status;

    if (state & NGX_CANARY_ANSWERED) {
        ngx_canary_passage_complete(p, state | NGX_CANARY_UNTIMED);
        return;
    }

    state |= NGX_CANARY_ABORTED;

    p->latency_us = ngx_canary_passage_elapsed(p);

    /* behind a failed attempt it is nginx's own */

    if (u->state && !(state & NGX_CANARY_ENDED)) {
        status = ngx_canary_passage_status(u);

        if (status >= NGX_HTTP_OK) {
            state |= p->conf->statuses[status] & NGX_CANARY_CLASS;
        }
    }

    ngx_canary_passage_untimed(p, state & ~NGX_CANARY_ERROR);
}


/*
 * Behind a complete header an error of nginx's own means a broken body, and so
 * does one that its event pipe saw: a FastCGI server that ends its output too
 * early, and the connection with it, is finalized as a success.
 */

static ngx_inline ngx_uint_t
ngx_canary_passage_cut_short(ngx_canary_passage_t *p, ngx_http_upstream_t *u,
    ngx_uint_t state, ngx_int_t rc)
{
    if (rc != NGX_ERROR
        && rc < NGX_HTTP_INTERNAL_SERVER_ERROR
        && !(u->pipe && u->pipe->upstream_error))
    {
        return 0;
    }

    /* a tunnel ends as either side likes, or by proxy_read_timeout */

    return !(state & NGX_CANARY_ENDED)
           && !(state & NGX_CANARY_TUNNEL)
           && (u->header_sent || p->request->subrequest_in_memory);
}


static ngx_inline void
ngx_canary_passage_count(ngx_canary_passage_t *p, ngx_uint_t state)
{
    ngx_canary_outcome_t      oc;
    ngx_canary_assignment_t  *a;

    /* in itself: what is removed twice does no harm */

    ngx_queue_remove(&p->queue);
    ngx_queue_init(&p->queue);

    p->state = state | NGX_CANARY_COUNTED;

    a = p->assignment;

    if (ngx_canary_is_lost(p->conf, a)) {
        return;
    }

    if (ngx_canary_rare(ngx_canary_is_apart(a->why))) {
        ngx_canary_passage_count_apart(p);
        return;
    }

    oc.response = ngx_canary_class_of(state);
    oc.what = state;
    oc.latency_us = p->latency_us;

    ngx_canary_record(p->conf->zone, a->cell, &oc);
}


void
ngx_canary_passage_counted(ngx_canary_passage_t *p, ngx_uint_t state)
{
    ngx_canary_passage_count(p, state);
}


static void
ngx_canary_passage_count_apart(ngx_canary_passage_t *p)
{
    ngx_canary_counts_t  *counts;

    counts = &p->assignment->cell->counts;

    switch (p->assignment->why) {

    case NGX_CANARY_FORCED:
        ngx_canary_add(&counts->n[NGX_CANARY_COUNT_FORCED], 1);
        break;

    case NGX_CANARY_UNKEYED:
        ngx_canary_add(&p->conf->shard->unkeyed, 1);
        break;

    default: /* NGX_CANARY_BYPASSED */
        ngx_canary_add(&p->conf->shard->bypassed, 1);
    }
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

        ngx_canary_passage_end(p, p->request->upstream, NGX_DONE);
        ngx_canary_latency_end(p);
    }

    ngx_canary_writer_end(cycle->log);
}
