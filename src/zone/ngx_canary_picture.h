/*
 * What the parts of a picture share: the split (ngx_canary_picture.c), the
 * figures of its variants (ngx_canary_figures.c), and what the gates hold
 * against their limits (ngx_canary_trials.c).
 */

#ifndef NGX_CANARY_PICTURE_H_INCLUDED
#define NGX_CANARY_PICTURE_H_INCLUDED


#include "ngx_canary_zone.h"


#pragma GCC visibility push(hidden)


typedef struct {
    ngx_canary_zone_t    *zone;
    ngx_canary_split_t   *split;
    ngx_canary_record_t   record;
    uint64_t              base;         /* index of the stage's base */
    ngx_canary_step_t    *step;         /* the window's beginning, or NULL */
    ngx_canary_sum_t     *sum;          /* totals of the variant at hand */
    uint64_t             *work;         /* room for its window */
    uint32_t              slot;         /* its own */
    uint64_t             *hist;         /* its buckets in the scope at hand */
    uint64_t              late[NGX_CANARY_LIMITS];      /* likewise */
    uint64_t              now_us;
} ngx_canary_picture_t;


/*
 * The figures of the variant at hand, whose totals are in pic->sum.  That of
 * the stage takes its base off the totals, and so comes last.
 */
void ngx_canary_figures_total(ngx_canary_picture_t *pic,
    ngx_canary_figures_t *f);
void ngx_canary_figures_stage(ngx_canary_picture_t *pic,
    ngx_canary_cell_t *base, ngx_uint_t s, ngx_canary_figures_t *f);
void ngx_canary_figures_window(ngx_canary_picture_t *pic,
    ngx_uint_t slot, ngx_canary_figures_t *f);

/* the buckets, if they are asked for */
ngx_int_t ngx_canary_figures_keep(ngx_canary_picture_t *pic,
    ngx_canary_scope_e scope, ngx_canary_latency_t *latency, ngx_pool_t *pool);

/* all gates, before their trials: each rule for each canary */
ngx_int_t ngx_canary_picture_gates(ngx_canary_picture_t *pic,
    ngx_pool_t *pool);

/* the trials of the variant at hand, whose figures of "scope" are complete */
void ngx_canary_picture_trials(ngx_canary_picture_t *pic,
    ngx_canary_scope_e scope);


#pragma GCC visibility pop

#endif /* NGX_CANARY_PICTURE_H_INCLUDED */
