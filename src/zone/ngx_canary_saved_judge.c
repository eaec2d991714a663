
#include "ngx_canary_keep.h"


static void ngx_canary_saved_gate(ngx_canary_saved_gate_t *gate,
    ngx_canary_seen_t *seen);
static void ngx_canary_saved_dispersion(ngx_canary_saved_dispersion_t *saved,
    ngx_canary_dispersion_t *d);
static void ngx_canary_saved_recent(ngx_canary_saved_dispersion_t *saved,
    ngx_canary_dispersion_t *d);
static void ngx_canary_saved_add(ngx_canary_spread_t *sum,
    ngx_canary_spread_t *spread);
static void ngx_canary_given_gate(ngx_canary_seen_t *seen,
    ngx_canary_saved_gate_t *gate);
static void ngx_canary_given_dispersion(ngx_canary_dispersion_t *d,
    ngx_canary_saved_dispersion_t *saved);


/* what was seen before a re-arming, or of another in the slot, is not kept */

void
ngx_canary_saved_judge(ngx_canary_zone_t *zone,
    ngx_canary_saved_judge_t *saved)
{
    uint64_t             number;
    ngx_uint_t           i, slot, tries;
    ngx_canary_judge_t  *judge;

    for (tries = 0; tries < NGX_CANARY_READ_TRIES; tries++) {
        number = ngx_canary_load(&zone->judged);
        judge = &zone->judges[number & 1];

        ngx_memzero(saved, sizeof(ngx_canary_saved_judge_t));

        saved->streams = judge->tick.streams;

        if (judge->tick.armed == ngx_canary_load(&zone->armed)) {
            saved->nrules = ngx_min(judge->tick.nrules, NGX_CANARY_MAX_RULES);
            saved->ncanaries = ngx_min(judge->tick.ncanaries,
                                       NGX_CANARY_MAX_CANARIES);
            ngx_memcpy(saved->slots, judge->tick.slots, sizeof(saved->slots));
        }

        for (i = 0; i < saved->nrules; i++) {
            saved->rules[i].signature = judge->rules[i].signature;
            saved->rules[i].ref_us = judge->rules[i].ref_us;
            ngx_canary_saved_dispersion(&saved->rules[i].dispersion,
                                        &judge->rules[i].dispersion);
            ngx_canary_saved_recent(&saved->rules[i].dispersion,
                                    &judge->rules[i].dispersion);
        }

        for (i = 0; i < saved->nrules * saved->ncanaries; i++) {
            slot = saved->slots[i / saved->nrules];

            if (ngx_canary_judged_is_of(zone, &judge->gates[i], slot)) {
                ngx_canary_saved_gate(&saved->gates[i], &judge->gates[i]);
            }
        }

        /* the tick after the next one fills what is read here */

        if (ngx_canary_load(&zone->judged) == number) {
            return;
        }
    }

    ngx_memzero(saved, sizeof(ngx_canary_saved_judge_t));
}


static void
ngx_canary_saved_gate(ngx_canary_saved_gate_t *gate, ngx_canary_seen_t *seen)
{
    if (seen->stream == 0) {
        return;
    }

    gate->stream = seen->stream;
    gate->failed = seen->failed & 1;
    gate->held = seen->held;
    gate->held_ms = seen->held_ms;
    gate->held_ln = seen->held_ln;
    gate->trials = seen->trials;
    gate->bad = seen->bad;
    gate->expected = seen->expected;

    ngx_memcpy(gate->ln1p, seen->detector.ln1p, sizeof(gate->ln1p));
    ngx_canary_saved_dispersion(&gate->dispersion, &seen->detector.dispersion);
}


static void
ngx_canary_saved_dispersion(ngx_canary_saved_dispersion_t *saved,
    ngx_canary_dispersion_t *d)
{
    ngx_uint_t  i;

    saved->rate = d->rate;

    for (i = 0; i < NGX_CANARY_DISPERSION_LENGTHS; i++) {
        saved->past[i] = d->lengths[i].past;
    }
}


/* of a baseline what is young counts as well */

static void
ngx_canary_saved_recent(ngx_canary_saved_dispersion_t *saved,
    ngx_canary_dispersion_t *d)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CANARY_DISPERSION_LENGTHS; i++) {
        ngx_canary_saved_add(&saved->past[i].sum, &d->lengths[i].last.sum);
        ngx_canary_saved_add(&saved->past[i].sum, &d->lengths[i].now.sum);
    }
}


static void
ngx_canary_saved_add(ngx_canary_spread_t *sum, ngx_canary_spread_t *spread)
{
    sum->excess += spread->excess;
    sum->even += spread->even;
    sum->weight += spread->weight;
    sum->bad += spread->bad;
    sum->pairs += spread->pairs;
}


/*
 * As if it were of the last tick, but for what was counted up to it: that
 * begins with the next one, and so do the blocks of the dispersion.
 */

void
ngx_canary_given_judge(ngx_canary_zone_t *zone, ngx_canary_saved_judge_t *saved)
{
    ngx_uint_t            i;
    ngx_canary_judge_t   *judge;
    ngx_canary_judged_t  *judged;

    judge = &zone->judges[zone->judged & 1];

    judge->tick.armed = zone->armed;
    judge->tick.streams = saved->streams;
    judge->tick.nrules = saved->nrules;
    judge->tick.ncanaries = saved->ncanaries;
    ngx_memcpy(judge->tick.slots, saved->slots, sizeof(saved->slots));

    for (i = 0; i < saved->nrules; i++) {
        judged = &judge->rules[i];

        judged->signature = saved->rules[i].signature;
        judged->ref_us = saved->rules[i].ref_us;
        ngx_canary_given_dispersion(&judged->dispersion,
                                    &saved->rules[i].dispersion);
    }

    for (i = 0; i < saved->nrules * saved->ncanaries; i++) {
        ngx_canary_given_gate(&judge->gates[i], &saved->gates[i]);
    }
}


static void
ngx_canary_given_gate(ngx_canary_seen_t *seen, ngx_canary_saved_gate_t *gate)
{
    if (gate->stream == 0) {
        return;
    }

    /* no slot of new memory had another variant before */

    seen->ready = 1;
    ngx_memset(&seen->seen, 0xff, sizeof(ngx_canary_trial_t));
    ngx_memset(&seen->base, 0xff, sizeof(ngx_canary_trial_t));

    seen->stream = gate->stream;
    seen->failed = gate->failed;
    seen->held = gate->held;
    seen->held_ms = gate->held_ms;
    seen->held_ln = gate->held_ln;
    seen->trials = gate->trials;
    seen->bad = gate->bad;
    seen->expected = gate->expected;

    ngx_memcpy(seen->detector.ln1p, gate->ln1p, sizeof(gate->ln1p));
    ngx_canary_given_dispersion(&seen->detector.dispersion, &gate->dispersion);
}


static void
ngx_canary_given_dispersion(ngx_canary_dispersion_t *d,
    ngx_canary_saved_dispersion_t *saved)
{
    ngx_uint_t  i;

    d->rate = saved->rate;

    for (i = 0; i < NGX_CANARY_DISPERSION_LENGTHS; i++) {
        d->lengths[i].past = saved->past[i];
    }
}
