/*
 * A worker that is stopped in the middle of a window's step, while others take
 * theirs, moves nothing back when it goes on; one that is killed there leaves a
 * step that is passed over.
 */

#include "step.h"


static ngx_uint_t  depth, stalled;


/* in the middle of a step: the ticks of others, if this one is to stall */

void
ngx_canary_tally_step(ngx_canary_tally_t *tally, ngx_uint_t slot,
    ngx_uint_t step, ngx_canary_sum_t *sum)
{
    ngx_uint_t  i;

    (void) tally;
    (void) slot;
    (void) step;
    (void) sum;

    if (stalled && depth == 0) {
        depth++;

        for (i = 0; i < stalled; i++) {
            now_us += SECOND;
            ngx_canary_step_add(zone, NULL, 10 * SECOND, 0);
        }

        depth--;
    }
}


static void
tick(void)
{
    now_us += SECOND;
    ngx_canary_step_add(zone, NULL, 10 * SECOND, 0);
}


/* in seconds */

static uint64_t
age(ngx_uint_t window)
{
    return step_age_us(window * SECOND) / SECOND;
}


int
main(void)
{
    ngx_uint_t  i;

    step_begin();

    is_u64(step_age_us(SECOND), UINT64_MAX, "no step at first");

    ngx_canary_step_add(zone, NULL, 0, 1);
    is_u64(age(5), 0, "the first one");

    for (i = 0; i < 20; i++) {
        tick();
    }

    ok(age(5) == 5 && age(0) == 0, "a window of five seconds");

    stalled = 3;
    tick();
    stalled = 0;

    is_u64(zone->steps.next, 25, "others took three steps meanwhile");
    is_u64(age(0), 0, "and the newest is the last of theirs");
    is_u64(age(3), 4, "the step that stalled is as old as its totals");

    tick();
    ok(zone->steps.next == 26 && age(1) == 1, "the next one comes behind them");

    /* number 26 is never complete */

    now_us += SECOND;
    ngx_canary_store(&zone->ring[ngx_canary_ring_take(&zone->steps)
                                 % NGX_CANARY_STEPS].mark, 0);
    tick();
    is_u64(age(0), 0, "after one that was killed the next is found");
    is_u64(age(1), 2, "and the killed one is passed over");

    free(zone);

    return tap_done();
}
