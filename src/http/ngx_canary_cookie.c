
#include "ngx_canary_response.h"
#include "../pure/ngx_canary_cookies.h"

#include <sys/random.h>


/*
 * An id that was issued with this request.  It hangs in the pool's cleanup
 * list, as a module context is lost on an internal redirect and is not shared
 * with subrequests.
 */
typedef struct {
    ngx_canary_srv_conf_t  *conf;
    ngx_str_t               header;             /* its Set-Cookie */
    u_char                  id[NGX_CANARY_ID_LEN];
} ngx_canary_issued_t;


static ngx_canary_issued_t *ngx_canary_cookie_issued(ngx_http_request_t *r,
    ngx_canary_srv_conf_t *conf);
static ngx_int_t ngx_canary_cookie_issue(ngx_http_request_t *r,
    ngx_canary_srv_conf_t *conf, ngx_canary_issued_t **issued);
static ngx_int_t ngx_canary_cookie_send(ngx_http_request_t *r,
    ngx_canary_issued_t *issued);
static ngx_int_t ngx_canary_cookie_attribute(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_str_t *value);
static void ngx_canary_cookie_cleanup(void *data);

#ifdef NGX_HTTP_EARLY_HINTS

static ngx_int_t ngx_canary_cookie_filter(ngx_http_request_t *r);
static ngx_uint_t ngx_canary_cookie_is_sent(ngx_http_request_t *r,
    ngx_canary_issued_t *issued);


static ngx_http_output_header_filter_pt  ngx_canary_next_header_filter;

#endif


ngx_int_t
ngx_canary_cookie(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf,
    ngx_str_t *id)
{
    ngx_canary_issued_t        *issued;
    ngx_http_variable_value_t  *vv;

    vv = ngx_http_get_indexed_variable(r, conf->cookie.index);

    if (vv && !vv->not_found && ngx_canary_cookies_is_id(vv->data, vv->len)) {
        id->len = vv->len;
        id->data = vv->data;
        return NGX_OK;
    }

    issued = ngx_canary_cookie_issued(r, conf);

    if (issued == NULL
        && ngx_canary_cookie_issue(r, conf, &issued) != NGX_OK)
    {
        return NGX_ERROR;
    }

    id->len = issued ? NGX_CANARY_ID_LEN : 0;
    id->data = issued ? issued->id : NULL;

    return NGX_OK;
}


static ngx_canary_issued_t *
ngx_canary_cookie_issued(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf)
{
    ngx_pool_cleanup_t   *cln;
    ngx_canary_issued_t  *issued;

    for (cln = r->main->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_canary_cookie_cleanup) {
            continue;
        }

        issued = cln->data;

        if (ngx_strcmp(issued->conf->cookie.name.data, conf->cookie.name.data)
            == 0)
        {
            return issued;
        }
    }

    return NULL;
}


/*
 * Leaves *issued NULL where the client cannot get it any more (a subrequest
 * behind a header that is sent) or the kernel has no random bytes.  They do not
 * come from OpenSSL: nginx may be built without it.
 */

