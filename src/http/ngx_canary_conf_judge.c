
#include "ngx_canary_http.h"


static char *ngx_canary_conf_rollback_param(ngx_conf_t *cf,
    ngx_str_t *param, ngx_canary_srv_conf_t *conf);


/* canary_rollback auto | manual [false_alarm=TIME] [pause=TIME] [fleet=N]; */

char *
ngx_canary_conf_rollback(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    cscf->split = 1;

    if (cscf->rollback != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "auto") == 0) {
        cscf->rollback = NGX_CANARY_ROLLBACK_AUTO;

    } else if (ngx_strcmp(value[1].data, "manual") == 0) {
        cscf->rollback = NGX_CANARY_ROLLBACK_MANUAL;

    } else {
        return ngx_canary_conf_invalid(cf, "value", &value[1],
                                       "\"auto\" or \"manual\"");
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_canary_conf_rollback_param(cf, &value[i], cscf)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_canary_conf_rollback_param(ngx_conf_t *cf, ngx_str_t *param,
    ngx_canary_srv_conf_t *conf)
{
    time_t      seconds;
    ngx_int_t   n;
    ngx_str_t   text;

    if (ngx_canary_conf_param(param, "false_alarm=", &text)) {

        if (conf->false_alarm) {
            return ngx_canary_conf_duplicate(cf, param);
        }

        seconds = ngx_parse_time(&text, 1);

        if (seconds == (time_t) NGX_ERROR
            || seconds < NGX_CANARY_MIN_FALSE_ALARM
            || seconds > NGX_CANARY_MAX_FALSE_ALARM)
        {
            return ngx_canary_conf_invalid(cf, "", param,
                                           "a time from 1m to 100y, such as "
                                           "90d");
        }

        conf->false_alarm = seconds;
        return NGX_CONF_OK;
    }

    if (ngx_canary_conf_param(param, "pause=", &text)) {

        if (conf->pause != NGX_CONF_UNSET_MSEC) {
            return ngx_canary_conf_duplicate(cf, param);
        }

        n = ngx_parse_time(&text, 0);

        if (n == NGX_ERROR || n > NGX_CANARY_MAX_PAUSE) {
            return ngx_canary_conf_invalid(cf, "", param,
                                           "a time from 0 to 10s, such as "
                                           "300ms");
        }

        conf->pause = n;
        return NGX_CONF_OK;
    }

    if (ngx_canary_conf_param(param, "fleet=", &text)) {

        if (conf->fleet) {
            return ngx_canary_conf_duplicate(cf, param);
        }

        n = ngx_atoi(text.data, text.len);

        if (n == NGX_ERROR || n == 0 || n > NGX_CANARY_MAX_FLEET) {
            return ngx_canary_conf_invalid(cf, "", param,
                                           "a number of machines from 1 to "
                                           "10000");
        }

        conf->fleet = n;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\", allowed here are "
                       "\"false_alarm=\", \"pause=\" and \"fleet=\"", param);
    return NGX_CONF_ERROR;
}


/* canary_window TIME; */

char *
ngx_canary_conf_window(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    time_t      seconds;
    ngx_str_t  *value;

    cscf->split = 1;

    if (cscf->window_us) {
        return "is duplicate";
    }

    value = cf->args->elts;
    seconds = ngx_parse_time(&value[1], 1);

    if (seconds == (time_t) NGX_ERROR || seconds < NGX_CANARY_MIN_WINDOW
        || seconds > NGX_CANARY_MAX_WINDOW)
    {
        return ngx_canary_conf_invalid(cf, "window", &value[1],
                                       "a time from 10s to 24h");
    }

    cscf->window_us = (uint64_t) seconds * 1000000;

    return NGX_CONF_OK;
}
