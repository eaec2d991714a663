
#include "ngx_canary_passage.h"
#include "../pure/ngx_canary_hash.h"


static ngx_inline ngx_canary_ctx_t *ngx_canary_ctx_create(
    ngx_http_request_t *r);
static ngx_inline ngx_int_t ngx_canary_assign_new(ngx_http_request_t *r,
    ngx_canary_srv_conf_t *conf, ngx_canary_assignment_t *a);
static ngx_int_t ngx_canary_assign_apart(ngx_http_request_t *r,
    ngx_canary_srv_conf_t *conf, ngx_canary_assignment_t *a)
    __attribute__((noinline));
static ngx_inline void ngx_canary_assign_split(ngx_http_request_t *r,
    ngx_canary_srv_conf_t *conf, ngx_canary_assignment_t *a);
static ngx_int_t ngx_canary_assign_force(ngx_http_request_t *r,
    ngx_canary_srv_conf_t *conf, ngx_canary_assignment_t *a)
    __attribute__((noinline));
static ngx_str_t *ngx_canary_view_stage(ngx_canary_srv_conf_t *conf,
    ngx_canary_record_t *record);
static ngx_inline ngx_int_t ngx_canary_assign_key(ngx_http_request_t *r,
    ngx_canary_srv_conf_t *conf, ngx_str_t *key);
static ngx_int_t ngx_canary_assign_key_next(ngx_http_request_t *r,
    ngx_canary_srv_conf_t *conf, ngx_str_t *key) __attribute__((noinline));


ngx_canary_ctx_t *
ngx_canary_assign(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf)
{
    ngx_canary_ctx_t         *ctx;
    ngx_canary_assignment_t  *a;

    ctx = ngx_http_get_module_ctx(r, ngx_http_canary_module);

    if (ctx == NULL) {
        ctx = ngx_canary_ctx_create(r);
        if (ctx == NULL) {
            return NULL;
        }
    }

    ctx->last = conf;

    a = ngx_canary_assignment(ctx, conf);

    if (a->why == NGX_CANARY_UNASSIGNED
        && ngx_canary_assign_new(r, conf, a) != NGX_OK)
    {
        return NULL;
    }

    return ctx;
}


/* one allocation with the passage that most requests will make */

static ngx_inline ngx_canary_ctx_t *
ngx_canary_ctx_create(ngx_http_request_t *r)
{
    ngx_canary_ctx_t         *ctx;
    ngx_canary_main_conf_t   *cmcf;
    ngx_canary_assignment_t  *a;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_canary_module);

    ctx = ngx_palloc(r->pool, cmcf->ctx_len + sizeof(ngx_canary_passage_t));
    if (ctx == NULL) {
        return NULL;
    }

    ctx->last = NULL;
    ctx->named = NULL;
    ctx->passage = (ngx_canary_passage_t *) ((u_char *) ctx + cmcf->ctx_len);
    ctx->passage->request = NULL;

    /* there is one at least */

    a = (ngx_canary_assignment_t *) ctx->passage;

    do {
        (--a)->why = NGX_CANARY_UNASSIGNED;
    } while (a > ctx->assignments);

    ngx_http_set_ctx(r, ctx, ngx_http_canary_module);

    return ctx;
}


/* decides; NGX_ERROR if memory is short */

static ngx_inline ngx_int_t
ngx_canary_assign_new(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf,
    ngx_canary_assignment_t *a)
{
    ngx_int_t           rc;
    ngx_canary_view_t  *view;
    ngx_canary_zone_t  *zone;

    zone = conf->zone;
    view = ngx_canary_view(conf);

    a->target = -1;
    a->slot = NGX_CANARY_BASELINE;
    a->cell = &conf->shard->variants[NGX_CANARY_BASELINE];
    a->generation = view->generation;
    a->stage = view->stage;

    if (ngx_canary_rare(!view->plain || ngx_canary_load(&zone->latch))) {
        rc = ngx_canary_assign_apart(r, conf, a);

        if (rc != NGX_OK || a->why != NGX_CANARY_UNASSIGNED) {
            return rc;
        }

    } else if (ngx_canary_assign_key(r, conf, &a->key) != NGX_OK) {
        return NGX_ERROR;
    }

    if (a->key.len == 0) {
        a->why = NGX_CANARY_UNKEYED;
        return NGX_OK;
    }

    ngx_canary_assign_split(r, conf, a);

    return NGX_OK;
}


