
#include "ngx_canary_passage.h"


static ngx_inline ngx_int_t ngx_canary_delegate(ngx_canary_passage_t *p,
    ngx_http_upstream_t *u, ngx_canary_srv_conf_t *conf);
static ngx_int_t ngx_canary_get_peer(ngx_peer_connection_t *pc, void *data);
static ngx_int_t ngx_canary_get_joint(ngx_peer_connection_t *pc, void *data);
static ngx_int_t ngx_canary_get_another(ngx_peer_connection_t *pc, void *data);
static ngx_inline ngx_int_t ngx_canary_try(ngx_peer_connection_t *pc,
    ngx_canary_passage_t *p);
static ngx_int_t ngx_canary_get_busy(ngx_peer_connection_t *pc,
    ngx_canary_passage_t *p) __attribute__((noinline));
static void ngx_canary_free_peer(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state);
static void ngx_canary_free_failed(ngx_peer_connection_t *pc,
    ngx_canary_passage_t *p, ngx_uint_t state) __attribute__((noinline));
static void ngx_canary_notify_peer(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type);
static ngx_uint_t ngx_canary_tries_left(ngx_canary_passage_t *p, ngx_uint_t n);
static void ngx_canary_join_tries(ngx_peer_connection_t *pc,
    ngx_canary_passage_t *p) __attribute__((noinline));
static void ngx_canary_show_tries(ngx_peer_connection_t *pc,
    ngx_canary_passage_t *p);
static ngx_int_t ngx_canary_fall_back(ngx_peer_connection_t *pc,
    ngx_canary_passage_t *p) __attribute__((noinline));

#if (NGX_HTTP_SSL)
static ngx_inline void ngx_canary_wrap_sessions(ngx_canary_passage_t *p,
    ngx_peer_connection_t *pc);
static ngx_int_t ngx_canary_set_session(ngx_peer_connection_t *pc, void *data);
static void ngx_canary_save_session(ngx_peer_connection_t *pc, void *data);
#endif


ngx_canary_passage_t *
ngx_canary_passage(ngx_http_request_t *r)
{
    ngx_canary_ctx_t  *ctx;

    if (r->upstream == NULL || r->upstream->peer.free != ngx_canary_free_peer) {
        return NULL;
    }

    /* in its get() a balancer may have put its own data there: lua's does */

    ctx = ngx_http_get_module_ctx(r, ngx_http_canary_module);

    return ctx && ctx->passage->request ? ctx->passage
                                        : r->upstream->peer.data;
}


ngx_int_t
ngx_canary_pass_on(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf)
{
    ngx_canary_ctx_t          *ctx;
    ngx_http_upstream_t       *u;
    ngx_canary_passage_t      *p;
    ngx_canary_srv_conf_t     *variant;
    ngx_canary_assignment_t   *a;
    ngx_canary_target_conf_t  *targets;

    ctx = ngx_canary_assign(r, conf);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    a = ngx_canary_assignment(ctx, conf);

    p = ctx->passage;

    if (ngx_canary_rare(p->request != NULL)) {
        p = ngx_palloc(r->pool, sizeof(ngx_canary_passage_t));
        if (p == NULL) {
            return NGX_ERROR;
        }

        ctx->passage = p;
    }

    u = r->upstream;
    variant = conf;

    p->request = r;
    p->conf = conf;
    p->assignment = a;
    p->state = 0;

    if (a->target >= 0) {
        targets = conf->targets.elts;
        variant = ngx_http_conf_upstream_srv_conf(targets[a->target].upstream,
                                                  ngx_http_canary_module);

        if (conf->fallback
            && !(u->conf->next_upstream & NGX_HTTP_UPSTREAM_FT_OFF))
        {
            p->state = NGX_CANARY_SPARE|NGX_CANARY_JOINT;
            p->attempts = 0;
            p->limit = u->conf->next_upstream_tries;
            p->headers = r->headers_out.headers.last;
            p->headers_kept = p->headers->nelts;
            p->settings.conf = u->conf;
            p->settings.local = u->peer.local;
#if (NGX_HTTP_SSL)
            p->settings.schema = u->schema;
            p->settings.ssl_name = u->ssl_name;
            p->settings.ssl = u->ssl;
#endif
        }
    }

    if (ngx_canary_rare(ngx_canary_delegate(p, u, variant) != NGX_OK)) {
        /* it never began */
        p->state = NGX_CANARY_SETTLED;
        return NGX_ERROR;
    }

    if (p->state & NGX_CANARY_JOINT) {
        ngx_canary_join_tries(&u->peer, p);
    }

    return ngx_canary_passage_begin(p, u);
}


