
#include "ngx_canary_response.h"
#include "../pure/ngx_canary_accept.h"
#include "../pure/ngx_canary_gate.h"
#include "../pure/ngx_canary_path.h"
#include "../pure/ngx_canary_query.h"


typedef int (*ngx_canary_render_pt)(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);


typedef struct {
    ngx_str_t              path;        /* below the location's prefix */
    ngx_str_t              type;
    ngx_canary_render_pt   render;
    ngx_uint_t             want;        /* ngx_canary_want_e */
    ngx_str_t              policy;      /* Content-Security-Policy, or empty */
} ngx_canary_resource_t;


typedef struct {
    ngx_str_t                path;
    ngx_str_t                type;
    const ngx_canary_str_t  *text;
} ngx_canary_file_t;


/* the splits that an answer is about, or why there is none */
typedef struct {
    ngx_canary_srv_conf_t  **conf;
    ngx_uint_t               n;
    ngx_uint_t               named;     /* the argument was there */
    ngx_uint_t               status;
    ngx_str_t                error;
} ngx_canary_choice_t;


static ngx_int_t ngx_canary_status_handler(ngx_http_request_t *r);
static ngx_int_t ngx_canary_status_send(ngx_http_request_t *r,
    ngx_canary_resource_t *resource);
static void ngx_canary_status_path(ngx_http_request_t *r, ngx_str_t *path);
static ngx_canary_file_t *ngx_canary_status_file(ngx_str_t *path);
static ngx_canary_resource_t *ngx_canary_status_resource(
    ngx_http_request_t *r, ngx_str_t *path);
static ngx_uint_t ngx_canary_accepts_openmetrics(ngx_http_request_t *r);
static ngx_int_t ngx_canary_choose(ngx_http_request_t *r,
    ngx_canary_choice_t *choice);
static ngx_int_t ngx_canary_choice_unknown(ngx_http_request_t *r,
    ngx_canary_choice_t *choice, ngx_str_t *name);
static void ngx_canary_status_page(ngx_http_request_t *r,
    ngx_canary_str_t *page);
static ngx_int_t ngx_canary_status_snapshot(ngx_http_request_t *r,
    ngx_canary_choice_t *choice, ngx_uint_t want,
    ngx_canary_snapshot_t *snap);
static ngx_int_t ngx_canary_status_pictures(ngx_http_request_t *r,
    ngx_canary_choice_t *choice, ngx_uint_t want,
    ngx_canary_snapshot_t *snap);


static ngx_canary_resource_t  ngx_canary_resources[] = {

    { ngx_string(""),
      ngx_string("text/html; charset=utf-8"),
      ngx_canary_render_page,
      NGX_CANARY_WANT_QUANTILES|NGX_CANARY_WANT_STAGE
      |NGX_CANARY_WANT_HISTORY,
      ngx_string("default-src 'none'; style-src 'self'; script-src 'self'; "
                 "connect-src 'self'; img-src data:; base-uri 'none'; "
                 "form-action 'none'; frame-ancestors 'none'") },

    { ngx_string("status.json"),
      ngx_string("application/json"),
      ngx_canary_render_json,
      NGX_CANARY_WANT_QUANTILES,
      ngx_null_string },

    { ngx_string("history.json"),
      ngx_string("application/json"),
      ngx_canary_render_history,
      NGX_CANARY_WANT_HISTORY,
      ngx_null_string },

    { ngx_string("metrics"),
      ngx_string("text/plain; version=0.0.4; charset=utf-8"),
      ngx_canary_render_prometheus,
      NGX_CANARY_WANT_BOUNDS,
      ngx_null_string },

    { ngx_null_string, ngx_null_string, NULL, 0, ngx_null_string }
};


