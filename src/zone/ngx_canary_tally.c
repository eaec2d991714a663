
#include "ngx_canary_tally.h"


static ngx_uint_t ngx_canary_tally_counts(ngx_canary_counts_t *sum,
    ngx_canary_counts_t *counts);
static void ngx_canary_tally_hist(ngx_canary_tally_t *tally, ngx_uint_t slot,
    ngx_canary_sum_t *sum, uint64_t used);


void
ngx_canary_tally_sum(ngx_canary_tally_t *tally, ngx_uint_t slot,
    ngx_canary_sum_t *sum)
{
    uint64_t            used, max, low;
    ngx_uint_t          i, s;
    ngx_canary_cell_t  *cell;

    ngx_memzero(&sum->cell, offsetof(ngx_canary_cell_t, hist));

    used = 0;

    for (i = 0; i < tally->nshards; i++) {
        cell = ngx_canary_tally_cell(tally, i, slot);

        if (ngx_canary_tally_counts(&sum->cell.counts, &cell->counts)) {
            used |= (uint64_t) 1 << i;
        }

        for (s = 0; s < NGX_CANARY_BASES; s++) {
            max = ngx_canary_load(&cell->max[s]);
            low = ngx_canary_load(&cell->low[s]);

            sum->cell.max[s] = ngx_max(sum->cell.max[s], max);
            sum->cell.low[s] = ngx_max(sum->cell.low[s], low);
        }
    }

    /* a stage that ends is folded into the past before it is cleared */

    sum->past_max = ngx_canary_load(&tally->past_max[slot]);
    sum->past_low = ngx_canary_load(&tally->past_low[slot]);

    for (s = 0; s < NGX_CANARY_BASES; s++) {
        sum->past_max = ngx_max(sum->past_max, sum->cell.max[s]);
        sum->past_low = ngx_max(sum->past_low, sum->cell.low[s]);
    }

    low = sum->past_low ? UINT64_MAX - sum->past_low : 0;

    sum->from = ngx_canary_hist_index(low);
    sum->to = ngx_canary_hist_index(sum->past_max);

    ngx_canary_tally_hist(tally, slot, sum, used);
}


/* returns 1 if anything was counted, or the latency of what is under way */

static ngx_uint_t
ngx_canary_tally_counts(ngx_canary_counts_t *sum, ngx_canary_counts_t *counts)
{
    uint64_t    n, any;
    ngx_uint_t  i, late;

    any = 0;

    for (i = 0; i < NGX_CANARY_COUNTS; i++) {
        n = ngx_canary_load(&counts->n[i]);
        sum->n[i] += n;
        any |= n;
    }

    n = ngx_canary_load(&counts->n[NGX_CANARY_TALLY_SUM]);
    sum->n[NGX_CANARY_TALLY_SUM] += n;
    any |= n;

    late = sum->n[NGX_CANARY_COUNT_ABORTED] ? NGX_CANARY_LIMITS : 0;

    for (i = NGX_CANARY_TALLY_LATE; i < NGX_CANARY_TALLY_LATE + late; i++) {
        sum->n[i] += ngx_canary_load(&counts->n[i]);
    }

    return any != 0;
}


/*
 * Adds up sum->from .. sum->to of the shards in the bitmap "used".  The first
 * is copied, so that the sum need not be zeroed.
 */

static void
ngx_canary_tally_hist(ngx_canary_tally_t *tally, ngx_uint_t slot,
    ngx_canary_sum_t *sum, uint64_t used)
{
    uint64_t    *hist;
    ngx_uint_t   i, copied;

    copied = 0;

    for (i = 0; i < tally->nshards; i++) {

        if (!(used & ((uint64_t) 1 << i))) {
            continue;
        }

        hist = ngx_canary_tally_cell(tally, i, slot)->hist;

        if (copied) {
            ngx_canary_hist_merge(sum->cell.hist, hist, sum->from, sum->to);

        } else {
            ngx_canary_hist_copy(sum->cell.hist, hist, sum->from, sum->to);
            copied = 1;
        }
    }

    if (!copied) {
        ngx_memzero(&sum->cell.hist[sum->from],
                    (sum->to - sum->from + 1) * sizeof(uint64_t));
    }
}


void
ngx_canary_tally_base(ngx_canary_tally_t *tally, ngx_uint_t slot,
    ngx_uint_t base, ngx_canary_sum_t *sum)
{
    ngx_uint_t               i;
    ngx_canary_cell_t       *cell;
    ngx_canary_base_cell_t  *begin;

    ngx_canary_tally_sum(tally, slot, sum);

    begin = &tally->base[base][slot];
    begin->counts = sum->cell.counts;

    ngx_memzero(begin->hist, sizeof(begin->hist));
    ngx_memcpy(&begin->hist[sum->from], &sum->cell.hist[sum->from],
               (sum->to - sum->from + 1) * sizeof(uint64_t));

    ngx_canary_raise(&tally->past_max[slot], sum->cell.max[base]);
    ngx_canary_raise(&tally->past_low[slot], sum->cell.low[base]);

    for (i = 0; i < tally->nshards; i++) {
        cell = ngx_canary_tally_cell(tally, i, slot);

        ngx_canary_store(&cell->max[base], 0);
        ngx_canary_store(&cell->low[base], 0);
    }
}


/*
 * A slot of the ring that was used before holds smaller totals of the same
 * variant, or those of a variant that is gone: their buckets are told apart by
 * "from" and "to".
 */

void
ngx_canary_tally_step(ngx_canary_tally_t *tally, ngx_uint_t slot,
    ngx_uint_t step, ngx_canary_sum_t *sum)
{
    size_t                   b;
    ngx_canary_step_cell_t  *cell;

    ngx_canary_tally_sum(tally, slot, sum);

    cell = &tally->steps[step][slot];

    cell->counts = sum->cell.counts;
    cell->from = sum->from;
    cell->to = sum->to;

    for (b = sum->from; b <= sum->to; b++) {
        cell->hist[b] = (uint32_t) sum->cell.hist[b];
    }
}


/* what a step remembers of the slot is older than this */

void
ngx_canary_tally_clear(ngx_canary_tally_t *tally, ngx_uint_t slot)
{
    ngx_uint_t  i;

    tally->since_us[slot] = ngx_canary_now_us();

    for (i = 0; i < tally->nshards; i++) {
        ngx_memzero(ngx_canary_tally_cell(tally, i, slot),
                    sizeof(ngx_canary_cell_t));
    }

    for (i = 0; i < NGX_CANARY_BASES; i++) {
        ngx_memzero(&tally->base[i][slot], sizeof(ngx_canary_base_cell_t));
    }

    tally->past_max[slot] = 0;
    tally->past_low[slot] = 0;
}
