
#include "ngx_canary_control.h"
#include "../pure/ngx_canary_gate.h"
#include "../pure/ngx_canary_path.h"


static ngx_int_t ngx_canary_control_handler(ngx_http_request_t *r);
static void ngx_canary_control_read(ngx_http_request_t *r,
    ngx_canary_command_t *command, ngx_int_t rc);
static ngx_int_t ngx_canary_control_process(ngx_http_request_t *r,
    ngx_canary_command_t *command, ngx_int_t rc);
static ngx_int_t ngx_canary_control_answer(ngx_http_request_t *r, void *data,
    u_char *error);
static void ngx_canary_control_change(ngx_http_request_t *r,
    ngx_canary_command_t *command, ngx_str_t *text);
static void ngx_canary_control_renew(ngx_http_request_t *r,
    ngx_canary_srv_conf_t *conf);
static ngx_int_t ngx_canary_control_target(ngx_http_request_t *r,
    ngx_canary_command_t *command);
static ngx_canary_verb_t *ngx_canary_control_verb(u_char *p, size_t len);
static ngx_int_t ngx_canary_control_text(ngx_canary_command_t *command,
    ngx_pool_t *pool, ngx_str_t *text);
static ngx_int_t ngx_canary_control_refuse(ngx_http_request_t *r,
    ngx_uint_t status, const char *text);


static ngx_str_t  ngx_canary_post = ngx_string("POST");

static ngx_canary_verb_t  ngx_canary_verbs[] = {
    { ngx_string("rollback"), NGX_CANARY_KIND_ROLLBACK, NGX_LOG_ERR,
      "was rolled back" },
    { ngx_string("resume"), NGX_CANARY_KIND_RESUME, NGX_LOG_WARN,
      "was resumed" },
    { ngx_string("decision"), NGX_CANARY_KIND_DECISION, NGX_LOG_NOTICE,
      "has a decision" },
    { ngx_string("incident"), NGX_CANARY_KIND_INCIDENT, NGX_LOG_NOTICE,
      "has an incident" },
    { ngx_null_string, 0, 0, NULL }
};


