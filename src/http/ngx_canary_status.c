
#include "ngx_canary_response.h"
#include "../pure/ngx_canary_path.h"


typedef int (*ngx_canary_render_pt)(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);


typedef struct {
    ngx_str_t              path;        /* below the location's prefix */
    ngx_str_t              type;
    ngx_canary_render_pt   render;
    ngx_uint_t             want;        /* ngx_canary_want_e */
} ngx_canary_resource_t;


static ngx_int_t ngx_canary_status_handler(ngx_http_request_t *r);
static ngx_int_t ngx_canary_status_send(ngx_http_request_t *r,
    ngx_canary_resource_t *resource);
static ngx_int_t ngx_canary_status_redirect(ngx_http_request_t *r);
static ngx_int_t ngx_canary_status_path(ngx_http_request_t *r,
    ngx_str_t *path);
static ngx_canary_resource_t *ngx_canary_status_resource(
    ngx_http_request_t *r, ngx_str_t *path);
static ngx_int_t ngx_canary_status_snapshot(ngx_http_request_t *r,
    ngx_uint_t want, ngx_canary_snapshot_t *snap);


static ngx_canary_resource_t  ngx_canary_resources[] = {

    { ngx_string(""),
      ngx_string("text/html; charset=utf-8"),
      ngx_canary_render_page,
      NGX_CANARY_WANT_QUANTILES },

    { ngx_string("status.json"),
      ngx_string("application/json"),
      ngx_canary_render_json,
      NGX_CANARY_WANT_QUANTILES },

    { ngx_string("metrics"),
      ngx_string("text/plain; version=0.0.4; charset=utf-8"),
      ngx_canary_render_prometheus,
      NGX_CANARY_WANT_BOUNDS },

    { ngx_null_string, ngx_null_string, NULL, 0 }
};


