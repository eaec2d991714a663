
#include "ngx_canary_http.h"


typedef struct {
    ngx_str_t    path;
    ngx_str_t    domain;
    time_t       expires;
    const char  *samesite;
    unsigned     secure:1;
    unsigned     httponly:1;
} ngx_canary_cookie_attrs_t;


static char *ngx_canary_conf_cookie_param(ngx_conf_t *cf, ngx_str_t *param,
    ngx_canary_cookie_attrs_t *attrs);
static char *ngx_canary_conf_cookie_text(ngx_conf_t *cf, ngx_str_t *param,
    ngx_str_t *text, ngx_str_t *attr);
static char *ngx_canary_conf_cookie_attrs(ngx_conf_t *cf,
    ngx_canary_cookie_conf_t *cookie, ngx_canary_cookie_attrs_t *attrs);
static ngx_int_t ngx_canary_conf_cookie_value(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_complex_value_t **value);


/*
 * canary_cookie NAME [path=] [domain=] [expires=] [samesite=] [secure]
 *               [httponly];
 */

char *
ngx_canary_conf_cookie(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    u_char                     *p;
    ngx_str_t                  *value, name;
    ngx_uint_t                  i;
    ngx_canary_cookie_attrs_t   attrs;

    cscf->split = 1;

    if (cscf->cookie.name.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    /* a token of RFC 6265 */

    for (i = 0; i < value[1].len; i++) {
        if (value[1].data[i] <= 0x20 || value[1].data[i] >= 0x7f
            || ngx_strchr("()<>@,;:\\\"/[]?={}", value[1].data[i]))
        {
            break;
        }
    }

    if (value[1].len == 0 || i < value[1].len) {
        return ngx_canary_conf_invalid(cf, "cookie name", &value[1],
                                       "letters, digits and any of "
                                       "!#$%&'*+-.^_`|~");
    }

    ngx_memzero(&attrs, sizeof(ngx_canary_cookie_attrs_t));

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_canary_conf_cookie_param(cf, &value[i], &attrs)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    cscf->cookie.name = value[1];
    cscf->cookie.expires = attrs.expires;

    name.len = sizeof("cookie_") - 1 + value[1].len;
    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_cpymem(name.data, "cookie_", sizeof("cookie_") - 1);
    ngx_memcpy(p, value[1].data, value[1].len);

    cscf->cookie.index = ngx_http_get_variable_index(cf, &name);
    if (cscf->cookie.index == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    return ngx_canary_conf_cookie_attrs(cf, &cscf->cookie, &attrs);
}


static char *
ngx_canary_conf_cookie_param(ngx_conf_t *cf, ngx_str_t *param,
    ngx_canary_cookie_attrs_t *attrs)
{
    ngx_str_t   text;
    ngx_uint_t  i;

    static const char  *samesites[] = { "Strict", "Lax", "None" };

    if (ngx_canary_conf_param(param, "path=", &text)) {
        return ngx_canary_conf_cookie_text(cf, param, &text, &attrs->path);
    }

    if (ngx_canary_conf_param(param, "domain=", &text)) {
        return ngx_canary_conf_cookie_text(cf, param, &text, &attrs->domain);
    }

    if (ngx_canary_conf_param(param, "expires=", &text)) {

        if (attrs->expires) {
            return ngx_canary_conf_duplicate(cf, param);
        }

        attrs->expires = ngx_parse_time(&text, 1);

        if (attrs->expires == (time_t) NGX_ERROR || attrs->expires == 0) {
            return ngx_canary_conf_invalid(cf, "", param,
                                           "a time of at least one second, "
                                           "such as 30d");
        }

        return NGX_CONF_OK;
    }

    if (ngx_canary_conf_param(param, "samesite=", &text)) {

        if (attrs->samesite) {
            return ngx_canary_conf_duplicate(cf, param);
        }

        for (i = 0; i < 3; i++) {
            if (ngx_strcasecmp(text.data, (u_char *) samesites[i]) == 0) {
                attrs->samesite = samesites[i];
                return NGX_CONF_OK;
            }
        }

        return ngx_canary_conf_invalid(cf, "", param,
                                       "\"strict\", \"lax\" or \"none\"");
    }

    if (ngx_strcmp(param->data, "secure") == 0) {
        if (attrs->secure) {
            return ngx_canary_conf_duplicate(cf, param);
        }

        attrs->secure = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(param->data, "httponly") == 0) {
        if (attrs->httponly) {
            return ngx_canary_conf_duplicate(cf, param);
        }

        attrs->httponly = 1;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\", allowed are \"path=\", "
                       "\"domain=\", \"expires=\", \"samesite=\", \"secure\" "
                       "and \"httponly\"", param);
    return NGX_CONF_ERROR;
}


static char *
ngx_canary_conf_cookie_text(ngx_conf_t *cf, ngx_str_t *param, ngx_str_t *text,
    ngx_str_t *attr)
{
    size_t  i;

    if (attr->len) {
        return ngx_canary_conf_duplicate(cf, param);
    }

    for (i = 0; i < text->len; i++) {
        if (text->data[i] < 0x20 || text->data[i] >= 0x7f
            || text->data[i] == ';')
        {
            break;
        }
    }

    if (text->len == 0 || i < text->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\", the value must be visible ASCII "
                           "characters without \";\"", param);
        return NGX_CONF_ERROR;
    }

    *attr = *text;

    return NGX_CONF_OK;
}


static char *
ngx_canary_conf_cookie_attrs(ngx_conf_t *cf, ngx_canary_cookie_conf_t *cookie,
    ngx_canary_cookie_attrs_t *attrs)
{
    size_t   len;
    u_char  *p;

    if (attrs->samesite && attrs->samesite[0] == 'N' && !attrs->secure) {
        return "with \"samesite=none\" must be \"secure\", "
               "browsers refuse it otherwise";
    }

    if (attrs->path.len == 0) {
        ngx_str_set(&attrs->path, "/");
    }

    if (ngx_canary_conf_cookie_value(cf, &attrs->path, &cookie->path) != NGX_OK
        || ngx_canary_conf_cookie_value(cf, &attrs->domain, &cookie->domain)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    len = sizeof("; Path=; Domain=; SameSite=Strict; Secure; HttpOnly") - 1
          + attrs->path.len + attrs->domain.len;

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    cookie->attributes.data = p;

    if (cookie->path == NULL) {
        p = ngx_sprintf(p, "; Path=%V", &attrs->path);
    }

    if (attrs->domain.len && cookie->domain == NULL) {
        p = ngx_sprintf(p, "; Domain=%V", &attrs->domain);
    }

    if (attrs->samesite) {
        p = ngx_sprintf(p, "; SameSite=%s", attrs->samesite);
    }

    if (attrs->secure) {
        p = ngx_sprintf(p, "; Secure");
    }

    if (attrs->httponly) {
        p = ngx_sprintf(p, "; HttpOnly");
    }

    cookie->attributes.len = p - cookie->attributes.data;

    return NGX_CONF_OK;
}


/* leaves *value NULL where the text has no variables */

static ngx_int_t
ngx_canary_conf_cookie_value(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_complex_value_t **value)
{
    ngx_http_compile_complex_value_t  ccv;

    if (ngx_http_script_variables_count(text) == 0) {
        return NGX_OK;
    }

    *value = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (*value == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = *value;

    return ngx_http_compile_complex_value(&ccv);
}