static ngx_int_t
ngx_canary_cookie_issue(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf,
    ngx_canary_issued_t **issued)
{
    u_char               random[NGX_CANARY_ID_LEN / 2];
    ngx_pool_cleanup_t  *cln;

    if (r->main->header_sent) {
        return NGX_OK;
    }

    if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, ngx_errno,
                      "no random bytes for the cookie \"%V\"",
                      &conf->cookie.name);
        return NGX_OK;
    }

    cln = ngx_pool_cleanup_add(r->main->pool, sizeof(ngx_canary_issued_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_canary_cookie_cleanup;

    *issued = cln->data;
    (*issued)->conf = conf;
    ngx_str_null(&(*issued)->header);
    ngx_hex_dump((*issued)->id, random, sizeof(random));

    return ngx_canary_cookie_send(r->main, *issued);
}


static ngx_int_t
ngx_canary_cookie_send(ngx_http_request_t *r, ngx_canary_issued_t *issued)
{
    u_char                 *p;
    size_t                  len;
    ngx_str_t               path, domain;
    ngx_canary_srv_conf_t  *conf;

    conf = issued->conf;

    if (ngx_canary_cookie_attribute(r, conf->cookie.path, &path) != NGX_OK
        || ngx_canary_cookie_attribute(r, conf->cookie.domain, &domain)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* as without "path=" */

    if (conf->cookie.path && path.len == 0) {
        ngx_str_set(&path, "/");
    }

    len = conf->cookie.name.len + 1 + NGX_CANARY_ID_LEN
          + conf->cookie.attributes.len
          + sizeof("; Path=; Domain=") - 1 + path.len + domain.len
          + sizeof("; Expires=Thu, 31-Dec-37 23:55:55 GMT; Max-Age=") - 1
          + NGX_TIME_T_LEN;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    issued->header.data = p;

    p = ngx_sprintf(p, "%V=%*s%V", &conf->cookie.name,
                    (size_t) NGX_CANARY_ID_LEN, issued->id,
                    &conf->cookie.attributes);

    if (path.len) {
        p = ngx_sprintf(p, "; Path=%V", &path);
    }

    if (domain.len) {
        p = ngx_sprintf(p, "; Domain=%V", &domain);
    }

    if (conf->cookie.expires) {
        p = ngx_cpymem(p, "; Expires=", sizeof("; Expires=") - 1);
        p = ngx_http_cookie_time(p, ngx_time() + conf->cookie.expires);
        p = ngx_sprintf(p, "; Max-Age=%T", conf->cookie.expires);
    }

    issued->header.len = p - issued->header.data;

    return ngx_canary_response_header(r, "Set-Cookie", &issued->header)
           ? NGX_OK : NGX_ERROR;
}


ngx_uint_t
ngx_canary_cookie_is(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    ngx_pool_cleanup_t   *cln;
    ngx_canary_issued_t  *issued;

    for (cln = r->main->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_canary_cookie_cleanup) {
            continue;
        }

        issued = cln->data;

        if (issued->header.data == h->value.data) {
            return 1;
        }
    }

    return 0;
}


#ifdef NGX_HTTP_EARLY_HINTS

/* early hints make nginx drop what was set before them */

static ngx_int_t
ngx_canary_cookie_filter(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t   *cln;
    ngx_canary_issued_t  *issued;

    if (r != r->main) {
        return ngx_canary_next_header_filter(r);
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_canary_cookie_cleanup) {
            continue;
        }

        issued = cln->data;

        if (issued->header.len
            && !ngx_canary_cookie_is_sent(r, issued)
            && ngx_canary_response_header(r, "Set-Cookie", &issued->header)
               == NULL)
        {
            return NGX_ERROR;
        }
    }

    return ngx_canary_next_header_filter(r);
}


static ngx_uint_t
ngx_canary_cookie_is_sent(ngx_http_request_t *r, ngx_canary_issued_t *issued)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].value.data == issued->header.data) {
                return 1;
            }
        }
    }

    return 0;
}

#endif


void
ngx_canary_cookie_add_filter(void)
{
#ifdef NGX_HTTP_EARLY_HINTS
    ngx_canary_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_canary_cookie_filter;
#endif
}


/* empty if there is none, or its value could be more than one attribute */

static ngx_int_t
ngx_canary_cookie_attribute(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_str_t *value)
{
    size_t  i;

    ngx_str_null(value);

    if (cv == NULL) {
        return NGX_OK;
    }

    if (ngx_http_complex_value(r, cv, value) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < value->len; i++) {

        if (value->data[i] <= 0x20 || value->data[i] >= 0x7f
            || value->data[i] == ';')
        {
            ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                          "value of \"%V\" is no cookie attribute, it is left "
                          "out", &cv->value);
            value->len = 0;
            break;
        }
    }

    return NGX_OK;
}


/* marks the entry in the list; there is nothing to release */

static void
ngx_canary_cookie_cleanup(void *data)
{
    (void) data;
}
