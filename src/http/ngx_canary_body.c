
#include "ngx_canary_control.h"


static void ngx_canary_body_cleanup(void *data);
static ngx_canary_command_t *ngx_canary_body_command(ngx_http_request_t *r);
static void ngx_canary_body_handler(ngx_http_request_t *r);
static void ngx_canary_body_event(ngx_http_request_t *r);
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
        rc = ngx_canary_form_take(r, &command->body);

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