/* what may decide before the key does, if it is there, and the key */

static ngx_int_t
ngx_canary_assign_apart(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf,
    ngx_canary_assignment_t *a)
{
    ngx_int_t           rc;
    ngx_canary_zone_t  *zone;

    rc = ngx_http_test_predicates(r, conf->bypass);

    if (rc == NGX_DECLINED) {
        a->why = NGX_CANARY_BYPASSED;
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    a->key.len = 0;

    if (conf->cookie.name.len && ngx_canary_cookie(r, conf, &a->key) != NGX_OK)
    {
        return NGX_ERROR;
    }

    zone = conf->zone;

    if (ngx_canary_load(&zone->latch)) {
        a->why = NGX_CANARY_ROLLED_BACK;
        return NGX_OK;
    }

    if (conf->view.off) {
        a->why = NGX_CANARY_OFF;
        return NGX_OK;
    }

    if (conf->forces.nelts && ngx_canary_assign_force(r, conf, a) != NGX_OK) {
        return NGX_ERROR;
    }

    if (a->why != NGX_CANARY_UNASSIGNED || a->key.len) {
        return NGX_OK;
    }

    return ngx_canary_assign_key(r, conf, &a->key);
}


static ngx_inline void
ngx_canary_assign_split(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf,
    ngx_canary_assignment_t *a)
{
    uint32_t            point;
    ngx_uint_t          n;
    ngx_canary_view_t  *view;

    view = &conf->view;

    point = ngx_canary_split_point(ngx_canary_hash(conf->seed, a->key.data,
                                                   a->key.len));

    a->why = NGX_CANARY_SPLIT;

    /* most often it is the baseline's */

    if (point - view->rest_from >= view->rest) {
        n = ngx_canary_split_variant(point, view->shares_ppm, view->ncanaries);

        if (n != NGX_CANARY_BASELINE && view->targets[n - 1] != NGX_ERROR) {
            a->target = view->targets[n - 1];
            a->slot = view->slots[n - 1];
            a->cell = &conf->shard->variants[a->slot];
        }
    }

    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "canary split \"%V\": point %uD, slot %uD, generation %uL",
                   &conf->name, point, a->slot, a->generation);
}


ngx_uint_t
ngx_canary_assign_is_lost(ngx_canary_srv_conf_t *conf,
    ngx_canary_assignment_t *a)
{
    ngx_canary_slot_t         *slot;
    ngx_canary_target_conf_t  *target;

    if (a->slot == NGX_CANARY_BASELINE) {
        return 0;
    }

    slot = &conf->zone->slots[a->slot];
    target = (ngx_canary_target_conf_t *) conf->targets.elts + a->target;

    return target->name.len != slot->len
           || ngx_memcmp(target->name.data, slot->name, slot->len) != 0;
}


/*
 * A worker of an older configuration reads the newest record too.  It knows
 * a variant by its name; one that it lacks is the baseline to it.
 */

