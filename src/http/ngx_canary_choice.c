
#include "ngx_canary_response.h"
#include "../pure/ngx_canary_query.h"


static ngx_int_t ngx_canary_choice_unknown(ngx_http_request_t *r,
    ngx_canary_choice_t *choice, ngx_str_t *name);


ngx_int_t
ngx_canary_choose(ngx_http_request_t *r, ngx_canary_choice_t *choice)
{
    ngx_str_t                name;
    ngx_canary_srv_conf_t   *conf;
    ngx_canary_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_canary_module);

    choice->conf = cmcf->splits.elts;
    choice->n = cmcf->splits.nelts;
    choice->named = 0;

    if (r->args.len == 0) {
        return NGX_OK;
    }

    name.data = ngx_pnalloc(r->pool, r->args.len);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    switch (ngx_canary_query_find(r->args.data, r->args.len, "upstream",
                                  name.data, &name.len))
    {

    case NGX_CANARY_QUERY_NONE:
        return NGX_OK;

    case NGX_CANARY_QUERY_REPEATED:
        choice->status = NGX_HTTP_BAD_REQUEST;
        ngx_str_set(&choice->error,
                    "argument \"upstream\" is given more than once");
        return NGX_DECLINED;

    case NGX_CANARY_QUERY_MALFORMED:
        choice->status = NGX_HTTP_BAD_REQUEST;
        ngx_str_set(&choice->error,
                    "argument \"upstream\" has a \"%\" without two "
                    "hexadecimal digits");
        return NGX_DECLINED;

    default: /* NGX_CANARY_QUERY_FOUND */
        break;
    }

    for ( /* void */ ; choice->n; choice->n--, choice->conf++) {
        conf = *choice->conf;

        if (conf->name.len == name.len
            && ngx_memcmp(conf->name.data, name.data, name.len) == 0)
        {
            choice->n = 1;
            choice->named = 1;
            return NGX_OK;
        }
    }

    return ngx_canary_choice_unknown(r, choice, &name);
}


static ngx_int_t
ngx_canary_choice_unknown(ngx_http_request_t *r, ngx_canary_choice_t *choice,
    ngx_str_t *name)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool,
                    sizeof("upstream \"\" is not split") - 1 + name->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    choice->status = NGX_HTTP_NOT_FOUND;
    choice->error.data = p;
    choice->error.len = ngx_sprintf(p, "upstream \"%V\" is not split", name)
                        - p;

    return NGX_DECLINED;
}
