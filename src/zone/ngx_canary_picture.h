/*
 * What the parts of a picture share: the split (ngx_canary_picture.c), figures
 * of a tally (ngx_canary_figures.c), events (ngx_canary_events_picture.c), and
 * what the gates hold against their limits (ngx_canary_trials.c,
 * ngx_canary_events_trials.c).
 */

#ifndef NGX_CANARY_PICTURE_H_INCLUDED
#define NGX_CANARY_PICTURE_H_INCLUDED


#include "ngx_canary_events.h"


#pragma GCC visibility push(hidden)


typedef struct {
    ngx_canary_zone_t        *zone;
    ngx_canary_event_plan_t  *events;       /* or NULL */
    ngx_canary_split_t       *split;
    ngx_canary_record_t       record;
    uint64_t                  base;         /* index of the stage's base */
    uint64_t                  step;         /* the window's, or none: number, */
    ngx_uint_t                at;           /* and place in the ring */
    uint64_t                  now_us;
    uint64_t                  start_us[NGX_CANARY_SCOPES];

    /* of the tally and the slot at hand: totals, and room for a window */
    uint32_t                  slot;
    ngx_canary_sum_t         *sum;
    uint64_t                 *work;

    /* likewise in the scope at hand; "low" is UINT64_MAX less the least */
    uint64_t                  n[NGX_CANARY_TALLY];
    uint64_t                 *hist;         /* sum->from .. to, or NULL */
    uint64_t                  low;
    uint64_t                  max;
} ngx_canary_picture_t;


/* so that all scopes of a slot are taken in this order: the stage at last */
extern const ngx_canary_scope_e  ngx_canary_figures_scopes[NGX_CANARY_SCOPES];

/*
 * What the slot at hand, whose totals are in pic->sum, counted in a scope.  The
 * stage takes its base off the totals themselves.
 */
void ngx_canary_figures_scope(ngx_canary_picture_t *pic,
    ngx_canary_tally_t *tally, ngx_canary_scope_e scope);

/*
 * The number of values in pic->hist, or 0; then the least and the greatest of
 * them, and their quantiles.
 */
uint64_t ngx_canary_figures_values(ngx_canary_picture_t *pic,
    ngx_canary_scope_e scope, uint64_t *min, uint64_t *max, uint64_t *quantile);

/* the requests of the variant at hand */
void ngx_canary_figures_requests(ngx_canary_picture_t *pic,
    ngx_canary_scope_e scope, ngx_canary_figures_t *f);

/* the buckets, if they are asked for */
ngx_int_t ngx_canary_figures_keep(ngx_canary_picture_t *pic,
    ngx_canary_scope_e scope, ngx_canary_latency_t *latency, ngx_pool_t *pool);

/* split->events, once there is room, and the trials of the gates on them */
void ngx_canary_picture_events(ngx_canary_picture_t *pic);

/* the trials of those gates on what is at hand; a ratio takes two events */
void ngx_canary_events_trials(ngx_canary_picture_t *pic, ngx_uint_t event,
    ngx_uint_t variant, ngx_canary_scope_e scope);

/* the trials of the ratios, when the figures of all events are complete */
void ngx_canary_events_ratios(ngx_canary_split_t *split);

/* all gates, before their trials: each rule for each canary */
ngx_int_t ngx_canary_picture_gates(ngx_canary_picture_t *pic,
    ngx_pool_t *pool);

/* the trials of the variant at hand, whose figures of "scope" are complete */
void ngx_canary_picture_trials(ngx_canary_picture_t *pic,
    ngx_canary_scope_e scope);


#pragma GCC visibility pop

#endif /* NGX_CANARY_PICTURE_H_INCLUDED */
