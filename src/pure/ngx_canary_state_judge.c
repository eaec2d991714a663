/*
 * What the gates have seen, to bytes and back: of the rules, and of each rule
 * on each canary.  Blocks of the dispersion that are not complete, and what is
 * too young to count, are not kept.
 */

#include "ngx_canary_state.h"


/* beyond anything that a stream comes to in a hundred years */
#define NGX_CANARY_STATE_TRIALS  1e18
#define NGX_CANARY_STATE_SPREAD  1e60


static void ngx_canary_state_rule(ngx_canary_walk_t *w,
    ngx_canary_saved_rule_t *rule);
static void ngx_canary_state_gate(ngx_canary_walk_t *w,
    ngx_canary_saved_gate_t *gate);
static void ngx_canary_state_dispersion(ngx_canary_walk_t *w,
    ngx_canary_saved_dispersion_t *d);
static void ngx_canary_state_spread(ngx_canary_walk_t *w,
    ngx_canary_spread_t *spread);


void
ngx_canary_state_judge(ngx_canary_walk_t *w, ngx_canary_saved_judge_t *judge)
{
    size_t  i;

    ngx_canary_walk_number(w, &judge->streams, UINT64_MAX);
    ngx_canary_walk_number(w, &judge->nrules, NGX_CANARY_MAX_RULES);
    ngx_canary_walk_number(w, &judge->ncanaries, NGX_CANARY_MAX_CANARIES);

    for (i = 0; i < judge->ncanaries && !w->failed; i++) {
        ngx_canary_walk_number(w, &judge->slots[i], NGX_CANARY_MAX_CANARIES);
    }

    for (i = 0; i < judge->nrules && !w->failed; i++) {
        ngx_canary_state_rule(w, &judge->rules[i]);
    }

    for (i = 0; i < judge->nrules * judge->ncanaries && !w->failed; i++) {
        ngx_canary_state_gate(w, &judge->gates[i]);
    }
}


static void
ngx_canary_state_rule(ngx_canary_walk_t *w, ngx_canary_saved_rule_t *rule)
{
    ngx_canary_walk_fixed(w, &rule->signature, 8);
    ngx_canary_walk_number(w, &rule->ref_us, NGX_CANARY_HIST_MAX_US);
    ngx_canary_state_dispersion(w, &rule->dispersion);
}


static void
ngx_canary_state_gate(ngx_canary_walk_t *w, ngx_canary_saved_gate_t *gate)
{
    size_t  i;

    ngx_canary_walk_number(w, &gate->stream, UINT64_MAX);

    if (gate->stream == 0) {
        return;
    }

    ngx_canary_walk_number(w, &gate->failed, 1);
    ngx_canary_walk_number(w, &gate->held, UINT64_MAX);
    ngx_canary_walk_number(w, &gate->held_ms, UINT64_MAX);
    ngx_canary_walk_double(w, &gate->held_ln, 0, NGX_CANARY_STATE_TRIALS);
    ngx_canary_walk_double(w, &gate->trials, 0, NGX_CANARY_STATE_TRIALS);
    ngx_canary_walk_double(w, &gate->bad, 0, NGX_CANARY_STATE_TRIALS);
    ngx_canary_walk_double(w, &gate->expected, 0, NGX_CANARY_STATE_TRIALS);

    for (i = 0; i < NGX_CANARY_DETECTOR_ALTERNATIVES; i++) {
        ngx_canary_walk_double(w, &gate->ln1p[i], 0,
                               NGX_CANARY_DETECTOR_CERTAIN);
    }

    ngx_canary_state_dispersion(w, &gate->dispersion);
}


static void
ngx_canary_state_dispersion(ngx_canary_walk_t *w,
    ngx_canary_saved_dispersion_t *d)
{
    size_t  i;

    ngx_canary_walk_double(w, &d->rate, 0, NGX_CANARY_STATE_SPREAD);

    for (i = 0; i < NGX_CANARY_DISPERSION_LENGTHS; i++) {
        ngx_canary_state_spread(w, &d->past[i].sum);
        ngx_canary_state_spread(w, &d->past[i].largest);
    }
}


static void
ngx_canary_state_spread(ngx_canary_walk_t *w, ngx_canary_spread_t *spread)
{
    ngx_canary_walk_double(w, &spread->excess, -NGX_CANARY_STATE_SPREAD,
                           NGX_CANARY_STATE_SPREAD);
    ngx_canary_walk_double(w, &spread->even, 0, NGX_CANARY_STATE_SPREAD);
    ngx_canary_walk_double(w, &spread->weight, 0, NGX_CANARY_STATE_SPREAD);
    ngx_canary_walk_double(w, &spread->bad, 0, NGX_CANARY_STATE_SPREAD);
    ngx_canary_walk_double(w, &spread->pairs, 0, NGX_CANARY_STATE_SPREAD);
}
