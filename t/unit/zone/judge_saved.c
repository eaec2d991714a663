/*
 * What the gates have seen goes through a state file: evidence, the dispersion
 * that counts, numbers and sums go on, and what was counted meanwhile is not
 * judged; what was seen before the split was re-armed is not kept.
 */

#include "judge.h"

#include "../../../src/zone/ngx_canary_saved_judge.c"


static judge_hand_t              hand[RULES];
static ngx_canary_saved_t        saved, read_back;
static ngx_canary_saved_event_t  events[1];
static unsigned char             file[65536];


static double
at_limit(void)
{
    return ngx_canary_detector_pair_limit(0.1, 0.5);
}


/* bad in bursts, so that there is a dispersion */

static void
tick(uint64_t i)
{
    uint64_t  bad, base_bad;

    bad = i % 20 < 3 ? 4 : 0;
    base_bad = i % 30 < 2 ? 5 : 0;

    judge_more(&canary[0], 10, bad);
    judge_more(&baseline[0], 90, base_bad);
    canary[1] = canary[0];
    baseline[1] = baseline[0];

    judge_tick();
    judge_by_hand(&hand[0], NGX_CANARY_STREAM_LIMIT, 10, (double) bad, 0.01,
                  90, (double) base_bad);
    judge_by_hand(&hand[1], NGX_CANARY_STREAM_PAIR, (double) (bad + base_bad),
                  (double) bad, at_limit(), 90, (double) base_bad);
}


static void
first_tick(void)
{
    size_t  i;

    judge_tick();

    for (i = 0; i < RULES; i++) {
        judge_by_hand(&hand[i], rules[i].op == NGX_CANARY_NOT_WORSE
                                ? NGX_CANARY_STREAM_PAIR
                                : NGX_CANARY_STREAM_LIMIT,
                      0, 0, 0.01, 0, 0);
    }
}


/* into a file and back, into another zone; 1 if it is taken */

static int
restart(void)
{
    char    error[NGX_CANARY_STATE_ERROR];
    size_t  len;

    memset(&saved, 0, sizeof(saved));
    memset(&read_back, 0, sizeof(read_back));
    read_back.events = events;
    read_back.nevents = 1;

    ngx_canary_saved_judge(zone, &saved.judge);

    len = ngx_canary_state_encode(&saved, file, sizeof(file));

    if (len == 0
        || ngx_canary_state_decode(&read_back, file, len, error) != 0)
    {
        return 0;
    }

    memset(zone, 0, sizeof(ngx_canary_zone_t));
    memset(zone->limits_us, 0xff, sizeof(zone->limits_us));
    ngx_canary_given_judge(zone, &read_back.judge);

    return 1;
}


/* what a restart leaves of a dispersion: blocks and epochs begin anew */

static void
left(ngx_canary_dispersion_t *d, int baseline)
{
    size_t                    i;
    ngx_canary_dispersion_t   whole;
    ngx_canary_length_t      *from, *to;

    whole = *d;
    memset(d, 0, sizeof(*d));
    d->rate = whole.rate;

    for (i = 0; i < NGX_CANARY_DISPERSION_LENGTHS; i++) {
        from = &whole.lengths[i];
        to = &d->lengths[i];

        to->past = from->past;

        if (baseline) {
            to->past.sum.excess += from->last.sum.excess + from->now.sum.excess;
            to->past.sum.even += from->last.sum.even + from->now.sum.even;
            to->past.sum.weight += from->last.sum.weight + from->now.sum.weight;
            to->past.sum.bad += from->last.sum.bad + from->now.sum.bad;
            to->past.sum.pairs += from->last.sum.pairs + from->now.sum.pairs;
        }
    }
}


static int
close_to(const ngx_canary_dispersion_t *a, const ngx_canary_dispersion_t *b,
    const ngx_canary_dispersion_t *a_base,
    const ngx_canary_dispersion_t *b_base)
{
    double  one, other;

    one = ngx_canary_dispersion_phi(a, a_base).phi;
    other = ngx_canary_dispersion_phi(b, b_base).phi;

    return fabs(one - other) <= 1e-9 * one;
}


