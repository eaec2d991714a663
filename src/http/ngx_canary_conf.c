
#include "ngx_canary_passage.h"


static ngx_int_t ngx_canary_conf_events(ngx_conf_t *cf,
    ngx_canary_srv_conf_t *conf);
static ngx_int_t ngx_canary_conf_defaults(ngx_conf_t *cf,
    ngx_canary_srv_conf_t *conf);
static ngx_int_t ngx_canary_conf_targets(ngx_conf_t *cf,
    ngx_canary_srv_conf_t *conf);
static ngx_int_t ngx_canary_conf_forces(ngx_conf_t *cf,
    ngx_canary_srv_conf_t *conf);
static ngx_http_upstream_srv_conf_t *ngx_canary_conf_upstream(ngx_conf_t *cf,
    ngx_str_t *name);
static void ngx_canary_conf_wrap(ngx_canary_srv_conf_t *conf);


static uint64_t  ngx_canary_default_le_us[] = {
    5000, 10000, 25000, 50000, 100000, 200000, 250000, 500000, 750000,
    1000000, 2500000, 5000000, 10000000
};


void *
ngx_canary_create_main_conf(ngx_conf_t *cf)
{
    ngx_canary_main_conf_t  *cmcf;

    cmcf = ngx_pcalloc(cf->pool, sizeof(ngx_canary_main_conf_t));
    if (cmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&cmcf->splits, cf->pool, 2,
                       sizeof(ngx_canary_srv_conf_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&cmcf->controls, cf->pool, 1,
                       sizeof(ngx_http_core_loc_conf_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return cmcf;
}


void *
ngx_canary_create_srv_conf(ngx_conf_t *cf)
{
    ngx_canary_srv_conf_t  *conf;

    /* set by ngx_pcalloc(): arrays are empty, strings have no data */

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_canary_srv_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->bypass = NGX_CONF_UNSET_PTR;
    conf->fallback = NGX_CONF_UNSET;
    conf->latency = NGX_CONF_UNSET_UINT;
    conf->rollback = NGX_CONF_UNSET_UINT;
    conf->pause = NGX_CONF_UNSET_MSEC;

    return conf;
}


ngx_int_t
ngx_canary_postconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t                       i;
    ngx_canary_srv_conf_t           *conf, **split;
    ngx_canary_main_conf_t          *cmcf;
    ngx_http_upstream_srv_conf_t   **uscfp;
    ngx_http_upstream_main_conf_t   *umcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_canary_module);
    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
    uscfp = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (uscfp[i]->srv_conf == NULL) {
            continue;
        }

        conf = ngx_http_conf_upstream_srv_conf(uscfp[i],
                                               ngx_http_canary_module);
        conf->upstream = uscfp[i];
        conf->name = uscfp[i]->host;

        if (!conf->split) {
            continue;
        }

        split = ngx_array_push(&cmcf->splits);
        if (split == NULL) {
            return NGX_ERROR;
        }

        *split = conf;
        conf->number = cmcf->splits.nelts - 1;
        conf->place = ngx_canary_assignment_at(conf->number);
    }

    split = cmcf->splits.elts;
    cmcf->ctx_len = ngx_canary_assignment_at(cmcf->splits.nelts);

    for (i = 0; i < cmcf->splits.nelts; i++) {
        if (ngx_canary_conf_defaults(cf, split[i]) != NGX_OK
            || ngx_canary_conf_state_once(cf, split[i]) != NGX_OK
            || ngx_canary_conf_targets(cf, split[i]) != NGX_OK
            || ngx_canary_conf_forces(cf, split[i]) != NGX_OK
            || ngx_canary_conf_event_rules(cf, split[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* only now: all balancers are in place, so the order never matters */

    for (i = 0; i < cmcf->splits.nelts; i++) {
        split[i]->shm_zone = ngx_canary_zone_add(cf, &split[i]->name);
        if (split[i]->shm_zone == NULL) {
            return NGX_ERROR;
        }

        split[i]->series_zone = ngx_canary_series_add(cf, &split[i]->name);
        if (split[i]->series_zone == NULL) {
            return NGX_ERROR;
        }

        if (cmcf->events.nelts
            && ngx_canary_conf_events(cf, split[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_canary_conf_wrap(split[i]);
    }

    if (cmcf->splits.nelts) {
        cmcf->common = ngx_canary_common_add(cf);
        if (cmcf->common == NULL) {
            return NGX_ERROR;
        }
    }

    if (ngx_canary_event_add_handler(cf) != NGX_OK
        || ngx_canary_latency_add_handler(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_canary_cookie_add_filter();

    ngx_canary_conf_controls(cmcf);

    return ngx_canary_check_variables(cf);
}


/* the names of all locations, which are known by now */

static ngx_int_t
ngx_canary_conf_events(ngx_conf_t *cf, ngx_canary_srv_conf_t *conf)
{
    ngx_canary_main_conf_t   *cmcf;
    ngx_canary_event_plan_t  *plan;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_canary_module);

    plan = ngx_pcalloc(cf->pool, sizeof(ngx_canary_event_plan_t));
    if (plan == NULL) {
        return NGX_ERROR;
    }

    plan->nnames = cmcf->events.nelts;
    conf->events = plan;

    ngx_memcpy(plan->names, cmcf->events.elts,
               plan->nnames * sizeof(ngx_canary_event_name_t));

    return ngx_canary_events_add(cf, &conf->name, plan);
}


static ngx_int_t
ngx_canary_conf_defaults(ngx_conf_t *cf, ngx_canary_srv_conf_t *conf)
{
    ngx_str_t            text;
    ngx_uint_t           status;
    ngx_canary_value_t  *value;

    if (conf->name.len > NGX_CANARY_MAX_NAME) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "the name of the split upstream \"%V\" is longer than "
                      "%d bytes in %s:%ui", &conf->name, NGX_CANARY_MAX_NAME,
                      conf->upstream->file_name, conf->upstream->line);
        return NGX_ERROR;
    }

    ngx_conf_init_ptr_value(conf->bypass, NULL);
    ngx_conf_init_value(conf->fallback, 1);
    ngx_conf_init_uint_value(conf->latency, NGX_CANARY_LATENCY_UPSTREAM);

    ngx_conf_init_uint_value(conf->rollback, NGX_CANARY_ROLLBACK_AUTO);
    ngx_conf_init_msec_value(conf->pause, NGX_CANARY_PAUSE);

    if (conf->false_alarm == 0) {
        conf->false_alarm = NGX_CANARY_FALSE_ALARM;
    }

    if (conf->window_us == 0) {
        conf->window_us = (uint64_t) NGX_CANARY_WINDOW_TIME * 1000000;
    }

    if (conf->keys.nelts == 0) {
        if (ngx_array_init(&conf->keys, cf->pool, 1, sizeof(ngx_canary_value_t))
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        value = ngx_array_push(&conf->keys);
        ngx_str_set(&text, "$remote_addr");

        if (value == NULL
            || ngx_canary_value_compile(cf, &text, value) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (conf->salt.data == NULL) {
        conf->salt = conf->name;
    }

    conf->seed = ngx_canary_split_seed(conf->salt.data, conf->salt.len);

    if (conf->statuses == NULL) {
        conf->statuses = ngx_pcalloc(cf->pool,
                                     NGX_CANARY_STATUSES * sizeof(u_short));
        if (conf->statuses == NULL) {
            return NGX_ERROR;
        }

        for (status = 500; status < 600; status++) {
            conf->statuses[status] = NGX_CANARY_ERROR;
        }
    }

    for (status = 0; status < NGX_CANARY_STATUSES; status++) {
        conf->statuses[status] |= ngx_canary_class_bits(
            (status >= 100 && status < 600) ? status / 100 - 1
                                            : NGX_CANARY_COUNT_NONE);
        conf->statuses[status] |= NGX_CANARY_ANSWERED;
    }

    conf->statuses[NGX_HTTP_SWITCHING_PROTOCOLS] |= NGX_CANARY_TUNNEL;

    if (conf->nle == 0) {
        conf->nle = sizeof(ngx_canary_default_le_us) / sizeof(uint64_t);
        ngx_memcpy(conf->le_us, ngx_canary_default_le_us,
                   sizeof(ngx_canary_default_le_us));
    }

    ngx_canary_conf_limits(conf);

    return NGX_OK;
}


static ngx_int_t
ngx_canary_conf_targets(ngx_conf_t *cf, ngx_canary_srv_conf_t *conf)
{
    ngx_str_t                 *name;
    ngx_uint_t                 i;
    ngx_canary_srv_conf_t     *other;
    ngx_canary_target_conf_t  *target;

    target = conf->targets.elts;

    for (i = 0; i < conf->targets.nelts; i++) {
        name = &target[i].name;

        target[i].upstream = ngx_canary_conf_upstream(cf, name);

        if (target[i].upstream == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "upstream \"%V\" is not defined in %s:%ui",
                          name, target[i].file, target[i].line);
            return NGX_ERROR;
        }

        if (target[i].upstream == conf->upstream) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "canary \"%V\" names its own upstream, it must name "
                          "another one in %s:%ui",
                          name, target[i].file, target[i].line);
            return NGX_ERROR;
        }

        other = ngx_http_conf_upstream_srv_conf(target[i].upstream,
                                                ngx_http_canary_module);

        if (other->split) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "canary \"%V\" is itself split, it must be an "
                          "upstream without canary directives in %s:%ui",
                          name, target[i].file, target[i].line);
            return NGX_ERROR;
        }

        /* one spelling for shared memory, status and logs */

        target[i].name = target[i].upstream->host;

        if (name->len > NGX_CANARY_MAX_NAME) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "the name \"%V\" is longer than %d bytes in %s:%ui",
                          name, NGX_CANARY_MAX_NAME, target[i].file,
                          target[i].line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_canary_conf_forces(ngx_conf_t *cf, ngx_canary_srv_conf_t *conf)
{
    ngx_uint_t                     i, n;
    ngx_canary_force_conf_t       *force;
    ngx_canary_target_conf_t      *target;
    ngx_http_upstream_srv_conf_t  *us;

    force = conf->forces.elts;
    target = conf->targets.elts;

    for (i = 0; i < conf->forces.nelts; i++) {
        force[i].target = -1;

        us = ngx_canary_conf_upstream(cf, &force[i].upstream);

        if (us == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "upstream \"%V\" is not defined in %s:%ui",
                          &force[i].upstream, force[i].file, force[i].line);
            return NGX_ERROR;
        }

        if (us == conf->upstream) {
            continue;
        }

        for (n = 0; n < conf->targets.nelts; n++) {
            if (target[n].upstream == us) {
                force[i].target = n;
            }
        }

        /* without any canary (an empty include) it goes to the baseline */

        if (force[i].target == -1 && conf->targets.nelts) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "upstream \"%V\" in \"canary_force\" must be \"%V\" "
                          "or one of its canaries in %s:%ui",
                          &force[i].upstream, &conf->name, force[i].file,
                          force[i].line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_http_upstream_srv_conf_t *
ngx_canary_conf_upstream(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                       i;
    ngx_http_upstream_srv_conf_t   **uscfp;
    ngx_http_upstream_main_conf_t   *umcf;

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
    uscfp = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {
        if (uscfp[i]->srv_conf
            && uscfp[i]->host.len == name->len
            && ngx_strncasecmp(uscfp[i]->host.data, name->data, name->len) == 0)
        {
            return uscfp[i];
        }
    }

    return NULL;
}


static void
ngx_canary_conf_wrap(ngx_canary_srv_conf_t *conf)
{
    ngx_uint_t                 i;
    ngx_canary_srv_conf_t     *other;
    ngx_canary_target_conf_t  *target;

    conf->original_init = conf->upstream->peer.init;
    conf->upstream->peer.init = ngx_canary_init_peer;

    target = conf->targets.elts;

    for (i = 0; i < conf->targets.nelts; i++) {
        other = ngx_http_conf_upstream_srv_conf(target[i].upstream,
                                                ngx_http_canary_module);

        /* it may be the canary of several splits */

        if (other->original_init == NULL) {
            other->original_init = target[i].upstream->peer.init;
            target[i].upstream->peer.init = ngx_canary_init_direct;
        }
    }
}


ngx_uint_t
ngx_canary_conf_param(ngx_str_t *param, char *name, ngx_str_t *text)
{
    size_t  len;

    len = ngx_strlen(name);

    if (ngx_strncmp(param->data, name, len) != 0) {
        return 0;
    }

    text->data = param->data + len;
    text->len = param->len - len;

    return 1;
}


char *
ngx_canary_conf_duplicate(ngx_conf_t *cf, ngx_str_t *param)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate parameter \"%V\"",
                       param);
    return NGX_CONF_ERROR;
}


char *
ngx_canary_conf_invalid(ngx_conf_t *cf, char *what, ngx_str_t *value,
    char *allowed)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid %s%s\"%V\", it must be %s", what,
                       *what ? " " : "", value, allowed);
    return NGX_CONF_ERROR;
}
