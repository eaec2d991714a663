
#include "ngx_canary_http.h"


#define NGX_CANARY_MAX_MARGIN  10000000     /* 1000% */


typedef struct {
    ngx_str_t             name;
    ngx_canary_metric_e   metric;
    uint64_t              min;          /* the default of "min=" */
} ngx_canary_metric_conf_t;


static char *ngx_canary_gate_metric(ngx_conf_t *cf, ngx_str_t *value,
    ngx_canary_rule_t *rule);
static ngx_canary_metric_conf_t *ngx_canary_gate_find(ngx_str_t *name,
    ngx_uint_t n);
static char *ngx_canary_gate_op(ngx_conf_t *cf, ngx_str_t *value,
    ngx_canary_rule_t *rule);
static char *ngx_canary_conf_limit(ngx_conf_t *cf, ngx_str_t *value,
    ngx_canary_rule_t *rule);
static ngx_int_t ngx_canary_conf_number(ngx_str_t *value, char *unit,
    uint64_t *micro);
static char *ngx_canary_gate_params(ngx_conf_t *cf, ngx_uint_t from,
    ngx_canary_rule_t *rule);
static char *ngx_canary_gate_once(ngx_conf_t *cf, ngx_canary_srv_conf_t *conf,
    ngx_canary_rule_t *rule);
static char *ngx_canary_gate_text(ngx_conf_t *cf, ngx_canary_rule_t *rule);


static char  ngx_canary_metric_names[] =
    "p50, p90, p95, p99, p999, error_rate, abort_rate, retry_rate, throughput, "
    "event:NAME, event:NAME/NAME, event:NAME:mean or a quantile as "
    "event:NAME:p95";


/* the quantiles first, by ngx_canary_metric_e */
static ngx_canary_metric_conf_t  ngx_canary_gate_metrics[] = {
    { ngx_string("p50"),  NGX_CANARY_METRIC_P50,  100 },
    { ngx_string("p90"),  NGX_CANARY_METRIC_P90,  200 },
    { ngx_string("p95"),  NGX_CANARY_METRIC_P95,  400 },
    { ngx_string("p99"),  NGX_CANARY_METRIC_P99,  2000 },
    { ngx_string("p999"), NGX_CANARY_METRIC_P999, 20000 },
    { ngx_string("error_rate"), NGX_CANARY_METRIC_ERROR_RATE, 100 },
    { ngx_string("abort_rate"), NGX_CANARY_METRIC_ABORT_RATE, 100 },
    { ngx_string("retry_rate"), NGX_CANARY_METRIC_RETRY_RATE, 100 },
    { ngx_string("throughput"), NGX_CANARY_METRIC_THROUGHPUT, 100 }
};

#define NGX_CANARY_METRICS                                                    \
    (sizeof(ngx_canary_gate_metrics) / sizeof(ngx_canary_metric_conf_t))


/*
 * canary_gate METRIC <= LIMIT [min=N];
 * canary_gate METRIC >= LIMIT [min=N];
 * canary_gate METRIC not_worse [margin=P%] [min=N];
 */

