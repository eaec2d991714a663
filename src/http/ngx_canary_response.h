/*
 * What the endpoints share: a response that is rendered into buffers of the
 * request's pool, the picture of one split, and what a client may send.
 */

#ifndef NGX_CANARY_RESPONSE_H_INCLUDED
#define NGX_CANARY_RESPONSE_H_INCLUDED


#include "ngx_canary_http.h"
#include "../render/ngx_canary_render.h"


#pragma GCC visibility push(hidden)


typedef struct {
    ngx_canary_out_t      out;          /* for the renderer */
    ngx_http_request_t   *request;
    ngx_chain_t          *first;
    ngx_chain_t          *last;         /* its buffer is being written */
} ngx_canary_response_t;


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


#pragma GCC visibility pop

#endif /* NGX_CANARY_RESPONSE_H_INCLUDED */
