
#include "ngx_canary_passage.h"


#define NGX_CANARY_PREFIX      "canary_variant_"
#define NGX_CANARY_PREFIX_LEN  (sizeof(NGX_CANARY_PREFIX) - 1)

#define NGX_CANARY_LATENCY_LEN (NGX_INT64_LEN + sizeof(".000000") - 1)


/* the split that a request met last, and what was decided */
typedef struct {
    ngx_canary_srv_conf_t    *conf;
    ngx_canary_assignment_t  *assignment;
    ngx_canary_passage_t     *passage;      /* NULL: not passed on yet */
} ngx_canary_met_t;


typedef enum {
    NGX_CANARY_VAR_VARIANT = 0,
    NGX_CANARY_VAR_ASSIGNMENT,
    NGX_CANARY_VAR_STAGE,
    NGX_CANARY_VAR_GENERATION,
    NGX_CANARY_VAR_FALLBACK,
    NGX_CANARY_VAR_LATENCY
} ngx_canary_var_e;


static ngx_int_t ngx_canary_met_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_canary_variant_of_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_canary_met_text(ngx_canary_met_t *met,
    ngx_canary_var_e var, u_char *buf, ngx_str_t *text);
static ngx_uint_t ngx_canary_met_timed(ngx_canary_passage_t *p);
static ngx_int_t ngx_canary_met(ngx_http_request_t *r, ngx_canary_met_t *met);
static u_char ngx_canary_variable_char(u_char c);
static ngx_str_t *ngx_canary_variant_name(ngx_canary_srv_conf_t *conf,
    ngx_canary_assignment_t *a);
static void ngx_canary_variable_set(ngx_http_variable_value_t *v,
    ngx_str_t *text);


