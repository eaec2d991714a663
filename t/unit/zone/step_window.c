/*
 * A window of any length begins with a step that is as old as the window, and
 * older by less than one step: a thirtieth of the window in whole ticks.  Ticks
 * are in time, or a little late now and then.
 */

#include "step.h"


#define LATE_US  300000


void
ngx_canary_tally_step(ngx_canary_tally_t *tally, ngx_uint_t slot,
    ngx_uint_t step, ngx_canary_sum_t *sum)
{
    (void) tally;
    (void) slot;
    (void) step;
    (void) sum;
}


/* the ticks at which the window was too short, or too long */

static ngx_uint_t
wrong(uint64_t window, uint64_t late_us)
{
    uint64_t    i, age_us, step_us, begun_us;
    ngx_uint_t  n;

    n = 0;
    step_us = (window + 29) / 30 * SECOND;
    begun_us = now_us;

    step_begin();
    ngx_canary_step_add(zone, NULL, 0, 1);

    for (i = 1; i <= 3 * window; i++) {
        now_us = begun_us + i * SECOND + i % 7 % 2 * late_us;
        ngx_canary_step_add(zone, NULL, window * SECOND, 0);

        age_us = step_age_us(window * SECOND);

        n += age_us > window * SECOND + step_us + late_us;
        n += i > window && age_us + late_us < window * SECOND;
    }

    free(zone);

    return n;
}


int
main(void)
{
    ngx_uint_t  i;

    static uint64_t  windows[] = {
        10, 29, 30, 31, 44, 45, 46, 59, 60, 61, 75, 89, 90, 91, 300, 301, 3600
    };

    for (i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        ok(wrong(windows[i], 0) == 0, "a window of %u s",
           (unsigned) windows[i]);
        ok(wrong(windows[i], LATE_US) == 0, "with ticks that are late");
    }

    return tap_done();
}
