
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
ngx_canary_form_take(ngx_http_request_t *r, ngx_str_t *body)
{
    off_t         size;
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (r->request_body == NULL) {
        return NGX_OK;
    }

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;
        size = ngx_buf_size(b);
        p = body->data + body->len;

        if (size > (off_t) (NGX_CANARY_MAX_BODY - body->len)) {
            return NGX_DECLINED;
        }

        if (ngx_buf_in_memory(b)) {
            ngx_memcpy(p, b->pos, size);
            b->pos = b->last;

        } else if (size
                   && ngx_read_file(b->file, p, (size_t) size, b->file_pos)
                      != (ssize_t) size)
        {
            return NGX_ERROR;
        }

        body->len += (size_t) size;
    }

    /* so that their memory is used again for what is still to be read */

    r->request_body->bufs = NULL;

    return NGX_OK;
}


const char *
ngx_canary_form_parse(ngx_canary_form_t *form, ngx_str_t *body,
    ngx_uint_t causes)
{
    const char          *error;
    ngx_canary_field_t   fields[3];

    ngx_memzero(fields, sizeof(fields));

    fields[0].name = "by";
    fields[1].name = "reason";
    fields[2].name = "cause";

    error = ngx_canary_fields_parse(fields, causes ? 3 : 2, body->data,
                                    body->len);

    form->by.data = fields[0].value;
    form->by.len = fields[0].len;
    form->reason.data = fields[1].value;
    form->reason.len = fields[1].len;
    form->cause.data = fields[2].value;
    form->cause.len = fields[2].len;

    return error;
}
