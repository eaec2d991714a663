
#include "ngx_canary_passage.h"


static ngx_canary_srv_conf_t *ngx_canary_assigned(ngx_http_request_t *r,
    ngx_canary_ctx_t *ctx, ngx_http_upstream_srv_conf_t *us);
static ngx_uint_t ngx_canary_assigned_to(ngx_canary_ctx_t *ctx,
    ngx_canary_srv_conf_t *conf, ngx_http_upstream_srv_conf_t *us);


ngx_int_t
ngx_canary_init_peer(ngx_http_request_t *r, ngx_http_upstream_srv_conf_t *us)
{
    ngx_canary_srv_conf_t  *conf;

    conf = ngx_http_conf_upstream_srv_conf(us, ngx_http_canary_module);

    return ngx_canary_pass_on(r, conf);
}


ngx_int_t
ngx_canary_init_direct(ngx_http_request_t *r, ngx_http_upstream_srv_conf_t *us)
{
    ngx_canary_ctx_t       *ctx;
    ngx_canary_srv_conf_t  *direct, *conf;

    /*
     * The name came out of variables, and an assignment of this request says
     * the same: proxy_pass http://$canary_variant_NAME.
     */

    if (r->upstream->resolved) {
        ctx = ngx_http_get_module_ctx(r, ngx_http_canary_module);
        conf = ctx ? ngx_canary_assigned(r, ctx, us) : NULL;

        if (conf) {
            return ngx_canary_pass_on(r, conf);
        }
    }

    direct = ngx_http_conf_upstream_srv_conf(us, ngx_http_canary_module);

    return direct->original_init(r, us);
}


void
ngx_canary_named(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf)
{
    ngx_canary_ctx_t     *ctx;
    ngx_http_upstream_t  *u;

    u = r->upstream;

    /*
     * The handler of "proxy_pass" creates r->upstream, reads the name, and sets
     * create_request.  Headers and the cache key, which come between that and
     * the choice of a server, name nothing.
     */

    if (u && u->create_request && u->peer.get == NULL) {
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_canary_module);
    ctx->named = conf;
}


/*
 * The split by which r goes to "us": that whose variable was read for the name,
 * else any, as "map" may hold a value that it read before.
 */

static ngx_canary_srv_conf_t *
ngx_canary_assigned(ngx_http_request_t *r, ngx_canary_ctx_t *ctx,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_uint_t                i;
    ngx_canary_srv_conf_t   **split;
    ngx_canary_main_conf_t   *cmcf;

    if (ctx->named && ngx_canary_assigned_to(ctx, ctx->named, us)) {
        return ctx->named;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_canary_module);
    split = cmcf->splits.elts;

    for (i = 0; i < cmcf->splits.nelts; i++) {
        if (ngx_canary_assigned_to(ctx, split[i], us)) {
            return split[i];
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_canary_assigned_to(ngx_canary_ctx_t *ctx, ngx_canary_srv_conf_t *conf,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_canary_assignment_t   *a;
    ngx_canary_target_conf_t  *targets;

    a = ngx_canary_assignment(ctx, conf);
    targets = conf->targets.elts;

    return a->why != NGX_CANARY_UNASSIGNED
           && a->target >= 0
           && targets[a->target].upstream == us;
}