/*
 * The own balancer of the upstream of "conf", behind the wrapper; "u->peer" has
 * no callbacks and no data, as nginx creates it.
 */

static ngx_inline ngx_int_t
ngx_canary_delegate(ngx_canary_passage_t *p, ngx_http_upstream_t *u,
    ngx_canary_srv_conf_t *conf)
{
    ngx_int_t               rc;
    ngx_peer_connection_t  *pc;

    pc = &u->peer;

    /* nginx asks it whether names of peers may vanish */

    u->upstream = conf->upstream;

    rc = conf->original_init(p->request, conf->upstream);

    if (rc != NGX_OK) {
        pc->data = p;
        pc->get = ngx_canary_get_peer;
        pc->free = ngx_canary_free_peer;

        return rc;
    }

    p->data = pc->data;
    p->original_get = pc->get;
    p->original_free = pc->free;

    pc->data = p;
    pc->free = ngx_canary_free_peer;

    if (ngx_canary_rare(pc->notify != NULL)) {
        p->original_notify = pc->notify;
        pc->notify = ngx_canary_notify_peer;

#if (NGX_HTTP_SSL)
        /* lua's, which is one of these, may turn TLS on in its get() */

        if (!u->ssl) {
            ngx_canary_wrap_sessions(p, pc);
        }
#endif
    }

#if (NGX_HTTP_SSL)
    if (u->ssl) {
        ngx_canary_wrap_sessions(p, pc);
    }
#endif

    pc->get = ngx_canary_get_peer;

    return NGX_OK;
}


/* the first attempt of a variant that nothing stands behind */

static ngx_int_t
ngx_canary_get_peer(ngx_peer_connection_t *pc, void *data)
{
    ngx_canary_passage_t *p = data;

    return ngx_canary_try(pc, p);
}


/* the first attempt of either of two variants that share their tries */

static ngx_int_t
ngx_canary_get_joint(ngx_peer_connection_t *pc, void *data)
{
    ngx_canary_passage_t *p = data;

    ngx_int_t  rc;

    pc->tries = p->tries;
    rc = ngx_canary_try(pc, p);
    p->tries = pc->tries;

    if (ngx_canary_rare(rc == NGX_BUSY)) {
        return ngx_canary_get_busy(pc, p);
    }

    ngx_canary_show_tries(pc, p);

    return rc;
}


/* behind an attempt that failed */

