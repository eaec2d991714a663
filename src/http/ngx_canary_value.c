
#include "ngx_canary_http.h"
#include "../pure/ngx_canary_cookies.h"


/* of "a=1, b=2" nginx finds "b" too, unless it is a newer version */
#if (NGX_CANARY_COOKIE_LINES)
#define NGX_CANARY_COOKIE_COMMAS  0
#else
#define NGX_CANARY_COOKIE_COMMAS  1
#endif


static ngx_int_t ngx_canary_value_other(ngx_http_request_t *r,
    ngx_canary_value_t *value, ngx_str_t *result)
    __attribute__((noinline));
static ngx_inline ngx_int_t ngx_canary_value_cookie(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);
static ngx_inline ngx_int_t ngx_canary_value_find(ngx_str_t *header,
    ngx_str_t *name, ngx_str_t *value);
static void ngx_canary_value_kind(ngx_http_request_t *r,
    ngx_canary_value_t *value) __attribute__((cold, noinline));


ngx_int_t
ngx_canary_value_compile(ngx_conf_t *cf, ngx_str_t *text,
    ngx_canary_value_t *value)
{
    u_char                            *p, *last, ch;
    ngx_str_t                          name;
    ngx_http_compile_complex_value_t   ccv;

    ngx_memzero(value, sizeof(ngx_canary_value_t));

    if (text->len > 1 && text->data[0] == '$') {
        name.data = text->data + 1;
        name.len = text->len - 1;

        if (name.len > 2 && name.data[0] == '{'
            && name.data[name.len - 1] == '}')
        {
            name.data++;
            name.len -= 2;
        }

        last = name.data + name.len;

        for (p = name.data; p < last; p++) {
            ch = *p | 0x20;

            if (!(ch >= 'a' && ch <= 'z') && !(*p >= '0' && *p <= '9')
                && *p != '_')
            {
                break;
            }
        }

        /* $1 and the like are captures, not variables */

        if (p == last && !(name.data[0] >= '0' && name.data[0] <= '9')) {
            value->index = ngx_http_get_variable_index(cf, &name);
            return value->index == NGX_ERROR ? NGX_ERROR : NGX_OK;
        }
    }

    value->index = NGX_ERROR;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = &value->complex;

    return ngx_http_compile_complex_value(&ccv);
}


ngx_int_t
ngx_canary_value(ngx_http_request_t *r, ngx_canary_value_t *value,
    ngx_str_t *result)
{
    ngx_http_variable_value_t  *vv;

    if (value->kind == NGX_CANARY_VALUE_COOKIE) {
        vv = &r->variables[value->index];

        if (!vv->valid && !vv->not_found) {

            if (ngx_canary_value_cookie(r, &value->cookie, result) != NGX_OK) {
                ngx_str_null(result);
            }

            return NGX_OK;
        }
    }

    return ngx_canary_value_other(r, value, result);
}


static ngx_int_t
ngx_canary_value_other(ngx_http_request_t *r, ngx_canary_value_t *value,
    ngx_str_t *result)
{
    ngx_http_variable_value_t  *vv;

    if (value->index == NGX_ERROR) {
        return ngx_http_complex_value(r, &value->complex, result);
    }

    if (value->kind == NGX_CANARY_VALUE_UNKNOWN) {
        ngx_canary_value_kind(r, value);
        return ngx_canary_value(r, value, result);
    }

    vv = ngx_http_get_flushed_variable(r, value->index);

    if (vv == NULL || vv->not_found) {
        ngx_str_null(result);
        return NGX_OK;
    }

    result->len = vv->len;
    result->data = vv->data;

    return NGX_OK;
}


/* what $cookie_NAME is; NGX_DECLINED if the client sent no such cookie */

static ngx_inline ngx_int_t
ngx_canary_value_cookie(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
#if (nginx_version >= 1023000)
    ngx_table_elt_t  *h;

    for (h = r->headers_in.cookie; h; h = h->next) {
        if (ngx_canary_value_find(&h->value, name, value) == NGX_OK) {
            return NGX_OK;
        }
    }

#else
    ngx_table_elt_t  **h, **last;

    h = r->headers_in.cookies.elts;
    last = h + r->headers_in.cookies.nelts;

    for ( /* void */ ; h < last; h++) {
        if (ngx_canary_value_find(&(*h)->value, name, value) == NGX_OK) {
            return NGX_OK;
        }
    }
#endif

    return NGX_DECLINED;
}


static ngx_inline ngx_int_t
ngx_canary_value_find(ngx_str_t *header, ngx_str_t *name, ngx_str_t *value)
{
    size_t  offset;

    offset = ngx_canary_cookies_find(header->data, header->len, name->data,
                                     name->len, NGX_CANARY_COOKIE_COMMAS,
                                     &value->len);

    if (offset == NGX_CANARY_COOKIES_NONE) {
        return NGX_DECLINED;
    }

    value->data = header->data + offset;

    return NGX_OK;
}


/*
 * A cookie is looked up without the variable, which costs more than all the
 * rest of an assignment, unless "map" or the like redefines the name ("set"
 * leaves the handler, and a valid value).  That is known only when nginx has
 * bound all variables to their handlers.
 */

static void
ngx_canary_value_kind(ngx_http_request_t *r, ngx_canary_value_t *value)
{
    ngx_uint_t                  i;
    ngx_http_variable_t        *v, *prefix;
    ngx_http_core_main_conf_t  *cmcf;

    static ngx_str_t  cookie = ngx_string("cookie_");

    value->kind = NGX_CANARY_VALUE_VARIABLE;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    v = cmcf->variables.elts;
    v += value->index;

    if (v->name.len <= cookie.len) {
        return;
    }

    prefix = cmcf->prefix_variables.elts;

    for (i = 0; i < cmcf->prefix_variables.nelts; i++) {

        if (prefix[i].name.len == cookie.len
            && ngx_strncmp(prefix[i].name.data, cookie.data, cookie.len) == 0
            && prefix[i].get_handler == v->get_handler)
        {
            value->kind = NGX_CANARY_VALUE_COOKIE;
            value->cookie.len = v->name.len - cookie.len;
            value->cookie.data = v->name.data + cookie.len;
            return;
        }
    }
}
