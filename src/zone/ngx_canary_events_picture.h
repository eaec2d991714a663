/*
 * What the parts of the picture of events share: figures
 * (ngx_canary_events_picture.c) and what the gates hold against their limits
 * (ngx_canary_events_trials.c).
 */

#ifndef NGX_CANARY_EVENTS_PICTURE_H_INCLUDED
#define NGX_CANARY_EVENTS_PICTURE_H_INCLUDED


#include "ngx_canary_events.h"


#pragma GCC visibility push(hidden)


/* what the picture of one event on one variant in one scope is made of */
typedef struct {
    ngx_canary_events_t         *events;
    ngx_canary_zone_t           *zone;
    ngx_canary_split_t          *split;
    ngx_canary_record_t          record;
    uint64_t                     base;      /* index of the stage's base */
    uint64_t                     now_us;
    ngx_canary_event_step_t     *step;      /* where the window begins */
    uint64_t                     start_us;
    uint64_t                     slice;     /* number, as the step */

    ngx_uint_t                   event;     /* slots of the one at hand */
    ngx_uint_t                   slot;
    uint64_t                     since_us;  /* its counters began */
    ngx_canary_event_counts_t    sum;
    ngx_uint_t                   valued;    /* from and to are set */
    size_t                       from;
    size_t                       to;
    uint64_t                     low;       /* extremes of all time */
    uint64_t                     max;
    uint64_t                    *work;      /* values in the scope at hand */
} ngx_canary_events_picture_t;


/* the trials of the gates on what is at hand; a ratio takes two events */
void ngx_canary_events_trials(ngx_canary_events_picture_t *pic,
    ngx_uint_t event, ngx_uint_t variant, ngx_uint_t scope);

/* the trials of the ratios, when the figures of all events are complete */
void ngx_canary_events_ratios(ngx_canary_split_t *split);


#pragma GCC visibility pop

#endif /* NGX_CANARY_EVENTS_PICTURE_H_INCLUDED */
