
#include "ngx_canary_http.h"


/* canary_rollback auto | manual [false_alarm=TIME]; */

char *
ngx_canary_conf_rollback(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    time_t      seconds;
    ngx_str_t  *value, text;

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

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[2].data, "false_alarm=", 12) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", only \"false_alarm=\" is "
                           "allowed", &value[2]);
        return NGX_CONF_ERROR;
    }

    text.data = value[2].data + 12;
    text.len = value[2].len - 12;

    seconds = ngx_parse_time(&text, 1);

    if (seconds == (time_t) NGX_ERROR || seconds < NGX_CANARY_MIN_FALSE_ALARM
        || seconds > NGX_CANARY_MAX_FALSE_ALARM)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\", it must be a time from 1m to 100y, "
                           "such as 90d", &value[2]);
        return NGX_CONF_ERROR;
    }

    cscf->false_alarm = seconds;

    return NGX_CONF_OK;
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
