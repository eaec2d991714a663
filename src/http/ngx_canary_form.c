
#include "ngx_canary_response.h"
#include "../pure/ngx_canary_fields.h"


ngx_uint_t
ngx_canary_form_is_type(ngx_http_request_t *r)
{
    size_t      len;
    u_char     *end;
    ngx_str_t  *type;

    if (r->headers_in.content_type == NULL) {
        return 1;
    }

    type = &r->headers_in.content_type->value;
    end = ngx_strlchr(type->data, type->data + type->len, ';');
    len = end ? (size_t) (end - type->data) : type->len;

    while (len && (type->data[len - 1] == ' ' || type->data[len - 1] == '\t')) {
        len--;
    }

    return len == sizeof("application/x-www-form-urlencoded") - 1
           && ngx_strncasecmp(type->data,
                              (u_char *) "application/x-www-form-urlencoded",
                              len)
              == 0;
}


ngx_int_t
ngx_canary_form_read(ngx_http_request_t *r, ngx_str_t *body)
{
    off_t                     total, size;
    u_char                   *p;
    ngx_chain_t              *cl, *bufs;
    ngx_http_request_body_t  *rb;

    rb = r->request_body;
    bufs = rb ? rb->bufs : NULL;
    total = 0;

    for (cl = bufs; cl; cl = cl->next) {
        total += ngx_buf_size(cl->buf);
    }

    if (total > NGX_CANARY_MAX_BODY) {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(r->pool, NGX_CANARY_MAX_BODY);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;

    for (cl = bufs; cl; cl = cl->next) {
        size = ngx_buf_size(cl->buf);

        if (ngx_buf_in_memory(cl->buf)) {
            p = ngx_cpymem(p, cl->buf->pos, size);
            continue;
        }

        if (size
            && ngx_read_file(cl->buf->file, p, (size_t) size,
                             cl->buf->file_pos)
               != (ssize_t) size)
        {
            return NGX_ERROR;
        }

        p += size;
    }

    body->len = p - body->data;

    return NGX_OK;
}


const char *
ngx_canary_form_parse(ngx_canary_form_t *form, ngx_str_t *body)
{
    const char          *error;
    ngx_canary_field_t   fields[2];

    ngx_memzero(fields, sizeof(fields));

    fields[0].name = "by";
    fields[1].name = "reason";

    error = ngx_canary_fields_parse(fields, 2, body->data, body->len);

    form->by.data = fields[0].value;
    form->by.len = fields[0].len;
    form->reason.data = fields[1].value;
    form->reason.len = fields[1].len;

    return error;
}
