/*
 * What is counted of one kind, a tally: the requests of a split with their
 * latencies, or the values of an event.  It has counters and a histogram for
 * each variant, by its slot.
 *
 * Who writes: workers count (relaxed atomic adds into the shard of their
 * index); who begins a stage fills a base that is not in force; the winner of a
 * tick fills a step of the window, whose mark is the ring's.  Counters only
 * grow: a stage is what they grew by since its base, a window since its step.
 */

#ifndef NGX_CANARY_TALLY_H_INCLUDED
#define NGX_CANARY_TALLY_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>

#include "../pure/ngx_canary_hist.h"
#include "../pure/ngx_canary_snapshot.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_WINDOW_STEPS   30    /* a window's length in steps */
/* and the one that it begins with: while that is written, the next older */
#define NGX_CANARY_STEPS          (NGX_CANARY_WINDOW_STEPS + 1)

/* the one in force, the master's to fill next, and the workers' */
#define NGX_CANARY_BASES          3

#define ngx_canary_load(p)        __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define ngx_canary_store(p, v)    __atomic_store_n(p, v, __ATOMIC_RELEASE)

#define ngx_canary_add(p, v)                                                  \
    (void) __atomic_fetch_add(p, v, __ATOMIC_RELAXED)


/* only ever grow; see NGX_CANARY_TALLY */
typedef struct {
    uint64_t                  n[NGX_CANARY_TALLY];
} ngx_canary_counts_t;


/* what one variant counts in one shard, or a sum of it */
typedef struct {
    ngx_canary_counts_t       counts;
    /*
     * By the index of the stage's base: the greatest value, and the greatest of
     * UINT64_MAX - value, so that zeroed memory means none yet.
     */
    uint64_t                  max[NGX_CANARY_BASES];
    uint64_t                  low[NGX_CANARY_BASES];
    uint64_t                  hist[NGX_CANARY_HIST_BUCKETS];
} ngx_canary_cell_t;


/* the totals of a variant when a stage began */
typedef struct {
    ngx_canary_counts_t       counts;
    uint64_t                  hist[NGX_CANARY_HIST_BUCKETS];
} ngx_canary_base_cell_t;


/* the totals of a variant at a step; differences are taken modulo 2^32 */
typedef struct {
    ngx_canary_counts_t       counts;
    uint64_t                  from;         /* buckets that are set */
    uint64_t                  to;
    uint32_t                  hist[NGX_CANARY_HIST_BUCKETS];
} ngx_canary_step_cell_t;


/* its shards' cells lie behind it, where its owner has put them */
typedef struct {
    uint64_t                  nshards;
    uint64_t                  first;        /* bytes from here to the cells */
    uint64_t                  shard;        /* and from a shard to the next */

    /* when the counters of a slot began anew, monotonic, or 0 */
    uint64_t                  since_us[NGX_CANARY_MAX_VARIANTS];
    /* extremes of the stages before */
    uint64_t                  past_max[NGX_CANARY_MAX_VARIANTS];
    uint64_t                  past_low[NGX_CANARY_MAX_VARIANTS];

    ngx_canary_base_cell_t    base[NGX_CANARY_BASES][NGX_CANARY_MAX_VARIANTS];
    ngx_canary_step_cell_t    steps[NGX_CANARY_STEPS][NGX_CANARY_MAX_VARIANTS];
} ngx_canary_tally_t;

#define ngx_canary_tally_cell(tally, i, slot)                                 \
    ((ngx_canary_cell_t *) ((u_char *) (tally) + (tally)->first               \
                            + (i) * (tally)->shard)                           \
     + (slot))


/* a slot's totals over all shards; the buckets outside from .. to are unset */
typedef struct {
    ngx_canary_cell_t         cell;
    uint64_t                  past_max;     /* of all stages, or 0 */
    uint64_t                  past_low;
    size_t                    from;
    size_t                    to;
} ngx_canary_sum_t;


/* monotonic microseconds */
uint64_t ngx_canary_now_us(void);

/* "sum" need not be zeroed */
void ngx_canary_tally_sum(ngx_canary_tally_t *tally, ngx_uint_t slot,
    ngx_canary_sum_t *sum);

/*
 * The totals of this moment into a base that is not in force, and the extremes
 * of the last stage that had it into those of the past; "sum" is room for them.
 */
void ngx_canary_tally_base(ngx_canary_tally_t *tally, ngx_uint_t slot,
    ngx_uint_t base, ngx_canary_sum_t *sum);

/* likewise into the step with that index */
void ngx_canary_tally_step(ngx_canary_tally_t *tally, ngx_uint_t slot,
    ngx_uint_t step, ngx_canary_sum_t *sum);

/* counts a slot from nothing; by the master only */
void ngx_canary_tally_clear(ngx_canary_tally_t *tally, ngx_uint_t slot);


/* of new memory: where the first shard's cells are, and each further one's */
static ngx_inline void
ngx_canary_tally_place(ngx_canary_tally_t *tally, ngx_canary_cell_t *cells,
    size_t shard, ngx_uint_t nshards)
{
    tally->nshards = nshards;
    tally->first = (u_char *) cells - (u_char *) tally;
    tally->shard = shard;
}


static ngx_inline void
ngx_canary_raise(uint64_t *p, uint64_t value)
{
    uint64_t  old;

    old = __atomic_load_n(p, __ATOMIC_RELAXED);

    while (value > old) {
        if (__atomic_compare_exchange_n(p, &old, value, 1, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
        {
            return;
        }
    }
}


/* the extremes first: who reads a bucket looks for it between them */
static ngx_inline void
ngx_canary_tally_value(ngx_canary_cell_t *cell, uint64_t base, uint64_t value)
{
    ngx_canary_raise(&cell->max[base], value);
    ngx_canary_raise(&cell->low[base], UINT64_MAX - value);
    ngx_canary_add(&cell->hist[ngx_canary_hist_index(value)], 1);
}


#pragma GCC visibility pop

#endif /* NGX_CANARY_TALLY_H_INCLUDED */
