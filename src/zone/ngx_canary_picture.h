/*
 * What the parts of a picture share: its figures (ngx_canary_picture.c) and
 * what the gates hold against their limits (ngx_canary_trials.c).
 */

#ifndef NGX_CANARY_PICTURE_H_INCLUDED
#define NGX_CANARY_PICTURE_H_INCLUDED


#include "ngx_canary_zone.h"


typedef struct {
    ngx_canary_zone_t    *zone;
    ngx_canary_split_t   *split;
    ngx_canary_record_t   record;
    ngx_canary_step_t    *step;         /* the window's beginning, or NULL */
    ngx_canary_sum_t     *sum;          /* totals of the variant at hand */
    uint64_t             *work;         /* room for its window */
    uint64_t             *hist;         /* its buckets in the scope at hand */
    uint64_t              now_us;
} ngx_canary_picture_t;


/* all gates, before their trials: each rule for each canary */
ngx_int_t ngx_canary_picture_gates(ngx_canary_picture_t *pic,
    ngx_pool_t *pool);

/* the trials of the variant at hand, whose figures of "scope" are complete */
void ngx_canary_picture_trials(ngx_canary_picture_t *pic,
    ngx_canary_scope_e scope);


#endif /* NGX_CANARY_PICTURE_H_INCLUDED */
