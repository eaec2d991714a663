/*
 * A latency that is counted at a header, long before the request ends: of a
 * hash cell no more requests are slow than there are, and each is in it once.
 */

#include "../../../src/zone/ngx_canary_record.h"

#include "../tap.h"


#define STREAMS  10


/* nginx's own */
ngx_uint_t  ngx_worker;


int
main(void)
{
    ngx_uint_t             i;
    ngx_canary_zone_t     *zone;
    ngx_canary_tally_t    *tally;
    ngx_canary_outcome_t   oc;
    ngx_canary_cluster_t  *cluster;

    zone = calloc(1, sizeof(ngx_canary_zone_t) + sizeof(ngx_canary_shard_t));
    if (zone == NULL) {
        return 2;
    }

    zone->nshards = 1;
    zone->published = ngx_canary_word((uint64_t) 1, 0, 1);

    for (i = 0; i <= NGX_CANARY_MAX_LIMITS; i++) {
        zone->limits_us[i] = UINT64_MAX;
    }

    zone->limits_us[0] = 1000;

    tally = &zone->shards[0].variants[1];
    cluster = &tally->clusters[3];

    for (i = 0; i < STREAMS; i++) {
        ngx_canary_record_header(zone, tally, 3, 2000);
    }

    is_u64(cluster->bad[1], STREAMS, "slow headers");
    is_u64(cluster->requests, STREAMS, "each of a request");

    oc.cluster = 3;
    oc.response = 2;
    oc.latency_us = 2000;

    for (i = 0; i < STREAMS; i++) {
        oc.what = NGX_CANARY_ENTERED | (i ? 0 : NGX_CANARY_ERROR);
        ngx_canary_record(zone, tally, &oc);
    }

    is_u64(cluster->requests, STREAMS, "their ends: still once");
    is_u64(cluster->bad[0], 1, "an error");
    is_u64(cluster->bad[1], STREAMS, "no slow one more");
    is_u64(tally->cell.counts.responses[2], STREAMS, "responses");

    /* a header that was held back until the end */

    oc.what = NGX_CANARY_TIMED;
    ngx_canary_record(zone, tally, &oc);

    is_u64(cluster->requests, STREAMS + 1, "timed at its end: once");
    is_u64(cluster->bad[1], STREAMS + 1, "and slow");

    free(zone);

    return tap_done();
}
