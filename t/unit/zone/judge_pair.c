/*
 * A relative gate compares one side with the other by the requests that what
 * is bad is of: as long as one of them has none, what the other has waits.
 */

#include "judge.h"


static judge_hand_t  hand;


static double
at_limit(double canary_n, double baseline_n)
{
    judge_requests = canary_n + baseline_n;

    return ngx_canary_detector_pair_limit(canary_n / (canary_n + baseline_n),
                                          0.5);
}


static void
tick(double n, double bad, double limit, double base_n, double base_bad)
{
    judge_tick();
    judge_by_hand(&hand, NGX_CANARY_STREAM_PAIR, n, bad, limit, base_n,
                  base_bad);
}


int
main(void)
{
    double  limit, expected;

    if (!judge_setup()) {
        return 2;
    }

    rules[0] = rules[1];

    tick(0, 0, 0, 0, 0);
    ok(judge_same(0, &hand), "what came before is not judged");

    judge_more(&canary[0], 10, 3);
    judge_more(&baseline[0], 90, 2);
    limit = at_limit(10, 90);
    expected = 5 * limit;
    tick(5, 3, limit, 90, 2);
    ok(judge_same(0, &hand), "what is bad on both sides is judged");

    judge_more(&canary[0], 4, 1);
    tick(0, 0, 0, 0, 0);
    ok(judge_same(0, &hand), "the canary alone: it waits");

    judge_more(&canary[0], 4, 1);
    judge_more(&baseline[0], 72, 3);
    limit = at_limit(8, 72);
    expected += 5 * limit;
    tick(5, 2, limit, 72, 3);
    ok(judge_same(0, &hand), "with the baseline all of it is judged");

    judge_more(&baseline[0], 50, 4);
    tick(0, 0, 0, 50, 4);
    judge_more(&baseline[0], 50, 1);
    tick(0, 0, 0, 50, 1);
    ok(judge_same(0, &hand), "the baseline alone waits as well");

    judge_more(&canary[0], 1, 1);
    limit = at_limit(1, 100);
    expected += 6 * limit;
    tick(6, 1, limit, 0, 0);
    ok(judge_same(0, &hand), "and keeps its own dispersion meanwhile");

    ok(gates[0].trials == 16 && gates[0].bad == 6, "what was judged is shown");
    ok(fabs(gates[0].expected - expected) < 1e-9, "and what was expected");

    /* other shares: blocks before and after do not compare */

    split.variants[1].configured_share_ppm = 200000;
    split.variants[0].configured_share_ppm = 800000;
    ngx_canary_dispersion_cut(&hand.detector.dispersion);
    tick(0, 0, 0, 0, 0);
    ok(judge_same(0, &hand), "other shares: its blocks begin anew");

    tick(0, 0, 0, 0, 0);
    ok(judge_same(0, &hand), "once");
    is_u64(gates[0].stream, 1, "and its stream goes on");

    free(zone);

    return tap_done();
}
