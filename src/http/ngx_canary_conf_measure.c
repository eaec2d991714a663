
#include "ngx_canary_passage.h"


static char *ngx_canary_conf_error(ngx_conf_t *cf, ngx_str_t *value,
    u_short *statuses);


/* canary_fallback on | off; */

char *
ngx_canary_conf_fallback(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    ngx_str_t  *value;

    cscf->split = 1;

    if (cscf->fallback != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "on") == 0) {
        cscf->fallback = 1;

    } else if (ngx_strcmp(value[1].data, "off") == 0) {
        cscf->fallback = 0;

    } else {
        return ngx_canary_conf_invalid(cf, "value", &value[1],
                                       "\"on\" or \"off\"");
    }

    return NGX_CONF_OK;
}


/* canary_errors CODE|CLASS ... [if=VALUE]; */

char *
ngx_canary_conf_errors(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    u_short     *statuses;
    ngx_str_t   *value, text;
    ngx_uint_t   i, n;

    cscf->split = 1;

    if (cscf->statuses || cscf->error_if) {
        return "is duplicate";
    }

    statuses = ngx_pcalloc(cf->pool, NGX_CANARY_STATUSES * sizeof(u_short));
    if (statuses == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    n = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        if (!ngx_canary_conf_param(&value[i], "if=", &text)) {
            if (ngx_canary_conf_error(cf, &value[i], statuses)
                != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }

            n++;
            continue;
        }

        if (cscf->error_if) {
            return ngx_canary_conf_duplicate(cf, &value[i]);
        }

        if (text.len == 0) {
            return "has an empty value of \"if=\"";
        }

        cscf->error_if = ngx_palloc(cf->pool, sizeof(ngx_canary_value_t));

        if (cscf->error_if == NULL
            || ngx_canary_value_compile(cf, &text, cscf->error_if) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    /* with "if=" alone the default stays */

    if (n) {
        cscf->statuses = statuses;
    }

    return NGX_CONF_OK;
}


static char *
ngx_canary_conf_error(ngx_conf_t *cf, ngx_str_t *value, u_short *statuses)
{
    ngx_int_t  from, to;

    if (value->len == 3
        && value->data[0] >= '1' && value->data[0] <= '5'
        && ngx_strcmp(value->data + 1, "xx") == 0)
    {
        from = (value->data[0] - '0') * 100;
        to = from + 99;

    } else {
        from = ngx_atoi(value->data, value->len);
        to = from;
    }

    if (value->len != 3 || from < 100 || from > 599) {
        return ngx_canary_conf_invalid(cf, "status", value,
                                       "a code from 100 to 599 or a class from "
                                       "\"1xx\" to \"5xx\"");
    }

    for ( /* void */ ; from <= to; from++) {
        statuses[from] = NGX_CANARY_ERROR;
    }

    return NGX_CONF_OK;
}


/* canary_latency upstream | header | request; */

char *
ngx_canary_conf_latency(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    ngx_str_t  *value;

    cscf->split = 1;

    if (cscf->latency != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "upstream") == 0) {
        cscf->latency = NGX_CANARY_LATENCY_UPSTREAM;

    } else if (ngx_strcmp(value[1].data, "header") == 0) {
        cscf->latency = NGX_CANARY_LATENCY_HEADER;

    } else if (ngx_strcmp(value[1].data, "request") == 0) {
        cscf->latency = NGX_CANARY_LATENCY_REQUEST;

    } else {
        return ngx_canary_conf_invalid(cf, "value", &value[1],
                                       "\"upstream\", \"header\" or "
                                       "\"request\"");
    }

    return NGX_CONF_OK;
}


/* canary_buckets TIME ...; */

char *
ngx_canary_conf_buckets(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    uint64_t     us;
    ngx_str_t   *value;
    ngx_uint_t   i;

    cscf->split = 1;

    if (cscf->nle) {
        return "is duplicate";
    }

    if (cf->args->nelts - 1 > NGX_CANARY_MAX_BUCKETS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%ui buckets are too many, at most %d are allowed",
                           cf->args->nelts - 1, NGX_CANARY_MAX_BUCKETS);
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_canary_conf_time(&value[i], &us) != NGX_OK) {
            return ngx_canary_conf_invalid(cf, "bucket", &value[i],
                                           "a time from 1us to 1000s of at "
                                           "most three significant digits");
        }

        if (cscf->nle && us <= cscf->le_us[cscf->nle - 1]) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "bucket \"%V\" must be greater than the one "
                               "before it, \"%V\"", &value[i], &value[i - 1]);
            return NGX_CONF_ERROR;
        }

        cscf->le_us[cscf->nle++] = us;
    }

    return NGX_CONF_OK;
}


/* digits and a unit: us, ms, s (the default) or m */

ngx_int_t
ngx_canary_conf_time(ngx_str_t *value, uint64_t *us)
{
    size_t      n, rest;
    uint64_t    number, unit;
    u_char     *p;

    number = 0;

    for (n = 0; n < value->len; n++) {

        if (value->data[n] < '0' || value->data[n] > '9') {
            break;
        }

        if (n == 10) {
            return NGX_ERROR;
        }

        number = number * 10 + (value->data[n] - '0');
    }

    p = value->data + n;
    rest = value->len - n;

    if (rest == 0 || (rest == 1 && *p == 's')) {
        unit = 1000000;

    } else if (rest == 1 && *p == 'm') {
        unit = 60000000;

    } else if (rest == 2 && p[0] == 'm' && p[1] == 's') {
        unit = 1000;

    } else if (rest == 2 && p[0] == 'u' && p[1] == 's') {
        unit = 1;

    } else {
        return NGX_ERROR;
    }

    *us = number * unit;

    if (n == 0 || *us == 0 || *us > NGX_CANARY_HIST_MAX_US
        || !ngx_canary_hist_is_edge(*us))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
