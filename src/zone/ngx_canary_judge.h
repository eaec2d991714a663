/*
 * A tick of the gates: what its parts share, the evidence (ngx_canary_judge.c)
 * and the hash cells (ngx_canary_clusters.c).
 */

#ifndef NGX_CANARY_JUDGE_H_INCLUDED
#define NGX_CANARY_JUDGE_H_INCLUDED


#include "ngx_canary_zone.h"


#pragma GCC visibility push(hidden)


/* what a tick works on; private to the process until it is complete */
typedef struct {
    ngx_canary_zone_t    *zone;
    ngx_canary_split_t   *split;
    ngx_canary_judge_t    judge;
    double                phi[1 + NGX_CANARY_MAX_LIMITS];   /* 0: unknown */
} ngx_canary_tick_t;


/*
 * How much a user's failures come together: from the baseline's users, or from
 * the canary's own as long as the baseline has too few.
 */
double ngx_canary_clusters_phi(ngx_canary_tick_t *tick,
    ngx_canary_gate_t *gate);

/*
 * Sets the latencies beyond which the hash cells count, by tick->judge.  If one
 * changes, all of them begin anew: it takes a changed configuration, or a
 * baseline that has moved far.
 */
void ngx_canary_clusters_limit(ngx_canary_tick_t *tick);


#pragma GCC visibility pop

#endif /* NGX_CANARY_JUDGE_H_INCLUDED */
