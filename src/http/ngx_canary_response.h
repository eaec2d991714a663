/*
 * What the endpoints share: a response that is rendered into buffers of the
 * request's pool, and the picture of one split.
 */

#ifndef NGX_CANARY_RESPONSE_H_INCLUDED
#define NGX_CANARY_RESPONSE_H_INCLUDED


#include "ngx_canary_http.h"
#include "../render/ngx_canary_render.h"


typedef struct {
    ngx_canary_out_t      out;          /* for the renderer */
    ngx_http_request_t   *request;
    ngx_chain_t          *first;
    ngx_chain_t          *last;         /* its buffer is being written */
} ngx_canary_response_t;


void ngx_canary_response_init(ngx_canary_response_t *rs,
    ngx_http_request_t *r);

/*
 * Sends what was rendered, never to be stored by a cache.  Returns what a
 * content handler returns: 500 if the renderer ran out of memory.
 */
ngx_int_t ngx_canary_response_send(ngx_canary_response_t *rs,
    ngx_uint_t status, ngx_str_t *type);

/* both live as long as the request; NGX_ERROR if memory is short */
ngx_int_t ngx_canary_response_header(ngx_http_request_t *r, char *name,
    char *value);

/* fills in all of "split"; NGX_ERROR if memory is short */
ngx_int_t ngx_canary_split_picture(ngx_canary_srv_conf_t *conf,
    ngx_canary_split_t *split, ngx_pool_t *pool);


#endif /* NGX_CANARY_RESPONSE_H_INCLUDED */
