
#include "ngx_canary_http.h"
#include "../pure/ngx_canary_history.h"


ngx_int_t
ngx_canary_split_picture(ngx_canary_srv_conf_t *conf,
    ngx_canary_split_t *split, ngx_pool_t *pool)
{
    split->name.len = conf->name.len;
    split->name.data = conf->name.data;
    split->nle = conf->nle;
    split->window_us = conf->window_us;
    split->false_alarm_s = (double) conf->false_alarm;
    split->pause_s = (double) conf->pause / 1000;
    split->fleet = (unsigned) conf->fleet;
    split->nrules = conf->rules.nelts;
    split->rules = conf->rules.elts;

    ngx_memcpy(split->le_us, conf->le_us, conf->nle * sizeof(uint64_t));

    ngx_canary_history_rules(split->rules, split->nrules, split->limits_us);

    if (ngx_canary_state_picture(conf, split, pool) != NGX_OK
        || ngx_canary_picture(conf->zone, conf->events, split, pool) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (split->want & (NGX_CANARY_WANT_HISTORY|NGX_CANARY_WANT_HOUR)) {
        return ngx_canary_series_picture(conf->series_zone->data, split, pool);
    }

    return NGX_OK;
}