void
ngx_canary_view_read(ngx_canary_srv_conf_t *conf)
{
    ngx_uint_t                 i, n;
    ngx_canary_slot_t         *slot;
    ngx_canary_view_t         *view;
    ngx_canary_zone_t         *zone;
    ngx_canary_share_t        *share;
    ngx_canary_record_t        record;
    ngx_canary_target_conf_t  *targets;

    zone = conf->zone;
    conf->shard = ngx_canary_shard(zone);

    view = &conf->view;
    targets = conf->targets.elts;

    view->word = ngx_canary_published(zone, &record);
    view->generation = record.generation;
    view->ncanaries = record.ncanaries;
    view->off = 1;

    for (i = 0; i < record.ncanaries; i++) {
        share = &record.canaries[i];
        slot = &zone->slots[share->slot];

        view->shares_ppm[i] = share->share_ppm;
        view->slots[i] = share->slot;
        view->canary_off[i] = share->off;
        view->targets[i] = NGX_ERROR;

        if (!share->off) {
            view->off = 0;
        }

        for (n = 0; n < conf->targets.nelts; n++) {
            if (targets[n].name.len == slot->len
                && ngx_memcmp(targets[n].name.data, slot->name, slot->len) == 0)
            {
                view->targets[i] = n;
            }
        }
    }

    view->rest = ngx_canary_split_rest(view->shares_ppm, view->ncanaries,
                                       &view->rest_from);

    view->plain = !view->off && conf->forces.nelts == 0
                  && conf->cookie.name.len == 0
                  && conf->bypass == NULL;

    view->stage = ngx_canary_view_stage(conf, &record);
}


/*
 * Requests that are under way hold the stage that they were decided in, so a
 * new name gets memory of its own.  Only a worker that drains reads a second.
 */

static ngx_str_t *
ngx_canary_view_stage(ngx_canary_srv_conf_t *conf, ngx_canary_record_t *record)
{
    ngx_str_t  *stage;

    static ngx_str_t  none = ngx_null_string;

    stage = conf->view.stage;

    if (stage && stage->len == record->stage_len
        && ngx_memcmp(stage->data, record->stage, stage->len) == 0)
    {
        return stage;
    }

    stage = ngx_palloc(ngx_cycle->pool,
                       sizeof(ngx_str_t) + record->stage_len);
    if (stage == NULL) {
        return &none;
    }

    stage->len = record->stage_len;
    stage->data = (u_char *) (stage + 1);
    ngx_memcpy(stage->data, record->stage, stage->len);

    return stage;
}


static ngx_int_t
ngx_canary_assign_force(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf,
    ngx_canary_assignment_t *a)
{
    ngx_str_t                 value;
    ngx_uint_t                i, n;
    ngx_canary_view_t        *view;
    ngx_canary_force_conf_t  *force;

    view = &conf->view;
    force = conf->forces.elts;

    for (i = 0; i < conf->forces.nelts; i++) {

        if (ngx_canary_value(r, &force[i].value, &value) != NGX_OK) {
            return NGX_ERROR;
        }

#if (NGX_PCRE)
        if (force[i].regex) {
            if (ngx_regex_exec(force[i].regex, &value, NULL, 0) < 0) {
                continue;
            }

        } else
#endif
        if (value.data == NULL
            || value.len != force[i].pattern.len
            || ngx_memcmp(value.data, force[i].pattern.data, value.len) != 0)
        {
            continue;
        }

        a->why = NGX_CANARY_FORCED;

        for (n = 0; force[i].target >= 0 && n < view->ncanaries; n++) {
            if (view->targets[n] == force[i].target && !view->canary_off[n]) {
                a->target = force[i].target;
                a->slot = view->slots[n];
                a->cell = &conf->shard->variants[a->slot];
            }
        }

        break;
    }

    return NGX_OK;
}


/* there is one key at least, and most often it decides */

static ngx_inline ngx_int_t
ngx_canary_assign_key(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf,
    ngx_str_t *key)
{
    if (ngx_canary_value(r, conf->keys.elts, key) != NGX_OK) {
        return NGX_ERROR;
    }

    if (key->len || conf->keys.nelts == 1) {
        return NGX_OK;
    }

    return ngx_canary_assign_key_next(r, conf, key);
}


static ngx_int_t
ngx_canary_assign_key_next(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf,
    ngx_str_t *key)
{
    ngx_uint_t           i;
    ngx_canary_value_t  *value;

    value = conf->keys.elts;

    for (i = 1; i < conf->keys.nelts; i++) {

        if (ngx_canary_value(r, &value[i], key) != NGX_OK) {
            return NGX_ERROR;
        }

        if (key->len) {
            break;
        }
    }

    return NGX_OK;
}
