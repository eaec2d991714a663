
#include "ngx_canary_response.h"


#define NGX_CANARY_ROOM  8192       /* bytes of a buffer of a response */


typedef int (*ngx_canary_render_pt)(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);


typedef struct {
    ngx_str_t              path;        /* below the location's prefix */
    ngx_str_t              type;
    ngx_canary_render_pt   render;
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
    ngx_canary_snapshot_t *snap);
static ngx_uint_t ngx_canary_accepts_openmetrics(ngx_http_request_t *r);
static void ngx_canary_accept_parse(ngx_str_t *value, ngx_int_t *openmetrics,
    ngx_int_t *plain);
static u_char *ngx_canary_accept_token(u_char *p, u_char *last, u_char stop,
    ngx_str_t *token);
static ngx_int_t ngx_canary_accept_quality(ngx_str_t *param);
static int ngx_canary_response_more(ngx_canary_out_t *out, size_t need);


static ngx_canary_resource_t  ngx_canary_resources[] = {

    { ngx_string(""),
      ngx_string("text/html; charset=utf-8"),
      ngx_canary_render_page },

    { ngx_string("status.json"),
      ngx_string("application/json"),
      ngx_canary_render_json },

    { ngx_string("metrics"),
      ngx_string("text/plain; version=0.0.4; charset=utf-8"),
      ngx_canary_render_prometheus },

    { ngx_null_string, ngx_null_string, NULL }
};


