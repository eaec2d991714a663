/*
 * Where ticks are missing, what is between two of them is no block of the
 * dispersion: blocks begin anew, once.  What was counted meanwhile is judged.
 */

#include "judge.h"


static judge_hand_t  hand;


static void
tick(double n, double bad)
{
    judge_more(&canary[0], (uint64_t) n, (uint64_t) bad);
    judge_tick();
    judge_by_hand(&hand, NGX_CANARY_STREAM_LIMIT, n, bad, 0.01, 0, 0);
}


static void
cut(void)
{
    ngx_canary_dispersion_cut(&hand.detector.dispersion);
    ngx_canary_dispersion_cut(&hand.baseline);
}


int
main(void)
{
    ngx_uint_t  i;

    if (!judge_setup()) {
        return 2;
    }

    tick(0, 0);

    for (i = 0; i < 5; i++) {
        tick(10, i % 2);
    }

    now_us += SECOND;
    tick(10, 2);
    ok(judge_same(0, &hand), "a tick that is late by one is the next one");

    now_us += 2 * SECOND;
    cut();
    tick(30, 2);
    ok(judge_same(0, &hand), "where two are missing, blocks begin anew");

    tick(10, 1);
    tick(10, 0);
    ok(judge_same(0, &hand), "once");
    ok(gates[0].trials == 110 && gates[0].bad == 7 && gates[0].stream == 1,
       "nothing is lost, and the stream goes on");

    free(zone);

    return tap_done();
}
