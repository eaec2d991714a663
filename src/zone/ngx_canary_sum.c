
#include "ngx_canary_zone.h"


static ngx_uint_t ngx_canary_sum_counts(ngx_canary_counts_t *sum,
    ngx_canary_counts_t *counts);
static void ngx_canary_sum_hist(ngx_canary_zone_t *zone, ngx_uint_t slot,
    ngx_canary_sum_t *sum, uint64_t used);


void
ngx_canary_sum(ngx_canary_zone_t *zone, ngx_uint_t slot, ngx_canary_sum_t *sum)
{
    uint64_t            used, max_us, low_us;
    ngx_uint_t          i, s;
    ngx_canary_cell_t  *cell;

    ngx_memzero(&sum->cell, offsetof(ngx_canary_cell_t, hist));

    used = 0;

    for (i = 0; i < zone->nshards; i++) {
        cell = &zone->shards[i].variants[slot];

        if (ngx_canary_sum_counts(&sum->cell.counts, &cell->counts)) {
            used |= (uint64_t) 1 << i;
        }

        for (s = 0; s < NGX_CANARY_BASES; s++) {
            max_us = ngx_canary_load(&cell->max_us[s]);
            low_us = ngx_canary_load(&cell->low_us[s]);

            sum->cell.max_us[s] = ngx_max(sum->cell.max_us[s], max_us);
            sum->cell.low_us[s] = ngx_max(sum->cell.low_us[s], low_us);
        }
    }

    sum->past_max_us = ngx_canary_load(&zone->past_max_us[slot]);
    sum->past_low_us = ngx_canary_load(&zone->past_low_us[slot]);

    for (s = 0; s < NGX_CANARY_BASES; s++) {
        max_us = sum->cell.max_us[s];
        low_us = sum->cell.low_us[s];

        sum->past_max_us = ngx_max(sum->past_max_us, max_us);
        sum->past_low_us = ngx_max(sum->past_low_us, low_us);
    }

    low_us = sum->past_low_us ? UINT64_MAX - sum->past_low_us : 0;

    sum->from = ngx_canary_hist_index(low_us);
    sum->to = ngx_canary_hist_index(sum->past_max_us);

    ngx_canary_sum_hist(zone, slot, sum, used);
}


/* returns 1 if any request was counted, or the latency of one under way */

static ngx_uint_t
ngx_canary_sum_counts(ngx_canary_counts_t *sum, ngx_canary_counts_t *counts)
{
    uint64_t    n, any;
    ngx_uint_t  i;

    any = 0;

    for (i = 0; i < NGX_CANARY_COUNTS; i++) {
        n = ngx_canary_load(&counts->n[i]);
        sum->n[i] += n;

        any |= i < NGX_CANARY_CLASSES ? n : 0;
    }

    n = ngx_canary_load(&counts->sum_us);
    sum->sum_us += n;
    any |= n;

    for (i = 0;
         sum->n[NGX_CANARY_COUNT_ABORTED] && i < NGX_CANARY_LIMITS;
         i++)
    {
        sum->late[i] += ngx_canary_load(&counts->late[i]);
    }

    return any != 0;
}


/*
 * Adds up sum->from .. sum->to of the shards in the bitmap "used".  The first
 * is copied, so that the sum need not be zeroed.
 */

static void
ngx_canary_sum_hist(ngx_canary_zone_t *zone, ngx_uint_t slot,
    ngx_canary_sum_t *sum, uint64_t used)
{
    uint64_t    *counts;
    ngx_uint_t   i, copied;

    copied = 0;

    for (i = 0; i < zone->nshards; i++) {

        if (!(used & ((uint64_t) 1 << i))) {
            continue;
        }

        counts = zone->shards[i].variants[slot].hist;

        if (copied) {
            ngx_canary_hist_merge(sum->cell.hist, counts, sum->from, sum->to);

        } else {
            ngx_canary_hist_copy(sum->cell.hist, counts, sum->from, sum->to);
            copied = 1;
        }
    }

    if (!copied) {
        ngx_memzero(&sum->cell.hist[sum->from],
                    (sum->to - sum->from + 1) * sizeof(uint64_t));
    }
}
