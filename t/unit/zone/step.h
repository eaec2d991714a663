/*
 * A zone whose window takes steps, with a clock that the test moves; its totals
 * are the test's.
 */

#ifndef STEP_H_INCLUDED
#define STEP_H_INCLUDED


#include "../../../src/zone/ngx_canary_window.c"

#include "../tap.h"
#include "no_events.h"


#define SECOND  NGX_CANARY_TICK_US


static ngx_canary_zone_t  *zone;
static uint64_t            now_us = 100 * SECOND;

static ngx_cycle_t         cycle;
volatile ngx_cycle_t      *ngx_cycle = &cycle;


uint64_t
ngx_canary_now_us(void)
{
    return now_us;
}


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    (void) log;

    return malloc(size);
}


static inline void
step_begin(void)
{
    zone = calloc(1, sizeof(ngx_canary_zone_t));
    if (zone == NULL) {
        abort();
    }

    zone->slots[0].used = 1;
}


/* the age of the step that a window of so long begins with */

static inline uint64_t
step_age_us(uint64_t window_us)
{
    uint64_t  n;

    n = ngx_canary_step_find(zone, window_us, now_us);

    return n == NGX_CANARY_NO_STEP
           ? UINT64_MAX : now_us - zone->ring[n % NGX_CANARY_STEPS].time_us;
}


#endif /* STEP_H_INCLUDED */
