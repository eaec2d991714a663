/*
 * Gates: rules held against figures.  Each gate is in one of three states,
 * with a reason that holds the numbers:
 *
 *     fail      the evidence against the canary has reached the threshold
 *     pass      enough samples in the stage, and both the figures of the stage
 *               and those of the window are within the limit
 *     pending   anything else
 */

#ifndef NGX_CANARY_GATE_H_INCLUDED
#define NGX_CANARY_GATE_H_INCLUDED


#include "ngx_canary_snapshot.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_LN10               2.302585092994046

/*
 * No "go" where more than this part of a canary's requests, in 1e-6, and more
 * than so many times the baseline's part were given up by their clients.
 */
#define NGX_CANARY_GATE_ABORTS        50000
#define NGX_CANARY_GATE_ABORTS_TIMES  2


/* the part of "ppm" (1e-6) in n, at most which may be bad; rounded down */
uint64_t ngx_canary_gate_allowed(uint64_t n, uint64_t ppm);

/*
 * Derives the status, the figures and the reason of all gates of a split from
 * their trials and evidence, and the split's verdict from them and its state;
 * the split's reason, where it was empty and something else holds back a "go".
 */
void ngx_canary_gates_judge(ngx_canary_split_t *split);

/* 1 if the figures of that time are within the gate's limit */
int ngx_canary_gate_within(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_scope_e scope);

/* 1 for a relative gate if the baseline had no request in that time */
int ngx_canary_gate_alone(const ngx_canary_gate_t *gate,
    ngx_canary_scope_e scope);

/*
 * 1 for a relative gate if the canary has all requests: none is left to compare
 * with, and that must not stop a stage.
 */
int ngx_canary_gate_unmatched(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate);

/*
 * 1 if the canary was rolled back so long ago that the window has nothing of
 * it: what is left to judge is the stage.
 */
int ngx_canary_gate_over(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate);

/* fills in has_baseline and baseline_actual */
void ngx_canary_gate_baseline(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate);

/* the reason of a gate that has its figures and its status */
void ngx_canary_gate_reason(const ngx_canary_split_t *split,
    ngx_canary_gate_t *gate);

/* that of a split whose canary "v" has too many requests given up */
void ngx_canary_gate_reason_aborts(ngx_canary_split_t *split,
    const ngx_canary_variant_t *v);


#pragma GCC visibility pop

#endif /* NGX_CANARY_GATE_H_INCLUDED */
