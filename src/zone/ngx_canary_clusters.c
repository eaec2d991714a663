
#include "ngx_canary_judge.h"


static uint64_t ngx_canary_clusters_sum(ngx_canary_zone_t *zone,
    ngx_uint_t slot, ngx_uint_t kind, uint64_t *bad, uint64_t *requests);
static void ngx_canary_clusters_limit_add(uint64_t *limits, uint64_t us);


double
ngx_canary_clusters_phi(ngx_canary_tick_t *tick, ngx_canary_gate_t *gate)
{
    uint64_t            bad[NGX_CANARY_CLUSTERS];
    uint64_t            requests[NGX_CANARY_CLUSTERS], limit_us;
    ngx_uint_t          i, kind;
    ngx_canary_zone_t  *zone;

    zone = tick->zone;

    if (gate->rule->metric == NGX_CANARY_METRIC_ERROR_RATE) {
        kind = 0;

    } else if (gate->rule->metric <= NGX_CANARY_METRIC_P999) {
        limit_us = gate->rule->op == NGX_CANARY_NOT_WORSE ? gate->ref_us
                                                          : gate->rule->limit;

        for (i = 0; zone->limits_us[i] != limit_us; i++) {
            if (i == NGX_CANARY_MAX_LIMITS) {
                return 1;
            }
        }

        kind = 1 + i;

    } else {
        return 1;
    }

    if (tick->phi[kind] >= 1) {
        return tick->phi[kind];
    }

    if (ngx_canary_clusters_sum(zone, NGX_CANARY_BASELINE, kind, bad, requests)
        >= NGX_CANARY_DISPERSION_EVENTS)
    {
        tick->phi[kind] = ngx_canary_dispersion(bad, requests,
                                                NGX_CANARY_CLUSTERS);
        return tick->phi[kind];
    }

    (void) ngx_canary_clusters_sum(zone,
                                  tick->split->variants[gate->index].slot,
                                  kind, bad, requests);

    return ngx_canary_dispersion_early(bad, requests, NGX_CANARY_CLUSTERS);
}


/* the hash cells of a variant, over all shards; returns the sum of "bad" */

static uint64_t
ngx_canary_clusters_sum(ngx_canary_zone_t *zone, ngx_uint_t slot,
    ngx_uint_t kind, uint64_t *bad, uint64_t *requests)
{
    uint64_t               sum, n;
    ngx_uint_t             i, s;
    ngx_canary_cluster_t  *cluster;

    sum = 0;

    ngx_memzero(bad, NGX_CANARY_CLUSTERS * sizeof(uint64_t));
    ngx_memzero(requests, NGX_CANARY_CLUSTERS * sizeof(uint64_t));

    for (s = 0; s < zone->nshards; s++) {
        cluster = zone->shards[s].variants[slot].clusters;

        for (i = 0; i < NGX_CANARY_CLUSTERS; i++) {
            n = ngx_canary_load(&cluster[i].bad[kind]);

            sum += n;
            bad[i] += n;
            requests[i] += ngx_canary_load(&cluster[i].requests);
        }
    }

    return sum;
}


void
ngx_canary_clusters_limit(ngx_canary_tick_t *tick)
{
    uint64_t                   limits[NGX_CANARY_MAX_LIMITS + 1];
    ngx_uint_t                 i, v, c;
    ngx_canary_zone_t         *zone;
    ngx_canary_cluster_t      *cluster;
    const ngx_canary_rule_t   *rule;

    zone = tick->zone;

    for (i = 0; i <= NGX_CANARY_MAX_LIMITS; i++) {
        limits[i] = UINT64_MAX;
    }

    for (i = 0; i < tick->split->nrules; i++) {
        rule = &tick->split->rules[i];

        if (rule->metric > NGX_CANARY_METRIC_P999) {
            continue;
        }

        if (rule->op != NGX_CANARY_NOT_WORSE) {
            ngx_canary_clusters_limit_add(limits, rule->limit);

        } else if (tick->judge.rules[i].ref_us) {
            ngx_canary_clusters_limit_add(limits, tick->judge.rules[i].ref_us);
        }
    }

    if (ngx_memcmp(limits, zone->limits_us, sizeof(limits)) == 0) {
        return;
    }

    for (i = 0; i < zone->nshards; i++) {
        for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
            cluster = zone->shards[i].variants[v].clusters;

            for (c = 0; c < NGX_CANARY_CLUSTERS; c++) {
                ngx_memzero(&cluster[c].bad[1],
                            NGX_CANARY_MAX_LIMITS * sizeof(uint64_t));
            }
        }
    }

    /* the last one never changes, so a reader always finds an end */

    for (i = 0; i < NGX_CANARY_MAX_LIMITS; i++) {
        ngx_canary_store(&zone->limits_us[i], limits[i]);
    }
}


/* ascending, each once; those for which there is no room are left out */

static void
ngx_canary_clusters_limit_add(uint64_t *limits, uint64_t us)
{
    ngx_uint_t  i, n;

    for (i = 0; i < NGX_CANARY_MAX_LIMITS && limits[i] < us; i++) { /* void */ }

    if (limits[i] == us || limits[NGX_CANARY_MAX_LIMITS - 1] != UINT64_MAX) {
        return;
    }

    for (n = NGX_CANARY_MAX_LIMITS - 1; n > i; n--) {
        limits[n] = limits[n - 1];
    }

    limits[i] = us;
}