static ngx_http_variable_t  ngx_canary_vars[] = {

    { ngx_string("canary_variant"), NULL, ngx_canary_met_variable,
      NGX_CANARY_VAR_VARIANT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string(NGX_CANARY_PREFIX), NULL, ngx_canary_variant_of_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("canary_assignment"), NULL, ngx_canary_met_variable,
      NGX_CANARY_VAR_ASSIGNMENT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("canary_stage"), NULL, ngx_canary_met_variable,
      NGX_CANARY_VAR_STAGE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("canary_generation"), NULL, ngx_canary_met_variable,
      NGX_CANARY_VAR_GENERATION, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("canary_fallback"), NULL, ngx_canary_met_variable,
      NGX_CANARY_VAR_FALLBACK, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("canary_latency"), NULL, ngx_canary_met_variable,
      NGX_CANARY_VAR_LATENCY, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


/* by ngx_canary_why_e */
static ngx_str_t  ngx_canary_whys[] = {
    ngx_null_string,
    ngx_string("split"),
    ngx_string("forced"),
    ngx_string("unkeyed"),
    ngx_string("bypassed"),
    ngx_string("off"),
    ngx_string("rolled_back")
};


static ngx_int_t
ngx_canary_met_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    u_char            *p;
    ngx_str_t          text;
    ngx_canary_met_t   met;

    p = NULL;

    if (data == NGX_CANARY_VAR_GENERATION || data == NGX_CANARY_VAR_LATENCY) {
        p = ngx_pnalloc(r->pool, NGX_CANARY_LATENCY_LEN);
        if (p == NULL) {
            return NGX_ERROR;
        }
    }

    if (ngx_canary_met(r, &met) != NGX_OK
        || ngx_canary_met_text(&met, (ngx_canary_var_e) data, p, &text)
           != NGX_OK)
    {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_canary_variable_set(v, &text);

    return NGX_OK;
}


/* "buf" is for a number; NGX_DECLINED: the variable is not found */

static ngx_int_t
ngx_canary_met_text(ngx_canary_met_t *met, ngx_canary_var_e var, u_char *buf,
    ngx_str_t *text)
{
    ngx_canary_passage_t  *p;

    p = met->passage;

    switch (var) {

    case NGX_CANARY_VAR_VARIANT:
        *text = *ngx_canary_variant_name(met->conf, met->assignment);
        break;

    case NGX_CANARY_VAR_ASSIGNMENT:
        *text = ngx_canary_whys[met->assignment->why];
        break;

    case NGX_CANARY_VAR_STAGE:
        *text = *met->assignment->stage;
        break;

    case NGX_CANARY_VAR_GENERATION:
        text->data = buf;
        text->len = ngx_sprintf(buf, "%uL", met->assignment->generation) - buf;
        break;

    case NGX_CANARY_VAR_FALLBACK:
        if (p == NULL || !(p->state & NGX_CANARY_FALLBACK)) {
            return NGX_DECLINED;
        }

        ngx_str_set(text, "1");
        break;

    default: /* NGX_CANARY_VAR_LATENCY */
        if (p == NULL || !ngx_canary_met_timed(p)) {
            return NGX_DECLINED;
        }

        text->data = buf;
        text->len = ngx_sprintf(buf, "%uL.%06uL", p->latency_us / 1000000,
                                p->latency_us % 1000000)
                    - buf;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_canary_met_timed(ngx_canary_passage_t *p)
{
    ngx_uint_t  timed;

    timed = NGX_CANARY_COUNTED|NGX_CANARY_TIMED;

    return (p->state & timed) == timed || (p->state & NGX_CANARY_ENTERED);
}


static ngx_int_t
ngx_canary_variant_of_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *variable = (ngx_str_t *) data;

    ngx_str_t                 name;
    ngx_canary_ctx_t         *ctx;
    ngx_canary_srv_conf_t    *conf;
    ngx_canary_main_conf_t   *cmcf;
    ngx_canary_assignment_t  *a;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_canary_module);

    name.len = variable->len - NGX_CANARY_PREFIX_LEN;
    name.data = variable->data + NGX_CANARY_PREFIX_LEN;

    conf = ngx_canary_find_split(cmcf, &name);

    if (conf == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    ctx = ngx_canary_assign(r, conf);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_canary_named(r, conf);

    a = ngx_canary_assignment(ctx, conf);

    ngx_canary_variable_set(v, ngx_canary_variant_name(conf, a));

    return NGX_OK;
}


static ngx_int_t
ngx_canary_met(ngx_http_request_t *r, ngx_canary_met_t *met)
{
    ngx_canary_ctx_t      *ctx;
    ngx_canary_passage_t  *p;

    p = ngx_canary_passage(r);

    met->passage = p;

    if (p) {
        met->conf = p->conf;
        met->assignment = p->assignment;
        return NGX_OK;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_canary_module);

    if (ctx == NULL || ctx->last == NULL) {
        return NGX_DECLINED;
    }

    met->conf = ctx->last;
    met->assignment = ngx_canary_assignment(ctx, ctx->last);

    return met->assignment->why == NGX_CANARY_UNASSIGNED ? NGX_DECLINED
                                                         : NGX_OK;
}


static ngx_str_t *
ngx_canary_variant_name(ngx_canary_srv_conf_t *conf,
    ngx_canary_assignment_t *a)
{
    ngx_canary_target_conf_t  *targets;

    if (a->target < 0) {
        return &conf->name;
    }

    targets = conf->targets.elts;

    return &targets[a->target].name;
}


static void
ngx_canary_variable_set(ngx_http_variable_value_t *v, ngx_str_t *text)
{
    v->len = text->len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->data = text->data;
}


ngx_int_t
ngx_canary_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_canary_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


ngx_int_t
ngx_canary_check_variables(ngx_conf_t *cf)
{
    ngx_str_t                   name;
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_canary_srv_conf_t     **split, *other;
    ngx_canary_main_conf_t     *mcf;
    ngx_http_core_main_conf_t  *cmcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_canary_module);
    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    split = mcf->splits.elts;

    for (i = 0; i < mcf->splits.nelts; i++) {
        other = ngx_canary_find_split(mcf, &split[i]->name);

        if (other != split[i]) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "splits \"%V\" and \"%V\" would share one "
                          "\"$canary_variant_NAME\", their names must "
                          "differ in more than \"-\", \".\" and \"_\" "
                          "in %s:%ui", &other->name, &split[i]->name,
                          split[i]->upstream->file_name,
                          split[i]->upstream->line);
            return NGX_ERROR;
        }
    }

    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        if (v[i].name.len < NGX_CANARY_PREFIX_LEN
            || ngx_strncmp(v[i].name.data, NGX_CANARY_PREFIX,
                           NGX_CANARY_PREFIX_LEN)
               != 0)
        {
            continue;
        }

        name.len = v[i].name.len - NGX_CANARY_PREFIX_LEN;
        name.data = v[i].name.data + NGX_CANARY_PREFIX_LEN;

        if (ngx_canary_find_split(mcf, &name) == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown split in the variable \"$%V\"",
                               &v[i].name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_canary_srv_conf_t *
ngx_canary_find_split(ngx_canary_main_conf_t *cmcf, ngx_str_t *name)
{
    ngx_uint_t               i, k;
    ngx_canary_srv_conf_t  **conf;

    conf = cmcf->splits.elts;

    for (i = 0; i < cmcf->splits.nelts; i++) {

        if (conf[i]->name.len != name->len) {
            continue;
        }

        for (k = 0; k < name->len; k++) {
            if (ngx_canary_variable_char(conf[i]->name.data[k])
                != ngx_canary_variable_char(name->data[k]))
            {
                break;
            }
        }

        if (k == name->len) {
            return conf[i];
        }
    }

    return NULL;
}


/* of an upstream's name, as it stands in the name of its variable */

static u_char
ngx_canary_variable_char(u_char c)
{
    return (c == '-' || c == '.') ? '_' : ngx_tolower(c);
}