static ngx_canary_resource_t  ngx_canary_openmetrics = {
    ngx_string("metrics"),
    ngx_string("application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ngx_canary_render_openmetrics
};


static ngx_int_t
ngx_canary_status_handler(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_str_t               path;
    ngx_canary_resource_t  *resource;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {

        if (ngx_canary_response_header(r, "Allow", "GET, HEAD") != NGX_OK) {
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

    if (ngx_canary_status_snapshot(r, &snap) != NGX_OK) {
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
    size_t            len;
    uintptr_t         escape;
    ngx_table_elt_t  *location;

    escape = 2 * ngx_escape_uri(NULL, r->uri.data, r->uri.len,
                                NGX_ESCAPE_URI);
    len = r->uri.len + escape + 1;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_clear_location(r);

    location = ngx_list_push(&r->headers_out.headers);
    if (location == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    location->hash = 1;
#if (nginx_version >= 1023000)
    location->next = NULL;
#endif
    ngx_str_set(&location->key, "Location");
    location->value.len = len;
    location->value.data = p;

    p = (u_char *) ngx_escape_uri(p, r->uri.data, r->uri.len, NGX_ESCAPE_URI);
    *p = '/';

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
        for (p = last; p > r->uri.data && p[-1] != '/'; p--) { /* void */ }
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
ngx_canary_status_snapshot(ngx_http_request_t *r, ngx_canary_snapshot_t *snap)
{
    ngx_uint_t               i;
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

    snap->splits = ngx_palloc(r->pool,
                              cmcf->splits.nelts * sizeof(ngx_canary_split_t));
    if (snap->splits == NULL) {
        return NGX_ERROR;
    }

    conf = cmcf->splits.elts;

    for (i = 0; i < cmcf->splits.nelts; i++) {
        if (ngx_canary_split_picture(conf[i], &snap->splits[i], r->pool)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    snap->nsplits = cmcf->splits.nelts;

    return NGX_OK;
}


/* OpenMetrics only for a client that asks for it by name, as Prometheus does */

static ngx_uint_t
ngx_canary_accepts_openmetrics(ngx_http_request_t *r)
{
    ngx_int_t         openmetrics, plain;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    openmetrics = 0;
    plain = 0;

    part = &r->headers_in.headers.part;
    header = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (header[i].key.len == sizeof("Accept") - 1
            && ngx_strncasecmp(header[i].key.data, (u_char *) "Accept",
                               sizeof("Accept") - 1)
               == 0)
        {
            ngx_canary_accept_parse(&header[i].value, &openmetrics, &plain);
        }
    }

    return openmetrics > 0 && openmetrics >= plain;
}


/* raises the qualities, which are in 1e-3, to those in "value" */

static void
ngx_canary_accept_parse(ngx_str_t *value, ngx_int_t *openmetrics,
    ngx_int_t *plain)
{
    u_char     *p, *last, *q, *end;
    ngx_int_t   quality;
    ngx_str_t   range, type, param;

    p = value->data;
    last = p + value->len;

    while (p < last) {
        p = ngx_canary_accept_token(p, last, ',', &range);

        end = range.data + range.len;
        q = ngx_canary_accept_token(range.data, end, ';', &type);
        quality = 1000;

        while (q < end) {
            q = ngx_canary_accept_token(q, end, ';', &param);

            if (param.len >= 2 && (param.data[0] | 0x20) == 'q'
                && param.data[1] == '=')
            {
                quality = ngx_canary_accept_quality(&param);
            }
        }

        if (type.len == sizeof("application/openmetrics-text") - 1
            && ngx_strncasecmp(type.data,
                               (u_char *) "application/openmetrics-text",
                               type.len)
               == 0)
        {
            *openmetrics = ngx_max(*openmetrics, quality);

        } else if (type.len == sizeof("text/plain") - 1
                   && ngx_strncasecmp(type.data, (u_char *) "text/plain",
                                      type.len)
                      == 0)
        {
            *plain = ngx_max(*plain, quality);
        }
    }
}


/* what stands before "stop", less blanks; returns where to go on */

static u_char *
ngx_canary_accept_token(u_char *p, u_char *last, u_char stop,
    ngx_str_t *token)
{
    u_char  *end;

    end = ngx_strlchr(p, last, stop);

    if (end == NULL) {
        end = last;
    }

    last = (end == last) ? last : end + 1;

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (end > p && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }

    token->len = end - p;
    token->data = p;

    return last;
}


/* of "q=0.5", in 1e-3; 0 if it is malformed */

static ngx_int_t
ngx_canary_accept_quality(ngx_str_t *param)
{
    ngx_int_t  quality;

    if (param->len == 3) {
        quality = ngx_atofp(param->data + 2, 1, 3);

    } else if (param->len > 4 && param->len <= sizeof("q=0.999") - 1
               && param->data[3] == '.')
    {
        quality = ngx_atofp(param->data + 2, param->len - 2, 3);

    } else {
        return 0;
    }

    return (quality < 0 || quality > 1000) ? 0 : quality;
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


ngx_int_t
ngx_canary_split_picture(ngx_canary_srv_conf_t *conf,
    ngx_canary_split_t *split, ngx_pool_t *pool)
{
    split->name.len = conf->name.len;
    split->name.data = conf->name.data;
    split->nle = conf->nle;

    ngx_memcpy(split->le_us, conf->le_us, conf->nle * sizeof(uint64_t));

    return ngx_canary_picture(conf->shm_zone->data, split, pool);
}


void
ngx_canary_response_init(ngx_canary_response_t *rs, ngx_http_request_t *r)
{
    ngx_memzero(rs, sizeof(ngx_canary_response_t));

    rs->request = r;
    rs->out.more = ngx_canary_response_more;
    rs->out.data = rs;
}


static int
ngx_canary_response_more(ngx_canary_out_t *out, size_t need)
{
    ngx_canary_response_t *rs = out->data;

    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (rs->last) {
        rs->last->buf->last = out->pos;
    }

    cl = ngx_alloc_chain_link(rs->request->pool);
    if (cl == NULL) {
        return -1;
    }

    b = ngx_create_temp_buf(rs->request->pool, ngx_max(need, NGX_CANARY_ROOM));
    if (b == NULL) {
        return -1;
    }

    cl->buf = b;
    cl->next = NULL;

    if (rs->last) {
        rs->last->next = cl;

    } else {
        rs->first = cl;
    }

    rs->last = cl;

    out->pos = b->pos;
    out->last = b->end;

    return 0;
}


ngx_int_t
ngx_canary_response_send(ngx_canary_response_t *rs, ngx_uint_t status,
    ngx_str_t *type)
{
    off_t                size;
    u_char              *semicolon;
    ngx_int_t            rc;
    ngx_chain_t         *cl, *last;
    ngx_http_request_t  *r;

    r = rs->request;

    if (rs->out.failed || rs->first == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rs->last->buf->last = rs->out.pos;

    size = 0;
    last = rs->first;

    /* a buffer that was taken and not used must not be sent */

    for (cl = rs->first; cl; cl = cl->next) {
        if (ngx_buf_size(cl->buf)) {
            size += ngx_buf_size(cl->buf);
            last = cl;
        }
    }

    last->next = NULL;
    last->buf->last_buf = (r == r->main) ? 1 : 0;
    last->buf->last_in_chain = 1;

    if (ngx_canary_response_header(r, "Cache-Control", "no-store") != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    semicolon = ngx_strlchr(type->data, type->data + type->len, ';');

    r->headers_out.status = status;
    r->headers_out.content_length_n = size;
    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = semicolon
                                      ? (size_t) (semicolon - type->data)
                                      : type->len;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, rs->first);
}


ngx_int_t
ngx_canary_response_header(ngx_http_request_t *r, char *name, char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    h->key.len = ngx_strlen(name);
    h->key.data = (u_char *) name;
    h->value.len = ngx_strlen(value);
    h->value.data = (u_char *) value;

    return NGX_OK;
}
