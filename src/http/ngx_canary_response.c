
#include "ngx_canary_response.h"


#define NGX_CANARY_ROOM  8192       /* bytes of a buffer of a response */


static int ngx_canary_response_more(ngx_canary_out_t *out, size_t need);
static ngx_int_t ngx_canary_response_out(ngx_http_request_t *r,
    ngx_chain_t *out, off_t size, ngx_uint_t status, ngx_str_t *type,
    ngx_str_t *cache);


static ngx_str_t  ngx_canary_no_store = ngx_string("no-store");
static ngx_str_t  ngx_canary_max_age = ngx_string("max-age=300");
static ngx_str_t  ngx_canary_nosniff = ngx_string("nosniff");

ngx_str_t  ngx_canary_json_type = ngx_string("application/json");


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

    return ngx_canary_response_out(r, rs->first, size, status, type,
                                   &ngx_canary_no_store);
}


static ngx_int_t
ngx_canary_response_out(ngx_http_request_t *r, ngx_chain_t *out, off_t size,
    ngx_uint_t status, ngx_str_t *type, ngx_str_t *cache)
{
    u_char     *semicolon;
    ngx_int_t   rc;

    if (ngx_canary_response_header(r, "Cache-Control", cache) == NULL) {
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

    return ngx_http_output_filter(r, out);
}


ngx_int_t
ngx_canary_response_error(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *text)
{
    ngx_canary_str_t       str;
    ngx_canary_response_t  rs;

    str.len = text->len;
    str.data = text->data;

    ngx_canary_response_init(&rs, r);

    if (ngx_canary_render_error(str, &rs.out) != 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_canary_response_send(&rs, status, &ngx_canary_json_type);
}


ngx_int_t
ngx_canary_response_file(ngx_http_request_t *r, const ngx_canary_str_t *text,
    ngx_str_t *type)
{
    u_char       *p;
    ngx_buf_t    *b;
    ngx_str_t     etag;
    ngx_chain_t   out;

    b = ngx_calloc_buf(r->pool);
    p = ngx_pnalloc(r->pool, sizeof("\"12345678\"") - 1);

    if (b == NULL || p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = (u_char *) text->data;
    b->last = b->pos + text->len;
    b->memory = 1;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    etag.data = p;
    etag.len = ngx_sprintf(p, "\"%08xD\"",
                           ngx_crc32_long(b->pos, text->len))
               - p;

    r->headers_out.etag = ngx_canary_response_header(r, "ETag", &etag);

    if (r->headers_out.etag == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_canary_response_out(r, &out, text->len, NGX_HTTP_OK, type,
                                   &ngx_canary_max_age);
}


ngx_int_t
ngx_canary_response_nosniff(ngx_http_request_t *r)
{
    return ngx_canary_response_header(r, "X-Content-Type-Options",
                                      &ngx_canary_nosniff)
           ? NGX_OK : NGX_ERROR;
}


ngx_table_elt_t *
ngx_canary_response_header(ngx_http_request_t *r, char *name, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    h->key.len = ngx_strlen(name);
    h->key.data = (u_char *) name;
    h->value = *value;

    return h;
}