static ngx_int_t
ngx_canary_get_another(ngx_peer_connection_t *pc, void *data)
{
    ngx_canary_passage_t *p = data;

    ngx_int_t   rc;
    ngx_uint_t  more, retry;

    retry = NGX_CANARY_RETRIED;

    /* a stale connection out of the keep-alive cache costs no try */

    if (pc->tries > p->shown) {
        retry = 0;

        if (p->state & NGX_CANARY_JOINT) {
            more = pc->tries - p->shown;
            p->tries += more;
            p->attempts -= ngx_min(more, p->attempts);
        }
    }

    if ((p->state & NGX_CANARY_SPARE) && p->tries == 0
        && ngx_canary_fall_back(pc, p) != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = p->state & NGX_CANARY_JOINT ? ngx_canary_get_joint(pc, p)
                                     : ngx_canary_try(pc, p);

    /* what the baseline tries for the canary is not the canary's */

    if (rc != NGX_BUSY
        && rc != NGX_ERROR
        && !(p->state & NGX_CANARY_SETTLED))
    {
        p->state |= retry;
    }

    return rc;
}


static ngx_inline ngx_int_t
ngx_canary_try(ngx_peer_connection_t *pc, ngx_canary_passage_t *p)
{
    ngx_int_t  rc;

    rc = p->original_get(pc, p->data);

    if (ngx_canary_rare(rc == NGX_BUSY)) {
        p->state |= NGX_CANARY_BUSY;

    } else {
        p->state |= NGX_CANARY_CONNECTED;
        p->state &= ~(NGX_CANARY_ENDED|NGX_CANARY_ANSWER);
    }

    return rc;
}


/*
 * The variant has no live server: the baseline may have one.  nginx only asks
 * while there are tries left.
 */

static ngx_int_t
ngx_canary_get_busy(ngx_peer_connection_t *pc, ngx_canary_passage_t *p)
{
    ngx_int_t  rc;

    rc = NGX_BUSY;

    if (p->state & NGX_CANARY_SPARE) {

        if (ngx_canary_fall_back(pc, p) != NGX_OK) {
            return NGX_ERROR;
        }

        pc->tries = p->tries;
        rc = ngx_canary_try(pc, p);
        p->tries = pc->tries;
    }

    ngx_canary_show_tries(pc, p);

    return rc;
}


static void
ngx_canary_free_peer(ngx_peer_connection_t *pc, void *data, ngx_uint_t state)
{
    ngx_canary_passage_t *p = data;

    if (ngx_canary_rare(state)) {
        ngx_canary_free_failed(pc, p, state);
        return;
    }

    /* nginx does not ask for another one */

    p->original_free(pc, p->data, state);
}


static void
ngx_canary_free_failed(ngx_peer_connection_t *pc, ngx_canary_passage_t *p,
    ngx_uint_t state)
{
    pc->get = ngx_canary_get_another;

    ngx_canary_passage_attempt_failed(p);
    ngx_canary_streams_reset(p->request->upstream);

    if (!(p->state & NGX_CANARY_JOINT)) {
        p->original_free(pc, p->data, state);
        p->shown = pc->tries;
        return;
    }

    p->attempts++;

    pc->tries = p->tries;
    p->original_free(pc, p->data, state);
    p->tries = pc->tries;

    ngx_canary_show_tries(pc, p);
}


static void
ngx_canary_notify_peer(ngx_peer_connection_t *pc, void *data, ngx_uint_t type)
{
    ngx_canary_passage_t *p = data;

    p->original_notify(pc, p->data, type);
}


/* at most n, and what proxy_next_upstream_tries leaves */

static ngx_uint_t
ngx_canary_tries_left(ngx_canary_passage_t *p, ngx_uint_t n)
{
    if (p->limit == 0) {
        return n;
    }

    return p->attempts < p->limit ? ngx_min(n, p->limit - p->attempts) : 0;
}


/* of the balancer that has just begun; the baseline goes on with the rest */

static void
ngx_canary_join_tries(ngx_peer_connection_t *pc, ngx_canary_passage_t *p)
{
    pc->get = ngx_canary_get_joint;
    p->tries = pc->tries;

    ngx_canary_show_tries(pc, p);
}


/* nginx is told of one more try as long as the baseline may take over */

static void
ngx_canary_show_tries(ngx_peer_connection_t *pc, ngx_canary_passage_t *p)
{
    p->shown = ngx_canary_tries_left(p, p->state & NGX_CANARY_SPARE
                                        ? p->tries + 1 : p->tries);
    pc->tries = p->shown;
}


static ngx_int_t
ngx_canary_fall_back(ngx_peer_connection_t *pc, ngx_canary_passage_t *p)
{
    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, pc->log, 0,
                   "canary split \"%V\": falls back to the baseline",
                   &p->conf->name);

    ngx_canary_passage_fall_back(p);
    ngx_canary_take_back(p);

    p->state &= ~NGX_CANARY_SPARE;

    /* round robin takes what is not NULL for its own data */

    pc->data = NULL;
    pc->get = NULL;
    pc->free = NULL;
    pc->notify = NULL;
#if (NGX_HTTP_SSL)
    pc->set_session = NULL;
    pc->save_session = NULL;
#endif

    if (ngx_canary_delegate(p, p->request->upstream, p->conf) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_canary_join_tries(pc, p);

    return NGX_OK;
}


#if (NGX_HTTP_SSL)

static ngx_inline void
ngx_canary_wrap_sessions(ngx_canary_passage_t *p, ngx_peer_connection_t *pc)
{
    p->original_set_session = pc->set_session;
    p->original_save_session = pc->save_session;
    pc->set_session = ngx_canary_set_session;
    pc->save_session = ngx_canary_save_session;
}


static ngx_int_t
ngx_canary_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_canary_passage_t *p = data;

    return p->original_set_session(pc, p->data);
}


static void
ngx_canary_save_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_canary_passage_t *p = data;

    p->original_save_session(pc, p->data);
}

#endif
