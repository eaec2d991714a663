/*
 * What a passage of a request counts in the shared memory; inline where it is
 * on the path of every request.
 */

#ifndef NGX_CANARY_RECORD_H_INCLUDED
#define NGX_CANARY_RECORD_H_INCLUDED


#include "ngx_canary_zone.h"


#pragma GCC visibility push(hidden)


/* what became of a passage: bits of ngx_canary_outcome_t.what, among others */
#define NGX_CANARY_ERROR          0x01
#define NGX_CANARY_FALLBACK       0x02      /* the baseline answers */
#define NGX_CANARY_TIMED          0x04      /* its latency counts */
#define NGX_CANARY_RETRIED        0x8000    /* more than one server tried */
#define NGX_CANARY_ABORTED        0x10000   /* by its client, unanswered */

#define NGX_CANARY_SELDOM                                                     \
    (NGX_CANARY_ERROR|NGX_CANARY_FALLBACK|NGX_CANARY_RETRIED                  \
     |NGX_CANARY_ABORTED)


/* the outcome of one passage, ready to be counted */
typedef struct {
    uint32_t                  response;     /* its class */
    ngx_uint_t                what;
    uint64_t                  latency_us;   /* if it is timed or aborted */
} ngx_canary_outcome_t;


/* ngx_canary_record.c: what NGX_CANARY_SELDOM tells of it */
void ngx_canary_record_seldom(ngx_canary_zone_t *zone,
    ngx_canary_counts_t *counts, ngx_uint_t what, uint64_t latency_us);


/* a latency, apart from the request that it is of */
static ngx_inline void
ngx_canary_record_latency(ngx_canary_zone_t *zone, ngx_canary_cell_t *cell,
    uint64_t us)
{
    uint64_t  base;

    base = ngx_canary_base_at(ngx_canary_load(&zone->published));

    ngx_canary_add(&cell->counts.n[NGX_CANARY_TALLY_SUM], us);
    ngx_canary_tally_value(cell, base, us);
}


/*
 * Counts one passage of a request that the hash, "off" or the latch assigned;
 * "cell" is that of its variant in this worker's shard.
 */
static ngx_inline void
ngx_canary_record(ngx_canary_zone_t *zone, ngx_canary_cell_t *cell,
    ngx_canary_outcome_t *oc)
{
    if (!ngx_canary_rare(!(oc->what & NGX_CANARY_TIMED))) {
        ngx_canary_record_latency(zone, cell, oc->latency_us);
    }

    if (ngx_canary_rare(oc->what & NGX_CANARY_SELDOM)) {
        ngx_canary_record_seldom(zone, &cell->counts, oc->what,
                                 oc->latency_us);
    }

    ngx_canary_add(&cell->counts.n[oc->response], 1);
}


#pragma GCC visibility pop

#endif /* NGX_CANARY_RECORD_H_INCLUDED */
