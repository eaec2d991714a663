/*
 * A state of a split for the tests: every field is set, and to a value of its
 * own, so that two that are swapped are seen.
 */

#ifndef SAVED_H_INCLUDED
#define SAVED_H_INCLUDED


#include "../../src/pure/ngx_canary_state.h"

#include <string.h>


static uint64_t  saved_next;


static inline void
saved_name(ngx_canary_saved_name_t *name, const char *text)
{
    name->len = strlen(text);
    memcpy(name->data, text, name->len);
}


static inline void
saved_text(ngx_canary_saved_text_t *text, const char *from)
{
    text->len = strlen(from);
    memcpy(text->data, from, text->len);
}


static inline void
saved_counts(ngx_canary_saved_tally_t *counts)
{
    size_t  i;

    for (i = 0; i < NGX_CANARY_TALLY_SUM; i++) {
        counts->n[i] = saved_next++;
    }

    counts->n[NGX_CANARY_TALLY_SUM] = saved_next++ << 20;
    counts->max = saved_next++ << 10;
    counts->low = UINT64_MAX - saved_next++;

    /* the first and the last bucket, some side by side and some apart */

    counts->hist[0] = saved_next++;
    counts->hist[1] = saved_next++;
    counts->hist[700] = saved_next++;
    counts->hist[NGX_CANARY_HIST_BUCKETS - 1] = UINT64_MAX - saved_next++;
}


static inline void
saved_variant(ngx_canary_saved_variant_t *v, const char *name)
{
    size_t  i;

    v->used = saved_next++;
    saved_name(&v->name, name);
    saved_counts(&v->total);
    saved_counts(&v->base);

    for (i = 0; i < NGX_CANARY_LIMITS; i++) {
        v->late_from[i] = saved_next++;
    }
}


static inline void
saved_tally(ngx_canary_saved_tally_t *tally)
{
    size_t  i;

    for (i = 0; i < NGX_CANARY_EVENT_COUNTS; i++) {
        tally->n[i] = saved_next++;
    }

    tally->max = saved_next++;
    tally->low = UINT64_MAX - saved_next++;
    tally->hist[42] = saved_next++;
    tally->sketch[7] = 31;
    tally->sketch[8] = 31;
    tally->sketch[NGX_CANARY_SAVED_SKETCH - 1] = 52;
}


static inline void
saved_event(ngx_canary_saved_event_t *event, const char *name)
{
    size_t                       i;
    ngx_canary_saved_figures_t  *f;

    event->used = saved_next++;
    saved_name(&event->name, name);

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i += 3) {
        f = &event->figures[i];

        f->elapsed_us = saved_next++;
        f->last = saved_next++;
        saved_tally(&f->total);
        saved_tally(&f->base);
    }
}


static inline void
saved_published(ngx_canary_saved_t *saved)
{
    saved->generation = saved_next++;
    saved->loaded_ms = saved_next++;
    saved->stage_start_ms = saved_next++;
    saved->stage_elapsed_us = saved_next++;
    saved_name(&saved->stage, "stage1_5pct");

    saved->ncanaries = 2;
    saved->canaries[0].slot = 1;
    saved->canaries[0].share_ppm = 50000;
    saved->canaries[1].slot = 4;
    saved->canaries[1].off = 1;
}


static inline double
saved_double(void)
{
    return (double) saved_next++ / 1024;
}


static inline void
saved_dispersion(ngx_canary_saved_dispersion_t *d)
{
    size_t                i, n;
    ngx_canary_spread_t  *spread;

    d->rate = saved_double();

    for (i = 0; i < NGX_CANARY_DISPERSION_LENGTHS; i++) {
        for (n = 0; n < 2; n++) {
            spread = n ? &d->past[i].largest : &d->past[i].sum;

            spread->excess = n ? saved_double() : -saved_double();
            spread->even = saved_double();
            spread->weight = saved_double();
            spread->bad = saved_double();
            spread->pairs = saved_double();
        }
    }
}


static inline void
saved_gate(ngx_canary_saved_gate_t *gate)
{
    size_t  i;

    gate->stream = saved_next++;
    gate->failed = 1;
    gate->held = saved_next++;
    gate->held_ms = saved_next++;
    gate->held_ln = saved_double();
    gate->trials = saved_double();
    gate->bad = saved_double();
    gate->expected = saved_double();

    for (i = 0; i < NGX_CANARY_DETECTOR_ALTERNATIVES; i++) {
        gate->ln1p[i] = saved_double();
    }

    saved_dispersion(&gate->dispersion);
}


/* two rules and three canaries, one of which has not begun */

static inline void
saved_judge(ngx_canary_saved_judge_t *judge)
{
    size_t  i;

    judge->streams = saved_next++;
    judge->nrules = 2;
    judge->ncanaries = 3;
    judge->slots[0] = 4;
    judge->slots[1] = 1;
    judge->slots[2] = 7;

    for (i = 0; i < 2; i++) {
        judge->rules[i].signature = UINT64_MAX - saved_next++;
        judge->rules[i].ref_us = saved_next++;
        saved_dispersion(&judge->rules[i].dispersion);
    }

    for (i = 0; i < 6; i++) {
        if (i != 2 && i != 3) {
            saved_gate(&judge->gates[i]);
        }
    }
}


/* "saved" is zeroed, and "events" has room for two */

static inline void
saved_fill(ngx_canary_saved_t *saved, ngx_canary_saved_event_t *events)
{
    size_t  i;

    saved_next = 1000;

    saved->run = saved_next++;
    saved->owner = saved_next++;
    saved->place = saved_next++;
    saved_name(&saved->split, "documents");
    saved->saved_ms = saved_next++;
    saved->created_ms = saved_next++;
    saved->elapsed_us = saved_next++;
    saved->unkeyed = saved_next++;
    saved->base_unkeyed = saved_next++;
    saved->bypassed = saved_next++;

    for (i = 0; i < NGX_CANARY_CAUSES; i++) {
        saved->rollbacks[i] = saved_next++;
    }

    saved->latched = 1;
    saved->latch_ms = saved_next++;
    saved->cause = NGX_CANARY_CAUSE_OPERATOR;
    saved_text(&saved->reason, "by anna: too slow");

    saved_published(saved);

    saved->njournal = 2;
    saved->journal[0].number = saved_next++;
    saved->journal[0].time_ms = saved_next++;
    saved->journal[0].kind = 0;
    saved_text(&saved->journal[0].text, "canary 0% -> 5%, generation 1");
    saved->journal[1].number = saved_next++;
    saved->journal[1].time_ms = saved_next++;
    saved->journal[1].kind = 1;
    saved_text(&saved->journal[1].text, "by anna: too slow");

    for (i = 0; i < NGX_CANARY_LIMITS; i++) {
        saved->limits_us[i] = saved_next++;
    }

    saved_variant(&saved->variants[0], "documents");
    saved_variant(&saved->variants[1], "sliceB");
    saved_variant(&saved->variants[4], "sliceC");

    saved->nevents = 2;
    saved->events = events;
    saved_event(&events[0], "upload");
    saved_event(&events[1], "download");

    saved_judge(&saved->judge);
}


#endif /* SAVED_H_INCLUDED */