static ngx_canary_resource_t  ngx_canary_openmetrics = {
    ngx_string("metrics"),
    ngx_string("application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ngx_canary_render_openmetrics,
    NGX_CANARY_WANT_BOUNDS,
    ngx_null_string
};


static ngx_canary_file_t  ngx_canary_files[] = {

    { ngx_string("page.css"),
      ngx_string("text/css; charset=utf-8"),
      &ngx_canary_page_css },

    { ngx_string("page.js"),
      ngx_string("text/javascript; charset=utf-8"),
      &ngx_canary_page_js },

    { ngx_null_string, ngx_null_string, NULL }
};


static ngx_str_t  ngx_canary_methods = ngx_string("GET, HEAD");
static ngx_str_t  ngx_canary_unnamed =
    ngx_string("argument \"upstream\" is missing, it must name a split");


static ngx_int_t
ngx_canary_status_handler(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_str_t               path;
    ngx_canary_file_t      *file;
    ngx_canary_resource_t  *resource;

    if (ngx_canary_response_nosniff(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

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

    ngx_canary_status_path(r, &path);

    file = ngx_canary_status_file(&path);

    if (file) {
        return ngx_canary_response_file(r, file->text, &file->type);
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
    ngx_int_t              rc;
    ngx_canary_choice_t    choice;
    ngx_canary_response_t  rs;
    ngx_canary_snapshot_t  snap;

    rc = ngx_canary_choose(r, &choice);

    if (rc == NGX_DECLINED) {
        return ngx_canary_response_error(r, choice.status, &choice.error);
    }

    if (rc == NGX_OK && !choice.named
        && resource->render == ngx_canary_render_history)
    {
        return ngx_canary_response_error(r, NGX_HTTP_BAD_REQUEST,
                                         &ngx_canary_unnamed);
    }

    if (rc != NGX_OK
        || ngx_canary_status_snapshot(r, &choice, resource->want, &snap)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (resource->policy.len
        && ngx_canary_response_header(r, "Content-Security-Policy",
                                      &resource->policy)
           == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_canary_response_init(&rs, r);

    if (resource->render(&snap, &rs.out) != 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_canary_response_send(&rs, NGX_HTTP_OK, &resource->type);
}


/* the path below a prefix location, the last part of it in any other one */

static void
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

        if (p < last && *p == '/') {
            p++;

        } else if (p < last && p[-1] != '/') {
            /* "/canary" is a prefix of "/canarymetrics" too */
            p = r->uri.data;
        }

    } else {
        p = r->uri.data + ngx_canary_path_last(r->uri.data, r->uri.len);
    }

    path->len = last - p;
    path->data = p;
}


static ngx_canary_file_t *
ngx_canary_status_file(ngx_str_t *path)
{
    ngx_canary_file_t  *file;

    for (file = ngx_canary_files; file->text; file++) {

        if (file->path.len == path->len
            && ngx_strncmp(file->path.data, path->data, path->len) == 0)
        {
            return file;
        }
    }

    return NULL;
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


/* only for a client that asks for it by name, as Prometheus does */

static ngx_uint_t
ngx_canary_accepts_openmetrics(ngx_http_request_t *r)
{
    ngx_uint_t            i;
    ngx_list_part_t      *part;
    ngx_table_elt_t      *header;
    ngx_canary_accept_t   accept;

    ngx_memzero(&accept, sizeof(ngx_canary_accept_t));

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (header[i].key.len == sizeof("Accept") - 1
                && ngx_strncasecmp(header[i].key.data, (u_char *) "Accept",
                                   sizeof("Accept") - 1)
                   == 0)
            {
                ngx_canary_accept_parse(&accept, header[i].value.data,
                                        header[i].value.len);
            }
        }
    }

    return accept.openmetrics > 0 && accept.openmetrics >= accept.plain;
}


/*
 * All splits, or the one that the argument "upstream" names.  NGX_DECLINED: the
 * answer is "status" and "error".
 */

static ngx_int_t
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


static ngx_int_t
ngx_canary_status_snapshot(ngx_http_request_t *r, ngx_canary_choice_t *choice,
    ngx_uint_t want, ngx_canary_snapshot_t *snap)
{
    ngx_str_t                value;
    ngx_canary_common_t     *common;
    ngx_canary_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_canary_module);

    ngx_memzero(snap, sizeof(ngx_canary_snapshot_t));

    snap->version.data = (u_char *) NGX_CANARY_VERSION;
    snap->version.len = sizeof(NGX_CANARY_VERSION) - 1;
    snap->server_version.data = (u_char *) NGINX_VERSION;
    snap->server_version.len = sizeof(NGINX_VERSION) - 1;
    snap->time_ms = ngx_canary_now_ms();

    ngx_canary_status_page(r, &snap->page);

    common = cmcf->common ? cmcf->common->data : NULL;

    if (common) {
        snap->generation = ngx_canary_load(&common->generation);
        snap->loaded_at_ms = ngx_canary_load(&common->loaded_ms);
    }

    snap->others = cmcf->splits.nelts - choice->n;

    if (choice->n == 0) {
        return NGX_OK;
    }

    /* an overview has no curves, and a line of the last hour */

    if (choice->n > 1 && (want & NGX_CANARY_WANT_HISTORY)) {
        want &= ~(ngx_uint_t) (NGX_CANARY_WANT_STAGE|NGX_CANARY_WANT_HISTORY);
        want |= NGX_CANARY_WANT_HOUR;
    }

    /* status.json?histograms=1: the buckets as well */

    if (ngx_http_arg(r, (u_char *) "histograms", 10, &value) == NGX_OK
        && value.len == 1 && value.data[0] == '1')
    {
        want |= NGX_CANARY_WANT_BUCKETS;
    }

    return ngx_canary_status_pictures(r, choice, want, snap);
}


/* what the browser has in its address bar, where nginx may have rewritten it */

static void
ngx_canary_status_page(ngx_http_request_t *r, ngx_canary_str_t *page)
{
    size_t   len, last;
    u_char  *p, *query;

    p = r->unparsed_uri.data;
    len = r->unparsed_uri.len;

    query = ngx_strlchr(p, p + len, '?');

    if (query) {
        len = query - p;
    }

    last = ngx_canary_path_last(p, len);

    page->len = len - last;
    page->data = p + last;
}


static ngx_int_t
ngx_canary_status_pictures(ngx_http_request_t *r, ngx_canary_choice_t *choice,
    ngx_uint_t want, ngx_canary_snapshot_t *snap)
{
    ngx_uint_t           i;
    ngx_canary_split_t  *oldest;

    snap->splits = ngx_palloc(r->pool, choice->n * sizeof(ngx_canary_split_t));
    if (snap->splits == NULL) {
        return NGX_ERROR;
    }

    oldest = snap->splits;

    for (i = 0; i < choice->n; i++) {
        snap->splits[i].want = want|NGX_CANARY_WANT_USERS;

        if (ngx_canary_split_picture(choice->conf[i], &snap->splits[i],
                                     r->pool)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_canary_gates_judge(&snap->splits[i]);

        if (snap->splits[i].generation < oldest->generation) {
            oldest = &snap->splits[i];
        }
    }

    snap->nsplits = choice->n;

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