static ngx_canary_resource_t  ngx_canary_openmetrics = {
    ngx_string("metrics"),
    ngx_string("application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ngx_canary_render_openmetrics,
    NGX_CANARY_WANT_BOUNDS
};


static ngx_str_t  ngx_canary_methods = ngx_string("GET, HEAD");


static ngx_int_t
ngx_canary_status_handler(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_str_t               path;
    ngx_canary_resource_t  *resource;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {

        if (ngx_canary_response_header(r, "Allow", &ngx_canary_methods)
            == NULL)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    /* relative links of the page need the slash */

    if (ngx_canary_status_path(r, &path) == NGX_DECLINED) {
        return ngx_canary_status_redirect(r);
    }

    resource = ngx_canary_status_resource(r, &path);

    if (resource == NULL) {
        return NGX_HTTP_NOT_FOUND;
    }

    return ngx_canary_status_send(r, resource);
}


static ngx_int_t
ngx_canary_status_send(ngx_http_request_t *r, ngx_canary_resource_t *resource)
{
    ngx_canary_response_t  rs;
    ngx_canary_snapshot_t  snap;

    if (ngx_canary_status_snapshot(r, resource->want, &snap) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_canary_response_init(&rs, r);

    if (resource->render(&snap, &rs.out) != 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_canary_response_send(&rs, NGX_HTTP_OK, &resource->type);
}


static ngx_int_t
ngx_canary_status_redirect(ngx_http_request_t *r)
{
    u_char           *p;
    uintptr_t         escape;
    ngx_str_t         uri;
    ngx_table_elt_t  *location;

    escape = 2 * ngx_escape_uri(NULL, r->uri.data, r->uri.len,
                                NGX_ESCAPE_URI);

    uri.len = r->uri.len + escape + 1;
    uri.data = ngx_pnalloc(r->pool, uri.len);
    if (uri.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = (u_char *) ngx_escape_uri(uri.data, r->uri.data, r->uri.len,
                                  NGX_ESCAPE_URI);
    *p = '/';

    ngx_http_clear_location(r);

    location = ngx_canary_response_header(r, "Location", &uri);
    if (location == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.location = location;

    return NGX_HTTP_MOVED_PERMANENTLY;
}


/*
 * The path below a prefix location, the last part of it in any other one.
 * NGX_DECLINED if the request is for the prefix itself without its slash.
 */

static ngx_int_t
ngx_canary_status_path(ngx_http_request_t *r, ngx_str_t *path)
{
    u_char                    *p, *last;
    ngx_uint_t                 prefix;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    last = r->uri.data + r->uri.len;

    prefix = !clcf->exact_match && !clcf->noname && !clcf->named
             && clcf->name.len
             && r->uri.len >= clcf->name.len
             && ngx_strncmp(r->uri.data, clcf->name.data, clcf->name.len) == 0;

#if (NGX_PCRE)
    if (clcf->regex) {
        prefix = 0;
    }
#endif

    if (prefix) {
        p = r->uri.data + clcf->name.len;

        if (p == last && p[-1] != '/') {
            return NGX_DECLINED;
        }

        if (p < last && *p == '/') {
            p++;

        } else if (p[-1] != '/') {
            /* "/canary" is a prefix of "/canarymetrics" too */
            p = r->uri.data;
        }

    } else {
        p = r->uri.data + ngx_canary_path_last(r->uri.data, r->uri.len);
    }

    path->len = last - p;
    path->data = p;

    return NGX_OK;
}


static ngx_canary_resource_t *
ngx_canary_status_resource(ngx_http_request_t *r, ngx_str_t *path)
{
    ngx_canary_resource_t  *resource;

    for (resource = ngx_canary_resources; resource->render; resource++) {

        if (resource->path.len != path->len
            || ngx_strncmp(resource->path.data, path->data, path->len) != 0)
        {
            continue;
        }

        if (resource->render == ngx_canary_render_prometheus
            && ngx_canary_accepts_openmetrics(r))
        {
            return &ngx_canary_openmetrics;
        }

        return resource;
    }

    return NULL;
}


static ngx_int_t
ngx_canary_status_snapshot(ngx_http_request_t *r, ngx_uint_t want,
    ngx_canary_snapshot_t *snap)
{
    ngx_str_t                value;
    ngx_uint_t               i;
    ngx_canary_split_t      *oldest;
    ngx_canary_common_t     *common;
    ngx_canary_srv_conf_t  **conf;
    ngx_canary_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_canary_module);

    ngx_memzero(snap, sizeof(ngx_canary_snapshot_t));

    snap->version.data = (u_char *) NGX_CANARY_VERSION;
    snap->version.len = sizeof(NGX_CANARY_VERSION) - 1;
    snap->server_version.data = (u_char *) NGINX_VERSION;
    snap->server_version.len = sizeof(NGINX_VERSION) - 1;
    snap->time_ms = ngx_canary_now_ms();

    common = cmcf->common ? cmcf->common->data : NULL;

    if (common) {
        snap->generation = ngx_canary_load(&common->generation);
        snap->loaded_at_ms = ngx_canary_load(&common->loaded_ms);
    }

    if (cmcf->splits.nelts == 0) {
        return NGX_OK;
    }

    /* status.json?histograms=1: the buckets as well */

    if (ngx_http_arg(r, (u_char *) "histograms", 10, &value) == NGX_OK
        && value.len == 1 && value.data[0] == '1')
    {
        want |= NGX_CANARY_WANT_BUCKETS;
    }

    snap->splits = ngx_palloc(r->pool,
                              cmcf->splits.nelts * sizeof(ngx_canary_split_t));
    if (snap->splits == NULL) {
        return NGX_ERROR;
    }

    conf = cmcf->splits.elts;
    oldest = snap->splits;

    for (i = 0; i < cmcf->splits.nelts; i++) {
        snap->splits[i].want = want|NGX_CANARY_WANT_USERS;

        if (ngx_canary_split_picture(conf[i], &snap->splits[i], r->pool)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (snap->splits[i].generation < oldest->generation) {
            oldest = &snap->splits[i];
        }
    }

    snap->nsplits = cmcf->splits.nelts;

    /* a load that came in between is in force once each split has it */

    if (oldest->generation > snap->generation) {
        snap->generation = oldest->generation;
        snap->loaded_at_ms = oldest->loaded_ms;
    }

    return NGX_OK;
}


char *
ngx_canary_conf_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    clcf->handler = ngx_canary_status_handler;

    if (clcf->name.len && clcf->name.data[clcf->name.len - 1] == '/') {
        clcf->auto_redirect = 1;
    }

    return NGX_CONF_OK;
}
