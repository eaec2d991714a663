/*
 * What the endpoints share: a response that is rendered into buffers of the
 * request's pool, the picture of one split, and what a client may send.
 */

#ifndef NGX_CANARY_RESPONSE_H_INCLUDED
#define NGX_CANARY_RESPONSE_H_INCLUDED


#include "ngx_canary_http.h"
#include "../render/ngx_canary_render.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_MAX_BODY  1024   /* bytes of a form */


typedef struct {
    ngx_canary_out_t      out;          /* for the renderer */
    ngx_http_request_t   *request;
    ngx_chain_t          *first;
    ngx_chain_t          *last;         /* its buffer is being written */
} ngx_canary_response_t;


/* the splits that an answer is about, or why there is none */
typedef struct {
    ngx_canary_srv_conf_t  **conf;
    ngx_uint_t               n;
    ngx_uint_t               named;     /* the argument was there */
    ngx_uint_t               status;
    ngx_str_t                error;
} ngx_canary_choice_t;


/* what came with a POST; data NULL: not given */
typedef struct {
    ngx_str_t             by;
    ngx_str_t             reason;
    ngx_str_t             cause;        /* of a rollback alone */
} ngx_canary_form_t;


extern ngx_str_t  ngx_canary_json_type;


void ngx_canary_response_init(ngx_canary_response_t *rs,
    ngx_http_request_t *r);

/*
 * Sends what was rendered, never to be stored by a cache.  Returns what a
 * content handler returns: 500 if the renderer ran out of memory.
 */
ngx_int_t ngx_canary_response_send(ngx_canary_response_t *rs,
    ngx_uint_t status, ngx_str_t *type);

/* the same for {"error":TEXT} */
ngx_int_t ngx_canary_response_error(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *text);

/*
 * Sends a text that no reload changes, with an ETag: a client may keep it for
 * 5 minutes, and asks whether it is the same after that.
 */
ngx_int_t ngx_canary_response_file(ngx_http_request_t *r,
    const ngx_canary_str_t *text, ngx_str_t *type);

/* for every answer, before anything may be refused */
ngx_int_t ngx_canary_response_nosniff(ngx_http_request_t *r);

/* both strings live as long as the request; NULL if memory is short */
ngx_table_elt_t *ngx_canary_response_header(ngx_http_request_t *r, char *name,
    ngx_str_t *value);

/*
 * ngx_canary_choice.c: all splits, or the one that the argument "upstream"
 * names.  NGX_DECLINED: the answer is "status" and "error".
 */
ngx_int_t ngx_canary_choose(ngx_http_request_t *r,
    ngx_canary_choice_t *choice);

/*
 * ngx_canary_accept.c: OpenMetrics only for a client that asks for it by name,
 * as Prometheus does
 */
ngx_uint_t ngx_canary_accepts_openmetrics(ngx_http_request_t *r);

/*
 * ngx_canary_origin.c: whether a browser sends the request for a page of
 * another site.  It says so in Sec-Fetch-Site (Fetch Metadata), which it leaves
 * out where it does not trust the connection, and in Origin (RFC 6454), which
 * comes with each POST.  A client that sends neither is no browser.  Of several
 * headers, one is enough; X-Forwarded-* says nothing.
 */
ngx_uint_t ngx_canary_origin_is_foreign(ngx_http_request_t *r);

/* ngx_canary_wait.c: an answer that waits for the state file */

typedef struct ngx_canary_wait_s  ngx_canary_wait_t;

/*
 * "error" is empty if the file is written, or if there is none.  Returns what a
 * content handler returns.
 */
typedef ngx_int_t (*ngx_canary_answer_pt)(ngx_http_request_t *r, void *data,
    u_char *error);

/* NULL if memory is short */
ngx_canary_wait_t *ngx_canary_wait_create(ngx_http_request_t *r,
    ngx_canary_answer_pt answer, void *data);

/*
 * Has what is in force written and calls answer once it is, or after 5 s.
 * Returns what a content handler returns.
 */
ngx_int_t ngx_canary_wait_begin(ngx_canary_wait_t *wait,
    ngx_canary_srv_conf_t *conf);

/* ngx_canary_form.c */

/* a request without a content type passes, its body is judged as it is read */
ngx_uint_t ngx_canary_form_is_type(ngx_http_request_t *r);

/*
 * Moves what has come of the body behind "body", which has room for
 * NGX_CANARY_MAX_BODY bytes; NGX_DECLINED if that is not enough.
 */
ngx_int_t ngx_canary_form_take(ngx_http_request_t *r, ngx_str_t *body);

/*
 * Decodes the body in place; "cause" is a field of it if "causes" is set.
 * Returns what is wrong with it, or NULL.
 */
const char *ngx_canary_form_parse(ngx_canary_form_t *form, ngx_str_t *body,
    ngx_uint_t causes);


#pragma GCC visibility pop

#endif /* NGX_CANARY_RESPONSE_H_INCLUDED */
