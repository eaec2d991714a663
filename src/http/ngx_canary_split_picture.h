/*
 * One consistent picture of a split, for whoever reads: the status endpoint,
 * the answers of canary_control, ticks.
 */

#ifndef NGX_CANARY_SPLIT_PICTURE_H_INCLUDED
#define NGX_CANARY_SPLIT_PICTURE_H_INCLUDED


#include "ngx_canary_http.h"


#pragma GCC visibility push(hidden)


/*
 * Fills in all of "split" but what ngx_canary_gates_judge() derives; its "want"
 * is the caller's.  NGX_ERROR if memory is short.
 */
ngx_int_t ngx_canary_split_picture(ngx_canary_srv_conf_t *conf,
    ngx_canary_split_t *split, ngx_pool_t *pool);


#pragma GCC visibility pop

#endif /* NGX_CANARY_SPLIT_PICTURE_H_INCLUDED */
