
#include "ngx_canary_response.h"


static char *ngx_canary_form_decode(ngx_str_t *value);
static ngx_uint_t ngx_canary_form_is_utf8(u_char *p, u_char *last);


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


char *
ngx_canary_form_parse(ngx_canary_form_t *form, ngx_str_t *body)
{
    char       *error;
    u_char     *p, *last, *end, *equals;
    ngx_str_t  *field;

    p = body->data;
    last = p + body->len;

    while (p < last) {
        end = ngx_strlchr(p, last, '&');

        if (end == NULL) {
            end = last;

        } else if (end + 1 == last) {
            return "an empty field";
        }

        equals = ngx_strlchr(p, end, '=');

        if (equals == NULL) {
            return "a field without \"=\"";
        }

        if (equals - p == 2 && ngx_memcmp(p, "by", 2) == 0) {
            field = &form->by;

        } else if (equals - p == 6 && ngx_memcmp(p, "reason", 6) == 0) {
            field = &form->reason;

        } else {
            return "unknown field, only \"by\" and \"reason\" are allowed";
        }

        if (field->data) {
            return "a field is given twice";
        }

        field->data = equals + 1;
        field->len = end - field->data;

        error = ngx_canary_form_decode(field);

        if (error) {
            return error;
        }

        p = (end == last) ? last : end + 1;
    }

    return NULL;
}


static char *
ngx_canary_form_decode(ngx_str_t *value)
{
    u_char     *src, *dst, *last;
    ngx_int_t   n;

    src = value->data;
    dst = value->data;
    last = src + value->len;

    while (src < last) {

        if (*src == '%') {
            n = (last - src > 2) ? ngx_hextoi(src + 1, 2) : NGX_ERROR;

            if (n == NGX_ERROR) {
                return "\"%\" without two hexadecimal digits";
            }

            *dst = (u_char) n;
            src += 3;

        } else {
            *dst = (*src == '+') ? ' ' : *src;
            src++;
        }

        if (*dst < 0x20 || *dst == 0x7f) {
            return "control characters are not allowed";
        }

        dst++;
    }

    value->len = dst - value->data;

    if (!ngx_canary_form_is_utf8(value->data, dst)) {
        return "text that is not UTF-8";
    }

    return NULL;
}


/*
 * By table 3-7 of the Unicode standard: no overlong forms, no surrogates, and
 * nothing above U+10FFFF.  ngx_utf8_decode() lets some of these pass.
 */

static ngx_uint_t
ngx_canary_form_is_utf8(u_char *p, u_char *last)
{
    u_char      c, low, high;
    ngx_uint_t  more;

    while (p < last) {
        c = *p++;

        if (c < 0x80) {
            continue;
        }

        if (c < 0xc2 || c > 0xf4) {
            return 0;
        }

        more = (c < 0xe0) ? 1 : (c < 0xf0) ? 2 : 3;

        low = (c == 0xe0) ? 0xa0 : (c == 0xf0) ? 0x90 : 0x80;
        high = (c == 0xed) ? 0x9f : (c == 0xf4) ? 0x8f : 0xbf;

        while (more--) {
            if (p == last || *p < low || *p > high) {
                return 0;
            }

            p++;
            low = 0x80;
            high = 0xbf;
        }
    }

    return 1;
}
