
#include "ngx_canary_control.h"
#include "../pure/ngx_canary_fields.h"


static void ngx_canary_body_cleanup(void *data);
static ngx_canary_command_t *ngx_canary_body_command(ngx_http_request_t *r);
static void ngx_canary_body_handler(ngx_http_request_t *r);
static void ngx_canary_body_event(ngx_http_request_t *r);
static ngx_int_t ngx_canary_body_take(ngx_http_request_t *r, ngx_str_t *body);
static void ngx_canary_body_end(ngx_http_request_t *r,
    ngx_canary_command_t *command, ngx_int_t rc);


/*
 * Part by part, so that no more of it is kept than a form may have: nginx's own
 * limit does not hold here, see ngx_canary_conf_control().
 */

ngx_int_t
ngx_canary_body_read(ngx_http_request_t *r, ngx_canary_command_t *command,
    ngx_canary_body_pt handler)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    command->body.data = ngx_pnalloc(r->pool, NGX_CANARY_MAX_BODY);

    if (cln == NULL || command->body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_canary_body_cleanup;
    cln->data = command;

    command->handler = handler;
    r->request_body_no_buffering = 1;

    return ngx_http_read_client_request_body(r, ngx_canary_body_handler);
}


/* nothing to clean up: it only keeps the command of a request */

static void
ngx_canary_body_cleanup(void *data)
{
}


static ngx_canary_command_t *
ngx_canary_body_command(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_canary_body_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


static void
ngx_canary_body_handler(ngx_http_request_t *r)
{
    r->read_event_handler = ngx_canary_body_event;

    ngx_canary_body_event(r);
}


static void
ngx_canary_body_event(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_canary_command_t  *command;

    command = ngx_canary_body_command(r);

    for ( ;; ) {
        rc = ngx_canary_body_take(r, &command->body);

        if (rc != NGX_OK || !r->reading_body) {
            break;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc != NGX_OK && rc != NGX_AGAIN) {
            break;
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            return;
        }
    }

    ngx_canary_body_end(r, command, rc);
}


static void
ngx_canary_body_end(ngx_http_request_t *r, ngx_canary_command_t *command,
    ngx_int_t rc)
{
    ngx_event_t  *rev;

    rev = r->connection->read;

    if (rev->timer_set) {
        ngx_del_timer(rev);
    }

    /* a client that waits for the answer to half a body gets one */

    rev->timedout = 0;
    r->connection->timedout = 0;

    r->read_event_handler = ngx_http_block_reading;

    command->handler(r, command, rc);
}


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


/*
 * Moves what has come of the body behind "body", which has room for
 * NGX_CANARY_MAX_BODY bytes; NGX_DECLINED if that is not enough.
 */

static ngx_int_t
ngx_canary_body_take(ngx_http_request_t *r, ngx_str_t *body)
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
