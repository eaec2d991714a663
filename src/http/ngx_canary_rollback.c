
#include "ngx_canary_control.h"


static void ngx_canary_rollback_read(ngx_http_request_t *r,
    ngx_canary_command_t *command, ngx_int_t rc);
static void ngx_canary_rollback_cause(ngx_canary_command_t *command,
    ngx_pool_t *pool);
static void ngx_canary_rollback_cleanup(void *data);


static ngx_str_t  ngx_canary_rollback_text = ngx_string("by an operator");
static ngx_str_t  ngx_canary_rollback_rehearsal = ngx_string("rehearsal");


ngx_int_t
ngx_canary_rollback(ngx_http_request_t *r, ngx_canary_command_t *command)
{
    ngx_int_t            rc;
    ngx_pool_cleanup_t  *cln;

    command->cause = NGX_CANARY_CAUSE_OPERATOR;
    command->ticket = ngx_canary_latch_hold(command->conf->zone,
                                            command->cause,
                                            &ngx_canary_rollback_text);
    command->changed = (command->ticket != 0);

    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (cln == NULL) {
        ngx_canary_rollback_cleanup(command);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_canary_rollback_cleanup;
    cln->data = command;

    if (r->headers_in.content_length_n > NGX_CANARY_MAX_BODY) {
        command->warning = "the body is larger than 1 KB, it was not read";

    } else if (!ngx_canary_form_is_type(r)) {
        command->warning = "the body is not of the type "
                           "application/x-www-form-urlencoded, it was not read";
    }

    if (command->warning) {
        (void) ngx_http_discard_request_body(r);
        return ngx_canary_control_apply(r, command);
    }

    rc = ngx_canary_body_read(r, command, ngx_canary_rollback_read);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        command->warning = "the body cannot be read";
        r->keepalive = 0;

        return ngx_canary_control_apply(r, command);
    }

    return NGX_DONE;
}


/* whatever became of the body */

static void
ngx_canary_rollback_read(ngx_http_request_t *r, ngx_canary_command_t *command,
    ngx_int_t rc)
{
    if (rc == NGX_OK) {
        command->warning = ngx_canary_form_parse(&command->form,
                                                 &command->body, 1);
        ngx_canary_rollback_cause(command, r->pool);

    } else if (rc == NGX_DECLINED) {
        command->warning = "the body is larger than 1 KB";

    } else {
        command->warning = "the body cannot be read";
        r->keepalive = 0;
    }

    ngx_http_finalize_request(r, ngx_canary_control_apply(r, command));
}


/* a rehearsal says so first: "by anna: rehearsal before stage 1" */

static void
ngx_canary_rollback_cause(ngx_canary_command_t *command, ngx_pool_t *pool)
{
    u_char     *p;
    ngx_str_t  *cause, *reason;

    cause = &command->form.cause;
    reason = &command->form.reason;

    if (cause->data == NULL) {
        return;
    }

    if (cause->len != ngx_canary_rollback_rehearsal.len
        || ngx_memcmp(cause->data, ngx_canary_rollback_rehearsal.data,
                      cause->len)
           != 0)
    {
        if (command->warning == NULL) {
            command->warning = "\"cause\" may only be \"rehearsal\", it was "
                               "ignored";
        }

        return;
    }

    command->cause = NGX_CANARY_CAUSE_REHEARSAL;

    if (reason->len == 0) {
        *reason = ngx_canary_rollback_rehearsal;
        return;
    }

    p = ngx_pnalloc(pool, cause->len + 1 + reason->len);
    if (p == NULL) {
        return;
    }

    reason->len = ngx_sprintf(p, "%V %V", cause, reason) - p;
    reason->data = p;
}


/* a request that ended before its text was there has rolled back as well */

static void
ngx_canary_rollback_cleanup(void *data)
{
    ngx_canary_command_t *command = data;

    ngx_canary_srv_conf_t  *conf;

    if (command->ticket == 0 || command->told) {
        return;
    }

    conf = command->conf;

    ngx_canary_control_tell(command, &ngx_canary_rollback_text,
                            ngx_cycle->log);

    if (conf->keep) {
        (void) ngx_canary_keep_now(conf->zone, conf->keep, NULL,
                                   ngx_cycle->log);
    }
}
