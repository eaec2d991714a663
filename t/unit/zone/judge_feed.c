/*
 * A gate is fed, tick by tick, what was counted since the last one: seconds
 * without trials too, and what is bad never before its trial.  What it has seen
 * belongs to the rule, and begins anew, under another number, where the canary
 * has no share, another one takes its place, or the split is re-armed.
 */

#include "judge.h"


#define LIMIT  0.01


static judge_hand_t  hand;


static void
count(uint64_t n, uint64_t bad, double fed_n, double fed_bad)
{
    judge_more(&canary[0], n, bad);
    judge_more(&baseline[0], 90, 1);
    judge_tick();
    judge_by_hand(&hand, NGX_CANARY_STREAM_LIMIT, fed_n, fed_bad, LIMIT, 90, 1);
}


static void
ticks(void)
{
    judge_tick();
    judge_by_hand(&hand, NGX_CANARY_STREAM_LIMIT, 0, 0, LIMIT, 0, 0);

    ok(judge_same(0, &hand), "what came before the first tick is not judged");
    is_u64(gates[0].stream, 1, "a stream begins");

    count(10, 2, 10, 2);
    ok(judge_same(0, &hand), "what was counted since is");

    count(0, 0, 0, 0);
    count(0, 0, 0, 0);
    ok(judge_same(0, &hand), "a second without requests is a tick as well");

    count(0, 3, 0, 0);
    ok(judge_same(0, &hand), "what is bad before its trial waits");

    count(1, 0, 1, 1);
    count(5, 0, 5, 2);
    ok(judge_same(0, &hand), "and comes with it, and none is lost");

    canary[0].bad -= 1;
    count(10, 0, 10, 0);
    count(10, 3, 10, 2);
    ok(judge_same(0, &hand), "one that is taken back is not judged twice");

    ok(gates[0].trials == 36 && gates[0].bad == 7 && gates[0].expected == 0,
       "the sums are shown");
    ok(gates[0].evidence == ngx_canary_detector_evidence(&hand.detector,
                                                      NGX_CANARY_STREAM_LIMIT),
       "and the evidence");

    judge_picture();
    ok(gates[0].dispersion
       == ngx_canary_dispersion_phi(&hand.detector.dispersion,
                                    &hand.baseline).phi
       && gates[0].dispersion > 1, "and the dispersion");
}


/* the rule is the same wherever it stands */

static void
reloads(void)
{
    split.nrules = 2;
    rules[1] = rules[0];
    judge_rule(&rules[0], NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_AT_MOST,
               20000);
    canary[1] = canary[0];
    baseline[1] = baseline[0];
    judge_tick();
    judge_by_hand(&hand, NGX_CANARY_STREAM_LIMIT, 0, 0, LIMIT, 0, 0);

    ok(judge_same(1, &hand), "a rule goes on in another place");
    is_u64(gates[1].stream, 1, "under its number");
    is_u64(gates[0].stream, 2, "and another one has its own");
    ok(judge_seen(0)->trials == 0, "and begins with nothing");

    split.nrules = 1;
    rules[0] = rules[1];
    judge_tick();
    judge_by_hand(&hand, NGX_CANARY_STREAM_LIMIT, 0, 0, LIMIT, 0, 0);
}


static int
begins(uint64_t stream)
{
    judge_hand_t  fresh;

    memset(&fresh, 0, sizeof(fresh));
    fresh.baseline = hand.baseline;

    judge_tick();
    judge_by_hand(&fresh, NGX_CANARY_STREAM_LIMIT, 0, 0, LIMIT, 0, 0);
    hand = fresh;

    return gates[0].stream == stream && gates[0].trials == 0
           && judge_same(0, &hand);
}


static void
anew(void)
{
    split.variants[1].configured_share_ppm = 0;
    judge_more(&canary[0], 50, 50);
    judge_tick();
    judge_by_hand(&hand, NGX_CANARY_STREAM_LIMIT, 0, 0, LIMIT, 0, 0);

    is_u64(gates[0].stream, 0, "no share: no stream");
    ok(gates[0].evidence == NGX_CANARY_DETECTOR_NONE, "and no evidence");

    split.variants[1].configured_share_ppm = 100000;
    ok(begins(3), "it begins anew once there is one");

    count(4, 1, 4, 1);
    ok(judge_same(0, &hand), "and goes on");

    /* the master gives the slot to another canary */

    zone->requests.since_us[SLOT] = now_us;
    canary[0].n = 2;
    canary[0].bad = 2;
    ok(begins(4), "another canary in its place begins anew");

    count(4, 1, 4, 1);
    ok(judge_same(0, &hand), "and goes on from its own totals");

    zone->armed++;
    memset(&hand.baseline, 0, sizeof(hand.baseline));
    judge_more(&canary[0], 50, 50);
    ok(begins(5), "re-armed, all of it begins anew");
}


int
main(void)
{
    if (!judge_setup()) {
        return 2;
    }

    ticks();
    reloads();
    anew();

    free(zone);

    return tap_done();
}
