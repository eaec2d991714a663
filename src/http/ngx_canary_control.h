/*
 * What a POST to canary_control asks for: read from its path and its body
 * (ngx_canary_control.c); a rollback, which waits for no body, apart
 * (ngx_canary_rollback.c).
 */

#ifndef NGX_CANARY_CONTROL_H_INCLUDED
#define NGX_CANARY_CONTROL_H_INCLUDED


#include "ngx_canary_response.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_MAX_BODY  1024   /* bytes of a form */


typedef struct {
    ngx_str_t               name;
    ngx_canary_kind_e       kind;       /* of its entry in the journal */
    ngx_uint_t              level;      /* of its line in the error log */
    char                   *event;      /* of the split, there */
} ngx_canary_verb_t;


/* what came with a POST; data NULL: not given */
typedef struct {
    ngx_str_t             by;
    ngx_str_t             reason;
    ngx_str_t             cause;        /* of a rollback alone */
} ngx_canary_form_t;


typedef struct ngx_canary_command_s  ngx_canary_command_t;

/*
 * Once the body is in command->body, with NGX_OK; or with NGX_DECLINED, it is
 * larger than a form may be, or NGX_ERROR or a status, it cannot be read.
 */
typedef void (*ngx_canary_body_pt)(ngx_http_request_t *r,
    ngx_canary_command_t *command, ngx_int_t rc);

struct ngx_canary_command_s {
    ngx_canary_srv_conf_t  *conf;
    ngx_canary_verb_t      *verb;
    ngx_canary_form_t       form;
    const char             *warning;    /* what was wrong all the same */

    ngx_str_t               body;
    ngx_canary_body_pt      handler;

    /* of a rollback */
    uint64_t                ticket;     /* of its latch, 0: it was there */
    ngx_canary_cause_e      cause;
    ngx_uint_t              told;       /* by journal and log */

    /* of what is answered once the state file is written */
    ngx_uint_t              changed;
    ngx_canary_split_t     *split;
};


/*
 * Rolls back before anything is read.  What follows is the text alone: it is
 * cut or left out if it cannot be read, and the answer warns of that.  Returns
 * what a content handler returns.
 */
ngx_int_t ngx_canary_rollback(ngx_http_request_t *r,
    ngx_canary_command_t *command);

/* a request without a content type passes, its body is judged as it is read */
ngx_uint_t ngx_canary_form_is_type(ngx_http_request_t *r);

/*
 * Decodes the body in place; "cause" is a field of it if "causes" is set.
 * Returns what is wrong with it, or NULL.
 */
const char *ngx_canary_form_parse(ngx_canary_form_t *form, ngx_str_t *body,
    ngx_uint_t causes);

/*
 * Reads the body, and then calls "handler", which finalizes the request; once
 * for each request.  Returns what ngx_http_read_client_request_body() does.
 */
ngx_int_t ngx_canary_body_read(ngx_http_request_t *r,
    ngx_canary_command_t *command, ngx_canary_body_pt handler);

/* carries out what is left of a command, and answers */
ngx_int_t ngx_canary_control_apply(ngx_http_request_t *r,
    ngx_canary_command_t *command);

/*
 * Tells the journal, the error log and, of a rollback, the metrics; "text" is
 * that of the command.
 */
void ngx_canary_control_tell(ngx_canary_command_t *command, ngx_str_t *text,
    ngx_log_t *log);


#pragma GCC visibility pop

#endif /* NGX_CANARY_CONTROL_H_INCLUDED */
