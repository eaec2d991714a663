
#include "ngx_canary_passage.h"
#include "../pure/ngx_canary_number.h"


static ngx_int_t ngx_canary_event_handler(ngx_http_request_t *r);
static ngx_canary_srv_conf_t *ngx_canary_event_served(ngx_http_request_t *r,
    ngx_uint_t *slot);
static ngx_canary_srv_conf_t *ngx_canary_event_cached(ngx_http_request_t *r,
    ngx_uint_t *slot);
static ngx_uint_t ngx_canary_event_is_sample(ngx_canary_why_e why);
static void ngx_canary_event_record(ngx_http_request_t *r,
    ngx_canary_event_conf_t *event, ngx_canary_event_place_t *place);
static void ngx_canary_event_view(ngx_canary_srv_conf_t *conf)
    __attribute__((cold, noinline));


/* only where some "canary_event" stands: else requests pay nothing */

ngx_int_t
ngx_canary_event_add_handler(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_canary_main_conf_t     *cmcf;
    ngx_http_core_main_conf_t  *core;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_canary_module);

    if (cmcf->events.nelts == 0 || cmcf->splits.nelts == 0) {
        return NGX_OK;
    }

    core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&core->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_canary_event_handler;

    return NGX_OK;
}


/* each request once, where its answer came from, by its last location */

static ngx_int_t
ngx_canary_event_handler(ngx_http_request_t *r)
{
    ngx_int_t                 slot;
    ngx_uint_t                i, variant;
    ngx_canary_srv_conf_t    *conf;
    ngx_canary_loc_conf_t    *clcf;
    ngx_canary_event_conf_t  *events;
    ngx_canary_event_place_t  place;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_canary_module);

    if (clcf->events == NULL || r != r->main) {
        return NGX_OK;
    }

    conf = ngx_canary_event_served(r, &variant);

    if (conf == NULL) {
        return NGX_OK;
    }

    if (ngx_canary_load(&conf->events->events->naming) != conf->naming) {
        ngx_canary_event_view(conf);
    }

    place.zone = conf->zone;
    place.plan = conf->events;
    place.slot = variant;
    place.base = ngx_canary_base_at(ngx_canary_load(&place.zone->published));

    events = clcf->events->elts;

    for (i = 0; i < clcf->events->nelts; i++) {
        slot = conf->event_slots[events[i].index];

        if (slot != NGX_ERROR) {
            place.index = events[i].index;
            place.event = slot;
            ngx_canary_event_record(r, &events[i], &place);
        }
    }

    return NGX_OK;
}


/* the split that the request was passed to last, and who answered there */

static ngx_canary_srv_conf_t *
ngx_canary_event_served(ngx_http_request_t *r, ngx_uint_t *slot)
{
    ngx_canary_passage_t  *p;

    p = ngx_canary_passage(r);

    if (p == NULL) {
        return ngx_canary_event_cached(r, slot);
    }

    if (!ngx_canary_event_is_sample(p->assignment->why)) {
        return NULL;
    }

    if (p->state & NGX_CANARY_FALLBACK) {
        *slot = NGX_CANARY_BASELINE;
        return p->conf;
    }

    *slot = p->assignment->slot;

    return ngx_canary_is_lost(p->conf, p->assignment) ? NULL : p->conf;
}


/*
 * An answer out of nginx's cache was passed to nobody.  It is that of the
 * assigned variant if the assignment was asked for, as in proxy_cache_key.
 */

static ngx_canary_srv_conf_t *
ngx_canary_event_cached(ngx_http_request_t *r, ngx_uint_t *slot)
{
#if (NGX_HTTP_CACHE)
    ngx_canary_ctx_t         *ctx;
    ngx_canary_srv_conf_t    *conf;
    ngx_canary_assignment_t  *a;

    ctx = ngx_http_get_module_ctx(r, ngx_http_canary_module);

    if (!r->cached || ctx == NULL || r->upstream == NULL
        || r->upstream->conf->upstream == NULL
        || r->upstream->conf->upstream->srv_conf == NULL)
    {
        return NULL;
    }

    conf = ngx_http_conf_upstream_srv_conf(r->upstream->conf->upstream,
                                           ngx_http_canary_module);
    if (!conf->split) {
        return NULL;
    }

    a = ngx_canary_assignment(ctx, conf);

    if (!ngx_canary_event_is_sample(a->why)) {
        return NULL;
    }

    *slot = a->slot;

    return ngx_canary_is_lost(conf, a) ? NULL : conf;
#else
    return NULL;
#endif
}


/* as requests are counted: what was forced or had no key is no sample */

static ngx_uint_t
ngx_canary_event_is_sample(ngx_canary_why_e why)
{
    return why == NGX_CANARY_SPLIT || why == NGX_CANARY_OFF
           || why == NGX_CANARY_ROLLED_BACK;
}


static void
ngx_canary_event_record(ngx_http_request_t *r, ngx_canary_event_conf_t *event,
    ngx_canary_event_place_t *place)
{
    uint64_t   milli;
    ngx_str_t  value;

    if (event->condition) {
        if (ngx_canary_value(r, event->condition, &value) != NGX_OK
            || value.len == 0
            || (value.len == 1 && value.data[0] == '0'))
        {
            return;
        }
    }

    ngx_canary_event_count(place);

    if (event->unique
        && ngx_canary_value(r, event->unique, &value) == NGX_OK
        && value.len)
    {
        ngx_canary_event_user(place, &value);
    }

    if (event->value
        && ngx_canary_value(r, event->value, &value) == NGX_OK
        && ngx_canary_number_parse(value.data, value.len, &milli) == 0)
    {
        ngx_canary_event_value(place, milli);
    }
}


/*
 * A name that a newer configuration has replaced is counted no more by the
 * workers of an older one.
 */

static void
ngx_canary_event_view(ngx_canary_srv_conf_t *conf)
{
    ngx_uint_t                i;
    ngx_canary_event_plan_t  *plan;

    plan = conf->events;

    conf->naming = ngx_canary_load(&plan->events->naming);

    for (i = 0; i < plan->nnames; i++) {
        conf->event_slots[i] = ngx_canary_events_find(plan->events,
                                                      &plan->names[i].name);
    }
}
