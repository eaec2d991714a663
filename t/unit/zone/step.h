/*
 * A zone whose window takes steps, with a clock that the test moves; its totals
 * are the test's.
 */

#ifndef STEP_H_INCLUDED
#define STEP_H_INCLUDED


#include "../../../src/zone/ngx_canary_window.c"

#include "../tap.h"


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


/* no bucket is set */

static inline void
step_empty(ngx_canary_sum_t *sum)
{
    memset(&sum->cell.counts, 0, sizeof(sum->cell.counts));
    sum->from = 1;
    sum->to = 0;
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
    ngx_canary_step_t  *step;

    step = ngx_canary_step_find(zone, window_us, now_us);

    return step ? now_us - step->time_us : UINT64_MAX;
}


#endif /* STEP_H_INCLUDED */
