
#include "ngx_canary_record.h"


static void ngx_canary_record_late(ngx_canary_zone_t *zone,
    ngx_canary_counts_t *counts, uint64_t us);


void
ngx_canary_record_seldom(ngx_canary_zone_t *zone, ngx_canary_counts_t *counts,
    ngx_uint_t what, uint64_t latency_us)
{
    if (what & NGX_CANARY_ERROR) {
        ngx_canary_add(&counts->n[NGX_CANARY_COUNT_ERRORS], 1);
    }

    if (what & NGX_CANARY_FALLBACK) {
        ngx_canary_add(&counts->n[NGX_CANARY_COUNT_FALLBACKS], 1);
    }

    if (what & NGX_CANARY_RETRIED) {
        ngx_canary_add(&counts->n[NGX_CANARY_COUNT_RETRIES], 1);
    }

    if (what & NGX_CANARY_ABORTED) {
        ngx_canary_add(&counts->n[NGX_CANARY_COUNT_ABORTED], 1);
        ngx_canary_record_late(zone, counts, latency_us);
    }
}


/*
 * A request that its client gives up has taken so long at least: longer than a
 * limit, it is as bad as one that was answered then; else it tells nothing.
 */

static void
ngx_canary_record_late(ngx_canary_zone_t *zone, ngx_canary_counts_t *counts,
    uint64_t us)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CANARY_LIMITS; i++) {
        if (us > ngx_canary_load(&zone->limits_us[i])) {
            ngx_canary_add(&counts->n[NGX_CANARY_TALLY_LATE + i], 1);
        }
    }
}