char *
ngx_canary_conf_gate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    ngx_str_t          *value;
    ngx_uint_t          from;
    ngx_canary_rule_t  *rule;

    cscf->split = 1;
    value = cf->args->elts;

    if (cscf->rules.nalloc == 0
        && ngx_array_init(&cscf->rules, cf->pool, NGX_CANARY_MAX_RULES,
                          sizeof(ngx_canary_rule_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (cscf->rules.nelts == NGX_CANARY_MAX_RULES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many gates with \"%V\", at most %d are "
                           "allowed", &value[1], NGX_CANARY_MAX_RULES);
        return NGX_CONF_ERROR;
    }

    rule = ngx_array_push(&cscf->rules);
    if (rule == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(rule, sizeof(ngx_canary_rule_t));

    if (ngx_canary_gate_metric(cf, &value[1], rule) != NGX_CONF_OK
        || ngx_canary_gate_op(cf, &value[2], rule) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    from = 3;

    if (rule->op != NGX_CANARY_NOT_WORSE) {

        if (cf->args->nelts < 4) {
            return "has no limit";
        }

        if (ngx_canary_conf_limit(cf, &value[3], rule) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }

        from = 4;
    }

    if (ngx_canary_gate_params(cf, from, rule) != NGX_CONF_OK
        || ngx_canary_gate_once(cf, cscf, rule) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    rule->signature = ngx_canary_rule_signature(rule);

    return ngx_canary_gate_text(cf, rule);
}


static char *
ngx_canary_gate_metric(ngx_conf_t *cf, ngx_str_t *value,
    ngx_canary_rule_t *rule)
{
    u_char                    *p, *last, *colon, *slash;
    ngx_str_t                  name;
    ngx_canary_metric_conf_t  *metric;

    rule->metric_text.len = value->len;
    rule->metric_text.data = value->data;
    rule->min = 100;

    metric = ngx_canary_gate_find(value, NGX_CANARY_METRICS);

    if (metric) {
        rule->metric = metric->metric;
        rule->min = metric->min;

        if (metric->metric <= NGX_CANARY_METRIC_P999) {
            rule->quantile_ppm = ngx_canary_hist_ppm[1 + metric->metric];
        }

        return NGX_CONF_OK;
    }

    if (!ngx_canary_conf_param(value, "event:", &name)) {
        goto unknown;
    }

    p = name.data;
    last = p + name.len;
    slash = ngx_strlchr(p, last, '/');
    colon = ngx_strlchr(p, last, ':');

    if (slash) {
        rule->metric = NGX_CANARY_METRIC_EVENT_RATIO;

        if (!ngx_canary_event_is_name(p, slash)
            || !ngx_canary_event_is_name(slash + 1, last))
        {
            goto unknown;
        }

        return NGX_CONF_OK;
    }

    if (!ngx_canary_event_is_name(p, colon ? colon : last)) {
        goto unknown;
    }

    if (colon == NULL) {
        rule->metric = NGX_CANARY_METRIC_EVENT_RATE;
        return NGX_CONF_OK;
    }

    name.data = colon + 1;
    name.len = last - name.data;

    if (name.len == 4 && ngx_memcmp(name.data, "mean", 4) == 0) {
        rule->metric = NGX_CANARY_METRIC_EVENT_MEAN;
        return NGX_CONF_OK;
    }

    metric = ngx_canary_gate_find(&name, NGX_CANARY_QUANTILES);

    if (metric) {
        rule->metric = NGX_CANARY_METRIC_EVENT_QUANTILE;
        rule->quantile_ppm = ngx_canary_hist_ppm[1 + metric->metric];
        rule->le = metric->metric;
        rule->min = metric->min;
        return NGX_CONF_OK;
    }

unknown:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown metric \"%V\", it must be one of %s", value,
                       ngx_canary_metric_names);
    return NGX_CONF_ERROR;
}


/* among the first n */

static ngx_canary_metric_conf_t *
ngx_canary_gate_find(ngx_str_t *name, ngx_uint_t n)
{
    ngx_uint_t                 i;
    ngx_canary_metric_conf_t  *metric;

    for (i = 0; i < n; i++) {
        metric = &ngx_canary_gate_metrics[i];

        if (metric->name.len == name->len
            && ngx_memcmp(metric->name.data, name->data, name->len) == 0)
        {
            return metric;
        }
    }

    return NULL;
}


/* "value" stands behind the metric */

static char *
ngx_canary_gate_op(ngx_conf_t *cf, ngx_str_t *value, ngx_canary_rule_t *rule)
{
    char  *allowed;

    if (ngx_strcmp(value->data, "<=") == 0) {
        rule->op = NGX_CANARY_AT_MOST;

    } else if (ngx_strcmp(value->data, ">=") == 0) {
        rule->op = NGX_CANARY_AT_LEAST;

    } else if (ngx_strcmp(value->data, "not_worse") == 0) {
        rule->op = NGX_CANARY_NOT_WORSE;

    } else {
        return ngx_canary_conf_invalid(cf, "rule", value,
                                       "\"<=\", \">=\" or \"not_worse\"");
    }

    switch (rule->metric) {

    case NGX_CANARY_METRIC_THROUGHPUT:
        allowed = (rule->op == NGX_CANARY_AT_LEAST) ? NULL : "\">=\"";
        break;

    case NGX_CANARY_METRIC_EVENT_RATE:
    case NGX_CANARY_METRIC_EVENT_RATIO:
        allowed = (rule->op == NGX_CANARY_NOT_WORSE) ? "\"<=\" or \">=\""
                                                     : NULL;
        break;

    case NGX_CANARY_METRIC_EVENT_MEAN:
    case NGX_CANARY_METRIC_EVENT_QUANTILE:
        allowed = (rule->op == NGX_CANARY_AT_MOST) ? NULL : "\"<=\"";
        break;

    default:
        allowed = (rule->op == NGX_CANARY_AT_LEAST) ? "\"<=\" or \"not_worse\""
                                                    : NULL;
    }

    if (allowed) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid rule \"%V\" for \"%V\", it must be %s",
                           value, value - 1, allowed);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* "value" stands behind the metric and the "<=" or ">=" */

static char *
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


/* digits, at most six decimals, and "unit"; the number in 1e-6 */

static ngx_int_t
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


static char *
ngx_canary_gate_params(ngx_conf_t *cf, ngx_uint_t from,
    ngx_canary_rule_t *rule)
{
    uint64_t    micro;
    ngx_int_t   min;
    ngx_str_t  *value, text;
    ngx_uint_t  i, mins, margins;

    value = cf->args->elts;
    mins = 0;
    margins = 0;

    for (i = from; i < cf->args->nelts; i++) {

        if (ngx_canary_conf_param(&value[i], "min=", &text) && mins++ == 0) {
            min = ngx_atoi(text.data, text.len);

            if (min == NGX_ERROR || min == 0 || min > 1000000000) {
                return ngx_canary_conf_invalid(cf, "", &value[i],
                                               "a number of samples from 1 to "
                                               "1000000000");
            }

            rule->min = min;
            continue;
        }

        if (rule->op == NGX_CANARY_NOT_WORSE
            && ngx_canary_conf_param(&value[i], "margin=", &text)
            && margins++ == 0)
        {
            if (ngx_canary_conf_number(&text, "%", &micro) != NGX_OK
                || micro % 100
                || micro / 100 > NGX_CANARY_MAX_MARGIN)
            {
                return ngx_canary_conf_invalid(cf, "", &value[i],
                                               "a percentage from 0% to 1000% "
                                               "with at most four decimals");
            }

            rule->limit = micro / 100;
            continue;
        }

        if (mins > 1 || margins > 1) {
            return ngx_canary_conf_duplicate(cf, &value[i]);
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", allowed here %s",
                           &value[i],
                           rule->op == NGX_CANARY_NOT_WORSE
                           ? "are \"margin=\" and \"min=\""
                           : "is \"min=\"");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* of two limits for one metric only one can matter */

static char *
ngx_canary_gate_once(ngx_conf_t *cf, ngx_canary_srv_conf_t *conf,
    ngx_canary_rule_t *rule)
{
    ngx_str_t          *value;
    ngx_canary_rule_t  *other;

    value = cf->args->elts;

    for (other = conf->rules.elts; other < rule; other++) {

        if (other->op == rule->op
            && other->metric_text.len == rule->metric_text.len
            && ngx_memcmp(other->metric_text.data, rule->metric_text.data,
                          rule->metric_text.len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate gate \"%V %V\"", &value[1],
                               &value[2]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* as it stands in the configuration, less "min=" */

static char *
ngx_canary_gate_text(ngx_conf_t *cf, ngx_canary_rule_t *rule)
{
    size_t       len;
    u_char      *p;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;
    len = 0;

    for (i = 1; i < cf->args->nelts; i++) {
        len += value[i].len + 1;
    }

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    rule->text.data = p;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "min=", 4) == 0) {
            continue;
        }

        if (i > 1) {
            *p++ = ' ';
        }

        p = ngx_cpymem(p, value[i].data, value[i].len);
    }

    rule->text.len = p - rule->text.data;

    return NGX_CONF_OK;
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