static ngx_int_t
ngx_canary_control_handler(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_canary_command_t  *command;

    if (ngx_canary_response_nosniff(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method != NGX_HTTP_POST) {

        if (ngx_canary_response_header(r, "Allow", &ngx_canary_post) == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_canary_control_refuse(r, NGX_HTTP_NOT_ALLOWED,
                                         "only POST is allowed");
    }

    if (ngx_canary_origin_is_foreign(r)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "canary control forbidden to a page of another site");

        return ngx_canary_control_refuse(r, NGX_HTTP_FORBIDDEN,
                                         "a page of another site may not "
                                         "change anything here");
    }

    command = ngx_pcalloc(r->pool, sizeof(ngx_canary_command_t));
    if (command == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_canary_control_target(r, command) != NGX_OK) {
        return ngx_canary_control_refuse(r, NGX_HTTP_NOT_FOUND,
                                         "unknown upstream or action");
    }

    if (command->verb->kind == NGX_CANARY_KIND_ROLLBACK) {
        return ngx_canary_rollback(r, command);
    }

    if (r->headers_in.content_length_n > NGX_CANARY_MAX_BODY) {
        return ngx_canary_control_refuse(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                         "the body is larger than 1 KB");
    }

    if (!ngx_canary_form_is_type(r)) {
        return ngx_canary_control_refuse(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                         "the body must be of the type "
                                         "application/x-www-form-urlencoded");
    }

    rc = ngx_canary_body_read(r, command, ngx_canary_control_read);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


static void
ngx_canary_control_read(ngx_http_request_t *r, ngx_canary_command_t *command,
    ngx_int_t rc)
{
    ngx_http_finalize_request(r, ngx_canary_control_process(r, command, rc));
}


/* "rc": of the body */

static ngx_int_t
ngx_canary_control_process(ngx_http_request_t *r, ngx_canary_command_t *command,
    ngx_int_t rc)
{
    const char  *error;

    if (rc == NGX_DECLINED) {
        return ngx_canary_control_refuse(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                         "the body is larger than 1 KB");
    }

    if (rc != NGX_OK) {
        return rc == NGX_ERROR ? NGX_HTTP_INTERNAL_SERVER_ERROR : rc;
    }

    error = ngx_canary_form_parse(&command->form, &command->body, 0);

    if (error) {
        return ngx_canary_control_refuse(r, NGX_HTTP_BAD_REQUEST, error);
    }

    if (command->form.reason.len == 0
        && (command->verb->kind == NGX_CANARY_KIND_DECISION
            || command->verb->kind == NGX_CANARY_KIND_INCIDENT))
    {
        return ngx_canary_control_refuse(r, NGX_HTTP_BAD_REQUEST,
                                         "\"reason\" is missing");
    }

    return ngx_canary_control_apply(r, command);
}


ngx_int_t
ngx_canary_control_apply(ngx_http_request_t *r, ngx_canary_command_t *command)
{
    ngx_str_t            text;
    ngx_canary_wait_t   *wait;
    ngx_canary_split_t  *split;

    /* whatever may fail for want of memory comes before the change */

    split = ngx_palloc(r->pool, sizeof(ngx_canary_split_t));
    wait = ngx_canary_wait_create(r, ngx_canary_control_answer, command);

    if (split == NULL || wait == NULL
        || ngx_canary_control_text(command, r->pool, &text) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    split->want = 0;
    command->split = split;

    ngx_canary_control_change(r, command, &text);

    if (command->changed) {
        ngx_canary_control_tell(command, &text, r->connection->log);
    }

    if (ngx_canary_split_picture(command->conf, split, r->pool) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_canary_gates_judge(split);

    return ngx_canary_wait_begin(wait, command->conf);
}


/*
 * In force by now; whether it is on the disk as well is what the answer says.
 */

static ngx_int_t
ngx_canary_control_answer(ngx_http_request_t *r, void *data, u_char *error)
{
    ngx_canary_command_t *command = data;

    ngx_canary_split_t     *split;
    ngx_canary_response_t   rs;

    split = command->split;

    split->state_error.len = ngx_strlen(error);
    split->state_error.data = error;

    ngx_canary_response_init(&rs, r);

    if (ngx_canary_render_state(split, command->changed, command->warning,
                                &rs.out)
        != 0)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_canary_response_send(&rs, NGX_HTTP_OK, &ngx_canary_json_type);
}


/* command->changed: it did anything that is to be told */

static void
ngx_canary_control_change(ngx_http_request_t *r, ngx_canary_command_t *command,
    ngx_str_t *text)
{
    ngx_canary_zone_t  *zone;

    zone = command->conf->zone;

    switch (command->verb->kind) {

    case NGX_CANARY_KIND_ROLLBACK:

        /* done before the body was read */

        if (command->changed) {
            ngx_canary_latch_reword(zone, command->ticket,
                                    command->cause, text);
        }

        break;

    case NGX_CANARY_KIND_RESUME:
        command->changed = ngx_canary_latch_resume(zone);

        if (command->changed) {
            ngx_canary_control_renew(r, command->conf);
        }

        break;

    default:
        command->changed = 1;
    }
}


void
ngx_canary_control_tell(ngx_canary_command_t *command, ngx_str_t *text,
    ngx_log_t *log)
{
    ngx_canary_form_t  *form;

    form = &command->form;

    if (command->ticket) {
        ngx_canary_latch_count(command->conf->zone, command->cause);
    }

    ngx_canary_journal_add(command->conf->zone, command->verb->kind, text);

    ngx_log_error(command->verb->level, log, 0, "split \"%V\" %s%s %V",
                  &command->conf->name, command->verb->event,
                  form->by.len == 0 && form->reason.len ? ":" : "", text);

    command->told = 1;
}


/*
 * At once, so that the answer shows the new stage.  Where that cannot be, the
 * next tick does it; a worker of an older configuration leaves it to those that
 * know the events of today.
 */

static void
ngx_canary_control_renew(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf)
{
    ngx_canary_common_t     *common;
    ngx_canary_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_canary_module);
    common = cmcf->common->data;

    if (ngx_canary_load(&common->generation) == cmcf->generation) {
        ngx_canary_stage_renew(conf->zone, conf->events);
    }
}


/* the last two parts of the path: .../UPSTREAM/VERB */

static ngx_int_t
ngx_canary_control_target(ngx_http_request_t *r, ngx_canary_command_t *command)
{
    u_char                  *uri;
    size_t                   name, verb;
    ngx_uint_t               i;
    ngx_canary_srv_conf_t  **conf;
    ngx_canary_main_conf_t  *cmcf;

    uri = r->uri.data;

    if (ngx_canary_path_target(uri, r->uri.len, &name, &verb) != 0) {
        return NGX_DECLINED;
    }

    command->verb = ngx_canary_control_verb(uri + verb, r->uri.len - verb);

    if (command->verb == NULL) {
        return NGX_DECLINED;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_canary_module);
    conf = cmcf->splits.elts;

    for (i = 0; i < cmcf->splits.nelts; i++) {

        if (conf[i]->name.len == verb - 1 - name
            && ngx_memcmp(conf[i]->name.data, uri + name, conf[i]->name.len)
               == 0)
        {
            command->conf = conf[i];
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_canary_verb_t *
ngx_canary_control_verb(u_char *p, size_t len)
{
    ngx_canary_verb_t  *verb;

    for (verb = ngx_canary_verbs; verb->name.len; verb++) {

        if (verb->name.len == len && ngx_memcmp(verb->name.data, p, len) == 0) {
            return verb;
        }
    }

    return NULL;
}


/* "by anna: too slow"; cut between two characters if it is too long */

static ngx_int_t
ngx_canary_control_text(ngx_canary_command_t *command, ngx_pool_t *pool,
    ngx_str_t *text)
{
    u_char     *p;
    ngx_str_t  *by, *reason;

    by = &command->form.by;
    reason = &command->form.reason;

    if (by->len == 0 && reason->len == 0) {
        ngx_str_set(text, "by an operator");
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, sizeof("by : ") - 1 + by->len + reason->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    if (by->len) {
        p = ngx_sprintf(p, "by %V", by);
    }

    if (by->len && reason->len) {
        *p++ = ':';
        *p++ = ' ';
    }

    if (reason->len) {
        p = ngx_cpymem(p, reason->data, reason->len);
    }

    text->len = p - text->data;

    if (text->len > NGX_CANARY_MAX_TEXT) {
        text->len = NGX_CANARY_MAX_TEXT;

        if (command->warning == NULL) {
            command->warning = "the text is cut at 511 bytes";
        }

        while (text->len && (text->data[text->len] & 0xc0) == 0x80) {
            text->len--;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_canary_control_refuse(ngx_http_request_t *r, ngx_uint_t status,
    const char *text)
{
    ngx_int_t  rc;
    ngx_str_t  str;

    /* it returns at once if the body was read already */

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        r->keepalive = 0;
    }

    str.len = ngx_strlen(text);
    str.data = (u_char *) text;

    return ngx_canary_response_error(r, status, &str);
}


char *
ngx_canary_conf_control(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_main_conf_t     *cmcf;
    ngx_http_core_loc_conf_t   *clcf, **control;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_canary_module);

    control = ngx_array_push(&cmcf->controls);
    if (control == NULL) {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    clcf->handler = ngx_canary_control_handler;
    *control = clcf;

    return NGX_CONF_OK;
}


/*
 * nginx would refuse a rollback for the length of its body before it comes
 * here.  Nothing is kept of a body but what a form may have.
 */

void
ngx_canary_conf_controls(ngx_canary_main_conf_t *cmcf)
{
    ngx_uint_t                  i;
    ngx_http_core_loc_conf_t  **control;

    control = cmcf->controls.elts;

    for (i = 0; i < cmcf->controls.nelts; i++) {
        control[i]->client_max_body_size = 0;
    }
}
