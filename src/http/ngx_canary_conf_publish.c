
#include "ngx_canary_http.h"
#include "../zone/ngx_canary_writer.h"


#define NGX_CANARY_PUBLISH_DRAIN_MS  5000


static void ngx_canary_publish_split(ngx_canary_srv_conf_t *conf,
    uint64_t generation, ngx_cycle_t *cycle);


/*
 * Runs in the master after it has accepted all of the configuration and
 * opened its sockets, before a new worker starts.
 */

ngx_int_t
ngx_canary_init_module(ngx_cycle_t *cycle)
{
    uint64_t                  generation, started;
    ngx_uint_t                i;
    ngx_canary_common_t      *common;
    ngx_canary_srv_conf_t   **split;
    ngx_canary_main_conf_t   *cmcf;

    if (ngx_test_config || ngx_process == NGX_PROCESS_SIGNALLER) {
        return NGX_OK;
    }

    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_canary_module);

    if (cmcf == NULL || cmcf->splits.nelts == 0) {
        return NGX_OK;
    }

    /* a process without a master has threads by now, for what may go */

    ngx_canary_writer_drain(NGX_CANARY_PUBLISH_DRAIN_MS, cycle->log);
    ngx_canary_keep_place();

    common = cmcf->common->data;
    generation = common->generation;
    split = cmcf->splits.elts;

    /* the number goes on from that of the state files */

    for (i = 0; i < cmcf->splits.nelts; i++) {
        split[i]->zone = split[i]->shm_zone->data;

        if (split[i]->events) {
            ngx_canary_events_accept(split[i]->events);
        }

        started = ngx_canary_state_start(split[i], cycle);
        generation = ngx_max(generation, started);
    }

    generation++;

    for (i = 0; i < cmcf->splits.nelts; i++) {
        ngx_canary_publish_split(split[i], generation, cycle);
    }

    /* after a start: ticks go on with it */

    for (i = 0; i < cmcf->splits.nelts; i++) {
        if (ngx_canary_series_due(split[i]->series_zone->data)) {
            ngx_canary_history_add_now(split[i], cycle->log);
        }
    }

    cmcf->generation = generation;
    common->loaded_ms = ngx_canary_now_ms();
    ngx_canary_store(&common->generation, generation);

    return NGX_OK;
}


static void
ngx_canary_publish_split(ngx_canary_srv_conf_t *conf, uint64_t generation,
    ngx_cycle_t *cycle)
{
    ngx_uint_t                 i;
    ngx_canary_plan_t          plan;
    ngx_canary_target_t        targets[NGX_CANARY_MAX_CANARIES];
    ngx_canary_target_conf_t  *target;

    if (conf->events) {
        ngx_canary_events_name(conf->events, conf->zone, generation);
    }

    plan.split = conf->name;
    plan.stage = conf->stage;
    plan.ntargets = conf->targets.nelts;
    plan.targets = targets;
    plan.events = conf->events;

    target = conf->targets.elts;

    for (i = 0; i < conf->targets.nelts; i++) {
        targets[i].name = target[i].name;
        targets[i].share_ppm = target[i].share_ppm;
        targets[i].off = target[i].off;
    }

    ngx_canary_publish(conf->zone, &plan, generation, cycle->log);
}


void
ngx_canary_history_add_now(ngx_canary_srv_conf_t *conf, ngx_log_t *log)
{
    ngx_pool_t                *pool;
    ngx_canary_split_t        *split;
    ngx_canary_series_zone_t  *history;

    history = conf->series_zone->data;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, log);
    if (pool == NULL) {
        return;
    }

    split = ngx_pcalloc(pool, sizeof(ngx_canary_split_t));

    if (split) {
        split->want = NGX_CANARY_WANT_TOTALS;
        split->window_us = conf->window_us;

        ngx_canary_history_rules(conf->rules.elts, conf->rules.nelts,
                                 split->limits_us);

        if (ngx_canary_picture(conf->zone, NULL, split, pool) == NGX_OK) {
            ngx_canary_series_tick(history, conf->zone, split);
        }
    }

    ngx_destroy_pool(pool);
}
