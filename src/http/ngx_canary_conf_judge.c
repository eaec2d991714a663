
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
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it must be \"auto\" or "
                           "\"manual\"", &value[1]);
        return NGX_CONF_ERROR;
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
    char       *allowed;
    time_t      seconds;
    ngx_int_t   n;
    ngx_str_t   text;

    if (ngx_strncmp(param->data, "false_alarm=", 12) == 0) {

        if (conf->false_alarm) {
            goto duplicate;
        }

        text.data = param->data + 12;
        text.len = param->len - 12;
        seconds = ngx_parse_time(&text, 1);

        if (seconds == (time_t) NGX_ERROR
            || seconds < NGX_CANARY_MIN_FALSE_ALARM
            || seconds > NGX_CANARY_MAX_FALSE_ALARM)
        {
            allowed = "a time from 1m to 100y, such as 90d";
            goto invalid;
        }

        conf->false_alarm = seconds;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(param->data, "pause=", 6) == 0) {

        if (conf->pause != NGX_CONF_UNSET_MSEC) {
            goto duplicate;
        }

        text.data = param->data + 6;
        text.len = param->len - 6;
        n = ngx_parse_time(&text, 0);

        if (n == NGX_ERROR || n > NGX_CANARY_MAX_PAUSE) {
            allowed = "a time from 0 to 10s, such as 300ms";
            goto invalid;
        }

        conf->pause = n;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(param->data, "fleet=", 6) == 0) {

        if (conf->fleet) {
            goto duplicate;
        }

        n = ngx_atoi(param->data + 6, param->len - 6);

        if (n == NGX_ERROR || n == 0 || n > NGX_CANARY_MAX_FLEET) {
            allowed = "a number of machines from 1 to 10000";
            goto invalid;
        }

        conf->fleet = n;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\", allowed here are "
                       "\"false_alarm=\", \"pause=\" and \"fleet=\"", param);
    return NGX_CONF_ERROR;

duplicate:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate parameter \"%V\"",
                       param);
    return NGX_CONF_ERROR;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid \"%V\", it must be %s",
                       param, allowed);
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
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid window \"%V\", it must be a time from 10s "
                           "to 24h", &value[1]);
        return NGX_CONF_ERROR;
    }

    cscf->window_us = (uint64_t) seconds * 1000000;

    return NGX_CONF_OK;
}