/* but for the order in which they were added up */

static int
near(double one, double other)
{
    return fabs(one - other) <= 1e-9 * fabs(other);
}


static int
same_sum(const ngx_canary_length_t *a, const ngx_canary_length_t *b)
{
    const ngx_canary_spread_t  *one, *other;

    one = &a->past.sum;
    other = &b->past.sum;

    return near(one->excess, other->excess)
           && near(one->even, other->even)
           && near(one->weight, other->weight)
           && near(one->bad, other->bad)
           && near(one->pairs, other->pairs);
}


int
main(void)
{
    size_t              i, k, wrong;
    double              phi[RULES], evidence[RULES];
    ngx_canary_seen_t  *seen;

    if (!judge_setup()) {
        return 2;
    }

    split.nrules = 2;
    first_tick();

    for (i = 0; i < 500; i++) {
        tick(i);
    }

    judge_picture();

    for (i = 0; i < RULES; i++) {
        ok(judge_same(i, &hand[i]), "fed as by hand");
        phi[i] = gates[i].dispersion;
        evidence[i] = gates[i].evidence;
    }

    ok(phi[0] > 2 && phi[1] > 2, "what is bad comes in bursts");

    ok(restart(), "kept and read");
    judge_picture();

    for (i = 0; i < RULES; i++) {
        ok(gates[i].evidence == evidence[i], "the evidence");
        ok(fabs(gates[i].dispersion - phi[i]) < 1e-9, "the dispersion");
        is_u64(gates[i].stream, i + 1, "the number");
    }

    ok(gates[0].trials == 5000 && gates[0].bad == 300
       && gates[1].trials == 470 && gates[1].bad == 300, "the sums");

    for (i = 0; i < RULES; i++) {
        seen = judge_seen(i);

        for (k = 0; k < NGX_CANARY_DISPERSION_LENGTHS; k++) {
            ok(seen && memcmp(&seen->detector.dispersion.lengths[k].past,
                              &hand[i].detector.dispersion.lengths[k].past,
                              sizeof(ngx_canary_epoch_t))
                       == 0,
               "what counts of the length %zu", k);
        }

        ok(gates[i].known > 0, "and how much is known");

        left(&hand[i].baseline, 1);
        wrong = 0;

        for (k = 0; k < NGX_CANARY_DISPERSION_LENGTHS; k++) {
            wrong += !same_sum(&zone->judges[0].rules[i].dispersion.lengths[k],
                               &hand[i].baseline.lengths[k]);
        }

        ok(wrong == 0 && hand[i].baseline.lengths[0].past.sum.pairs > 20,
           "of a baseline all that it has seen counts");
    }

    /* requests between what was kept and the first tick */

    judge_more(&canary[0], 7, 7);
    judge_more(&baseline[0], 7, 7);
    canary[1] = canary[0];
    baseline[1] = baseline[0];

    for (i = 0; i < RULES; i++) {
        left(&hand[i].detector.dispersion, 0);
    }

    first_tick();

    for (i = 0; i < 200; i++) {
        tick(i);
    }

    for (i = 0; i < RULES; i++) {
        seen = judge_seen(i);
        ok(seen && close_to(&seen->detector.dispersion,
                            &hand[i].detector.dispersion,
                            &zone->judges[zone->judged & 1].rules[i].dispersion,
                            &hand[i].baseline)
           && seen->stream == i + 1, "it goes on as if nothing had been");
    }

    ok(judge_seen(0)->trials == 7000, "what came between is not judged");

    zone->armed++;
    ok(restart(), "kept once more");
    is_u64(saved.judge.nrules, 0, "nothing from before it was re-armed");

    first_tick();
    is_u64(gates[0].stream, 3, "but the numbers go on");

    free(zone);

    return tap_done();
}
