
#include "ngx_canary_http.h"
#include "../pure/ngx_canary_gate.h"
#include "../zone/ngx_canary_writer.h"


static void ngx_canary_timer_handler(ngx_event_t *ev);
static ngx_msec_t ngx_canary_timer_wait(ngx_canary_main_conf_t *cmcf);
static void ngx_canary_tick(ngx_canary_srv_conf_t *conf, ngx_log_t *log);
static ngx_int_t ngx_canary_tick_picture(ngx_canary_srv_conf_t *conf,
    ngx_pool_t *pool, ngx_log_t *log);
static void ngx_canary_tick_failed(ngx_canary_srv_conf_t *conf,
    ngx_canary_split_t *split, ngx_canary_gate_t *gate, uint64_t armed,
    ngx_log_t *log);


static ngx_event_t       ngx_canary_timer;
static ngx_connection_t  ngx_canary_timer_connection;


/*
 * Each worker has a timer, and the first that finds a tick due does it, so
 * that no worker is missed when it dies.  A timer that can be cancelled does
 * not keep a worker from leaving.
 */

ngx_int_t
ngx_canary_init_process(ngx_cycle_t *cycle)
{
    ngx_canary_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_canary_module);

    if (cmcf == NULL || cmcf->splits.nelts == 0
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    ngx_canary_writer_start(cycle);
    ngx_canary_state_each(cycle, ngx_canary_keep_check);

    ngx_canary_timer_connection.fd = (ngx_socket_t) -1;

    ngx_canary_timer.handler = ngx_canary_timer_handler;
    ngx_canary_timer.data = &ngx_canary_timer_connection;
    ngx_canary_timer.log = cycle->log;
    ngx_canary_timer.cancelable = 1;

    ngx_add_timer(&ngx_canary_timer, ngx_canary_timer_wait(cmcf));

    return NGX_OK;
}


static void
ngx_canary_timer_handler(ngx_event_t *ev)
{
    ngx_uint_t                i;
    ngx_canary_common_t      *common;
    ngx_canary_srv_conf_t   **split;
    ngx_canary_main_conf_t   *cmcf;

    if (ngx_quit || ngx_terminate || ngx_exiting) {
        return;
    }

    ngx_canary_writer_reap(ev->log);

    cmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_canary_module);
    if (cmcf == NULL) {
        return;
    }

    common = cmcf->common->data;

    /* a worker of an older configuration does not know the gates of today */

    if (ngx_canary_load(&common->generation) != cmcf->generation) {
        ngx_add_timer(ev, NGX_CANARY_TICK_US / 1000);
        return;
    }

    split = cmcf->splits.elts;

    for (i = 0; i < cmcf->splits.nelts; i++) {
        ngx_canary_tick(split[i], ev->log);
    }

    ngx_canary_state_each((ngx_cycle_t *) ngx_cycle, ngx_canary_keep_tick);

    ngx_add_timer(ev, ngx_canary_timer_wait(cmcf));
}


/*
 * Until the next tick is due, which a worker that died or left may have been
 * about to do: a whole second from now on would leave a gap.
 */

static ngx_msec_t
ngx_canary_timer_wait(ngx_canary_main_conf_t *cmcf)
{
    uint64_t                 now_us, due_us, wait_us;
    ngx_uint_t               i;
    ngx_canary_zone_t       *zone;
    ngx_canary_srv_conf_t  **split;

    now_us = ngx_canary_now_us();
    wait_us = NGX_CANARY_TICK_US;
    split = cmcf->splits.elts;

    for (i = 0; i < cmcf->splits.nelts; i++) {
        zone = split[i]->zone;
        due_us = ngx_canary_load(&zone->tick_due_us);

        due_us = ngx_max(due_us, now_us);
        wait_us = ngx_min(wait_us, due_us - now_us);
    }

    return (ngx_msec_t) (wait_us / 1000 + 1);
}


static void
ngx_canary_tick(ngx_canary_srv_conf_t *conf, ngx_log_t *log)
{
    ngx_pool_t         *pool;
    ngx_canary_zone_t  *zone;

    zone = conf->zone;

    if (!ngx_canary_tick_claim(zone, ngx_canary_now_us())) {
        return;
    }

    ngx_canary_step_add(zone, conf->events, conf->window_us, 0);
    ngx_canary_stage_renew(zone, conf->events);

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, log);
    if (pool == NULL) {
        return;
    }

    if (ngx_canary_tick_picture(conf, pool, log) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "no memory to judge the gates of split \"%V\" and to "
                      "add to its history", &conf->name);
    }

    ngx_destroy_pool(pool);
}


static ngx_int_t
ngx_canary_tick_picture(ngx_canary_srv_conf_t *conf, ngx_pool_t *pool,
    ngx_log_t *log)
{
    uint64_t             armed;
    ngx_uint_t           i;
    ngx_canary_split_t  *split;

    armed = ngx_canary_load(&conf->zone->armed);

    split = ngx_pcalloc(pool, sizeof(ngx_canary_split_t));
    if (split == NULL) {
        return NGX_ERROR;
    }

    split->want = NGX_CANARY_WANT_TOTALS;

    if (ngx_canary_split_picture(conf, split, pool) != NGX_OK) {
        return NGX_ERROR;
    }

    if (split->nrules) {
        ngx_canary_judge_tick(conf->zone, split);
        ngx_canary_gates_judge(split);
    }

    ngx_canary_series_tick(conf->series_zone->data, conf->zone, split);

    for (i = 0; i < split->ngates; i++) {
        if (split->gates[i].status == NGX_CANARY_GATE_FAIL) {
            ngx_canary_tick_failed(conf, split, &split->gates[i], armed, log);
        }
    }

    return NGX_OK;
}


static void
ngx_canary_tick_failed(ngx_canary_srv_conf_t *conf, ngx_canary_split_t *split,
    ngx_canary_gate_t *gate, uint64_t armed, ngx_log_t *log)
{
    u_char              buf[NGX_CANARY_MAX_TEXT], *p;
    ngx_str_t           text;
    ngx_canary_zone_t  *zone;

    if (split->state != NGX_CANARY_STATE_ACTIVE) {
        return;
    }

    zone = conf->zone;

    p = ngx_snprintf(buf, sizeof(buf), "%*s: %*s",
                     gate->variant.len, gate->variant.data,
                     gate->reason.len, gate->reason.data);
    text.data = buf;
    text.len = p - buf;

    if (conf->rollback == NGX_CANARY_ROLLBACK_MANUAL) {

        if (!gate->failed_before) {
            ngx_canary_journal_add(zone, NGX_CANARY_KIND_GATE, &text);

            ngx_log_error(NGX_LOG_WARN, log, 0,
                          "split \"%V\" has a gate that fails, and is not "
                          "rolled back by itself: %V", &conf->name, &text);
        }

        return;
    }

    if (ngx_canary_latch_judged(zone, &text, armed)) {
        ngx_canary_journal_add(zone, NGX_CANARY_KIND_ROLLBACK, &text);

        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "split \"%V\" was rolled back by a gate: %V",
                      &conf->name, &text);

        if (conf->keep) {
            (void) ngx_canary_keep_now(zone, conf->keep, NULL, log);
        }
    }
}
