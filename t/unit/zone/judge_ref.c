/*
 * A relative quantile is counted beyond a latency of the baseline, which moves
 * where that has moved far: from the next tick on all of it is counted anew,
 * and the evidence stays.
 */

#include "judge.h"


static judge_hand_t  hand;


static void
tick(double n, double bad, double limit, double base_n, double base_bad)
{
    judge_tick();
    judge_by_hand(&hand, NGX_CANARY_STREAM_PAIR, n, bad, limit, base_n,
                  base_bad);
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
    double                 limit;
    ngx_canary_latency_t  *window;

    if (!judge_setup()) {
        return 2;
    }

    judge_rule(&rules[0], NGX_CANARY_METRIC_P95, NGX_CANARY_NOT_WORSE, 500000);
    rules[0].min = 400;
    limit = ngx_canary_detector_pair_limit(0.1, 0.5);
    window = &split.variants[0].figures[NGX_CANARY_WINDOW].latency;

    /* without a reference there are no trials */

    memset(canary, 0, sizeof(canary));
    memset(baseline, 0, sizeof(baseline));
    tick(0, 0, 0, 0, 0);
    ok(judge_same(0, &hand) && gates[0].ref_us == 0, "no reference yet");

    window->count = 400;
    window->quantile_us[NGX_CANARY_METRIC_P95] = 200000;
    tick(0, 0, 0, 0, 0);
    cut();

    judge_more(&canary[0], 100, 50);
    judge_more(&baseline[0], 900, 60);
    tick(0, 0, 0, 0, 0);
    is_u64(gates[0].ref_us, 200000, "the baseline's quantile of the window");
    ok(judge_same(0, &hand), "what came before is not judged");

    judge_more(&canary[0], 10, 4);
    judge_more(&baseline[0], 90, 3);
    tick(7, 4, limit, 90, 3);
    ok(judge_same(0, &hand), "what comes then is");

    window->quantile_us[NGX_CANARY_METRIC_P95] = 290000;
    judge_more(&canary[0], 10, 1);
    judge_more(&baseline[0], 90, 3);
    tick(4, 1, limit, 90, 3);
    is_u64(gates[0].ref_us, 200000, "it moves by less than a half: it stays");

    window->quantile_us[NGX_CANARY_METRIC_P95] = 310000;
    judge_more(&canary[0], 10, 1);
    judge_more(&baseline[0], 90, 3);
    tick(4, 1, limit, 90, 3);
    cut();

    /* fewer are beyond the new one */

    canary[0].bad = 20;
    baseline[0].bad = 70;
    tick(0, 0, 0, 0, 0);
    is_u64(gates[0].ref_us, 310000, "it moves by more: a new one");
    ok(judge_same(0, &hand), "and nothing is judged twice");

    judge_more(&canary[0], 10, 4);
    judge_more(&baseline[0], 90, 3);
    tick(7, 4, limit, 90, 3);
    ok(judge_same(0, &hand) && gates[0].stream == 1, "the stream goes on");

    /* and down: 206,666 us are two thirds of it */

    window->quantile_us[NGX_CANARY_METRIC_P95] = 207000;
    judge_more(&canary[0], 10, 2);
    judge_more(&baseline[0], 90, 3);
    tick(5, 2, limit, 90, 3);
    is_u64(gates[0].ref_us, 310000, "down by less than a third: it stays");

    window->quantile_us[NGX_CANARY_METRIC_P95] = 205000;
    judge_more(&canary[0], 10, 2);
    judge_more(&baseline[0], 90, 3);
    tick(5, 2, limit, 90, 3);
    cut();

    /* of those that were judged, more are beyond the new one */

    canary[0].bad += 40;
    baseline[0].bad += 20;
    tick(0, 0, 0, 0, 0);
    is_u64(gates[0].ref_us, 205000, "down by more: a new one");
    ok(judge_same(0, &hand), "and nothing is judged twice");

    judge_more(&canary[0], 10, 4);
    judge_more(&baseline[0], 90, 3);
    tick(7, 4, limit, 90, 3);
    ok(judge_same(0, &hand) && gates[0].bad == 18,
       "only what comes then is held against it");

    /* a baseline that has too few for a quantile changes nothing */

    window->count = 399;
    window->quantile_us[NGX_CANARY_METRIC_P95] = 10000;
    judge_more(&canary[0], 10, 1);
    judge_more(&baseline[0], 90, 3);
    tick(4, 1, limit, 90, 3);
    judge_more(&canary[0], 10, 1);
    judge_more(&baseline[0], 90, 3);
    tick(4, 1, limit, 90, 3);
    is_u64(gates[0].ref_us, 205000, "of too few requests: it stays");
    ok(judge_same(0, &hand), "and all of it is judged");

    free(zone);

    return tap_done();
}
