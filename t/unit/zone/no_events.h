/*
 * For tests without events: what is called only where there are some.
 */

#ifndef NO_EVENTS_H_INCLUDED
#define NO_EVENTS_H_INCLUDED


#include "../../../src/zone/ngx_canary_picture.h"

#include <stdlib.h>


void
ngx_canary_events_base(ngx_canary_event_plan_t *plan, ngx_uint_t slot,
    ngx_uint_t base, ngx_canary_sum_t *sum)
{
    (void) plan;
    (void) slot;
    (void) base;
    (void) sum;

    abort();
}


void
ngx_canary_events_step(ngx_canary_event_plan_t *plan, ngx_uint_t slot,
    ngx_uint_t step, ngx_canary_sum_t *sum)
{
    (void) plan;
    (void) slot;
    (void) step;
    (void) sum;

    abort();
}


void
ngx_canary_events_slice(ngx_canary_event_plan_t *plan, uint64_t number)
{
    (void) plan;
    (void) number;

    abort();
}


void
ngx_canary_picture_events(ngx_canary_picture_t *pic)
{
    (void) pic;

    abort();
}


#endif /* NO_EVENTS_H_INCLUDED */
