
#include "ngx_canary_gate_conf.h"


char *
ngx_canary_conf_limit(ngx_conf_t *cf, ngx_str_t *value,
    ngx_canary_rule_t *rule)
{
    char      *allowed;
    uint64_t   limit;

    switch (rule->metric) {

    case NGX_CANARY_METRIC_ERROR_RATE:
    case NGX_CANARY_METRIC_ABORT_RATE:
    case NGX_CANARY_METRIC_RETRY_RATE:
    case NGX_CANARY_METRIC_EVENT_RATIO:
        allowed = "a percentage from 0% to less than 100% with at most four "
                  "decimals";

        if (rule->op == NGX_CANARY_AT_LEAST) {
            allowed = "a percentage above 0%, up to 100%, with at most four "
                      "decimals";
        }

        if (ngx_canary_conf_number(value, "%", &limit) == NGX_OK
            && limit % 100 == 0
            && limit / 100 <= NGX_CANARY_PPM
            && limit / 100 != (rule->op == NGX_CANARY_AT_LEAST
                               ? 0 : NGX_CANARY_PPM))
        {
            rule->limit = limit / 100;
            return NGX_CONF_OK;
        }

        break;

    case NGX_CANARY_METRIC_THROUGHPUT:
    case NGX_CANARY_METRIC_EVENT_RATE:
        allowed = "a rate such as 50r/s or 20r/m";

        if (rule->metric == NGX_CANARY_METRIC_EVENT_RATE) {
            allowed = "a rate such as 20r/m or 50r/s, or 0";
        }

        if (ngx_canary_conf_number(value, "r/s", &limit) == NGX_OK
            && limit > 0)
        {
            rule->limit = limit;
            return NGX_CONF_OK;
        }

        if (ngx_canary_conf_number(value, "r/m", &limit) == NGX_OK
            && limit >= 60)
        {
            rule->limit = (limit + 30) / 60;
            return NGX_CONF_OK;
        }

        if (rule->metric == NGX_CANARY_METRIC_EVENT_RATE
            && rule->op == NGX_CANARY_AT_MOST
            && ngx_strcmp(value->data, "0") == 0)
        {
            return NGX_CONF_OK;
        }

        break;

    case NGX_CANARY_METRIC_EVENT_MEAN:
    case NGX_CANARY_METRIC_EVENT_QUANTILE:
        allowed = "a number from 0.001 to 1000000 of at most three significant "
                  "digits";

        if (ngx_canary_conf_number(value, "", &limit) == NGX_OK
            && limit >= 1000 && limit % 1000 == 0
            && ngx_canary_hist_is_edge(limit / 1000))
        {
            rule->limit = limit;
            return NGX_CONF_OK;
        }

        break;

    default:
        allowed = "a time from 1us to 1000s of at most three significant "
                  "digits";

        if (ngx_canary_conf_time(value, &rule->limit) == NGX_OK) {
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid limit \"%V\" for \"%V\", it must be %s",
                       value, value - 2, allowed);
    return NGX_CONF_ERROR;
}


ngx_int_t
ngx_canary_conf_number(ngx_str_t *value, char *unit, uint64_t *micro)
{
    size_t     len, n;
    ngx_int_t  number;

    n = ngx_strlen(unit);

    if (value->len <= n
        || ngx_memcmp(value->data + value->len - n, unit, n) != 0)
    {
        return NGX_ERROR;
    }

    len = value->len - n;

    /* a lost digit on either side of the point is more likely than a wish */

    if (value->data[0] == '.' || value->data[len - 1] == '.') {
        return NGX_ERROR;
    }

    number = ngx_atofp(value->data, len, 6);

    if (number == NGX_ERROR) {
        return NGX_ERROR;
    }

    *micro = number;

    return NGX_OK;
}


void
ngx_canary_conf_limits(ngx_canary_srv_conf_t *conf)
{
    ngx_uint_t          i, n, k;
    ngx_canary_rule_t  *rule;

    rule = conf->rules.elts;

    for (i = 0; i < conf->rules.nelts; i++) {

        if (rule[i].metric > NGX_CANARY_METRIC_P999
            || rule[i].op == NGX_CANARY_NOT_WORSE)
        {
            continue;
        }

        for (n = 0; n < conf->nle && conf->le_us[n] < rule[i].limit; n++) {
            /* void */
        }

        if (n == conf->nle || conf->le_us[n] != rule[i].limit) {

            for (k = conf->nle++; k > n; k--) {
                conf->le_us[k] = conf->le_us[k - 1];
            }

            conf->le_us[n] = rule[i].limit;
        }
    }

    for (i = 0; i < conf->rules.nelts; i++) {

        if (rule[i].metric > NGX_CANARY_METRIC_P999) {
            continue;
        }

        for (n = 0; n < conf->nle; n++) {
            if (conf->le_us[n] == rule[i].limit) {
                rule[i].le = n;
            }
        }
    }
}
