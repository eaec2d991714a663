
#include "ngx_canary_http.h"


static ngx_int_t ngx_canary_event_name(ngx_conf_t *cf, ngx_str_t *name);
static ngx_int_t ngx_canary_event_index(ngx_canary_main_conf_t *cmcf,
    ngx_str_t *name);
static char *ngx_canary_event_param(ngx_conf_t *cf, ngx_str_t *param,
    ngx_canary_event_conf_t *event);
static ngx_int_t ngx_canary_event_rule(ngx_conf_t *cf,
    ngx_canary_srv_conf_t *conf, ngx_canary_rule_t *rule);


void *
ngx_canary_create_loc_conf(ngx_conf_t *cf)
{
    ngx_canary_loc_conf_t  *conf;

    conf = ngx_palloc(cf->pool, sizeof(ngx_canary_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->events = NGX_CONF_UNSET_PTR;

    return conf;
}


char *
ngx_canary_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_canary_loc_conf_t *prev = parent;
    ngx_canary_loc_conf_t *conf = child;

    ngx_conf_merge_ptr_value(conf->events, prev->events, NULL);

    return NGX_CONF_OK;
}


/* canary_event NAME [if=VALUE] [unique=VALUE] [value=VALUE]; */

char *
ngx_canary_conf_event(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_loc_conf_t *clcf = conf;

    char                     *rv;
    ngx_int_t                 index;
    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_canary_main_conf_t   *cmcf;
    ngx_canary_event_conf_t  *event, *others;
    ngx_canary_event_name_t  *names;

    value = cf->args->elts;

    index = ngx_canary_event_name(cf, &value[1]);
    if (index == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (clcf->events == NGX_CONF_UNSET_PTR) {
        clcf->events = ngx_array_create(cf->pool, 4,
                                        sizeof(ngx_canary_event_conf_t));
        if (clcf->events == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    others = clcf->events->elts;

    for (i = 0; i < clcf->events->nelts; i++) {
        if (others[i].index == (ngx_uint_t) index) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate event \"%V\", it may be counted once "
                               "in each context", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    event = ngx_array_push(clcf->events);
    if (event == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(event, sizeof(ngx_canary_event_conf_t));

    event->index = index;

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_canary_event_param(cf, &value[i], event);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_canary_module);
    names = cmcf->events.elts;

    names[index].unique |= (event->unique != NULL);
    names[index].value |= (event->value != NULL);

    return NGX_CONF_OK;
}


/* the index of a name, a new one if it stands here first */

static ngx_int_t
ngx_canary_event_name(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_int_t                 index;
    ngx_canary_main_conf_t   *cmcf;
    ngx_canary_event_name_t  *added;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_canary_module);

    if (!ngx_canary_event_is_name(name->data, name->data + name->len)
        || name->len > NGX_CANARY_MAX_EVENT_NAME)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid event \"%V\", it must be 1 to %d letters, "
                           "digits or \"_\"", name, NGX_CANARY_MAX_EVENT_NAME);
        return NGX_ERROR;
    }

    index = ngx_canary_event_index(cmcf, name);

    if (index != NGX_ERROR) {
        return index;
    }

    if (cmcf->events.nelts == NGX_CANARY_MAX_EVENTS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many events with \"%V\", at most %d different "
                           "names are allowed", name, NGX_CANARY_MAX_EVENTS);
        return NGX_ERROR;
    }

    if (cmcf->events.nalloc == 0
        && ngx_array_init(&cmcf->events, cf->pool, 4,
                          sizeof(ngx_canary_event_name_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    added = ngx_array_push(&cmcf->events);
    if (added == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(added, sizeof(ngx_canary_event_name_t));

    added->name = *name;

    return cmcf->events.nelts - 1;
}


ngx_uint_t
ngx_canary_event_is_name(u_char *p, u_char *last)
{
    u_char  c;

    if (p == last) {
        return 0;
    }

    for ( /* void */ ; p < last; p++) {
        c = ngx_tolower(*p);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_canary_event_index(ngx_canary_main_conf_t *cmcf, ngx_str_t *name)
{
    ngx_uint_t                i;
    ngx_canary_event_name_t  *names;

    names = cmcf->events.elts;

    for (i = 0; i < cmcf->events.nelts; i++) {
        if (names[i].name.len == name->len
            && ngx_memcmp(names[i].name.data, name->data, name->len) == 0)
        {
            return i;
        }
    }

    return NGX_ERROR;
}


static char *
ngx_canary_event_param(ngx_conf_t *cf, ngx_str_t *param,
    ngx_canary_event_conf_t *event)
{
    ngx_str_t             text;
    ngx_canary_value_t  **value;

    if (ngx_canary_conf_param(param, "if=", &text)) {
        value = &event->condition;

    } else if (ngx_canary_conf_param(param, "unique=", &text)) {
        value = &event->unique;

    } else if (ngx_canary_conf_param(param, "value=", &text)) {
        value = &event->value;

    } else {
        return ngx_canary_conf_invalid(cf, "parameter", param,
                                       "\"if=\", \"unique=\" or \"value=\"");
    }

    if (*value) {
        return ngx_canary_conf_duplicate(cf, param);
    }

    if (text.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "parameter \"%V\" has no value", param);
        return NGX_CONF_ERROR;
    }

    *value = ngx_palloc(cf->pool, sizeof(ngx_canary_value_t));

    if (*value == NULL
        || ngx_canary_value_compile(cf, &text, *value) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* finds the events of all gates; called when the whole configuration is read */

ngx_int_t
ngx_canary_conf_event_rules(ngx_conf_t *cf, ngx_canary_srv_conf_t *conf)
{
    ngx_uint_t          i;
    ngx_canary_rule_t  *rule;

    rule = conf->rules.elts;

    for (i = 0; i < conf->rules.nelts; i++) {
        if (rule[i].metric >= NGX_CANARY_METRIC_EVENT_RATE
            && ngx_canary_event_rule(cf, conf, &rule[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* "event:NAME", "event:NAME/NAME", "event:NAME:p95" */

static ngx_int_t
ngx_canary_event_rule(ngx_conf_t *cf, ngx_canary_srv_conf_t *conf,
    ngx_canary_rule_t *rule)
{
    u_char                   *p, *last;
    ngx_int_t                 index;
    ngx_str_t                 name;
    ngx_uint_t                n;
    ngx_canary_main_conf_t   *cmcf;
    ngx_canary_event_name_t  *names;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_canary_module);
    names = cmcf->events.elts;

    p = (u_char *) rule->metric_text.data + sizeof("event:") - 1;
    last = (u_char *) rule->metric_text.data + rule->metric_text.len;

    for (n = 0; n < 2; n++) {
        name.data = p;

        while (p < last && *p != '/' && *p != ':') {
            p++;
        }

        name.len = p - name.data;
        index = ngx_canary_event_index(cmcf, &name);

        if (index == NGX_ERROR) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown event \"%V\" in the gate \"%*s\" of "
                          "upstream \"%V\", no \"canary_event\" counts it in "
                          "%s:%ui", &name, rule->text.len, rule->text.data,
                          &conf->name, conf->upstream->file_name,
                          conf->upstream->line);
            return NGX_ERROR;
        }

        if (n == 0) {
            rule->event = index;

        } else {
            rule->per = index;
        }

        if (p == last || *p++ == ':') {
            break;
        }
    }

    if ((rule->metric == NGX_CANARY_METRIC_EVENT_MEAN
         || rule->metric == NGX_CANARY_METRIC_EVENT_QUANTILE)
        && !names[rule->event].value)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "event \"%V\" in the gate \"%*s\" of upstream \"%V\" has "
                      "no \"value=\" in %s:%ui", &names[rule->event].name,
                      rule->text.len, rule->text.data, &conf->name,
                      conf->upstream->file_name, conf->upstream->line);
        return NGX_ERROR;
    }

    return NGX_OK;
}
