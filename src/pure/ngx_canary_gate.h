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


/* the part of "ppm" (1e-6) in n, at most which may be bad; rounded down */
uint64_t ngx_canary_gate_allowed(uint64_t n, uint64_t ppm);

/*
 * Derives the status, the figures and the reason of all gates of a split from
 * their trials and evidence, and the split's verdict from them and its state.
 */
void ngx_canary_gates_judge(ngx_canary_split_t *split);


#pragma GCC visibility pop

#endif /* NGX_CANARY_GATE_H_INCLUDED */
