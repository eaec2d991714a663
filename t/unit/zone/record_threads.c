/*
 * Recording from several threads at once, all into one shard, loses nothing:
 * each counter is what the threads were told to count.
 */

#include "../../../src/zone/ngx_canary_record.c"

#include "../tap.h"

#include <pthread.h>


/* fewer under a sanitizer */
#ifndef ROUNDS
#define ROUNDS    100000
#endif

#define THREADS   8
#define LATENCIES 7
#define VARIANTS  2


/* nginx's own; more than there are shards, so that they share the last one */
ngx_uint_t  ngx_worker = 5;


static ngx_canary_zone_t  *zone;
static pthread_barrier_t   barrier;

/* least and greatest in the middle */
static const uint64_t  latencies[LATENCIES] = {
    1000, 1001, 250, 7, 2000000000, 100000, 100001
};


static void *
count(void *data)
{
    ngx_uint_t            i, v, n;
    ngx_canary_outcome_t  oc;

    (void) data;

    (void) pthread_barrier_wait(&barrier);

    for (i = 0; i < ROUNDS; i++) {
        for (v = 0; v < VARIANTS; v++) {

            for (n = 0; n < LATENCIES; n++) {
                oc.response = (uint32_t) (n % NGX_CANARY_CLASSES);
                oc.what = NGX_CANARY_TIMED;
                oc.latency_us = latencies[n];

                if (n == 3) {
                    oc.what |= NGX_CANARY_ERROR;
                    oc.what |= v == 1 ? NGX_CANARY_FALLBACK : 0;
                }

                if (n == 4) {
                    oc.what |= NGX_CANARY_RETRIED;
                    oc.what |= v == 0 ? NGX_CANARY_ABORTED : 0;
                }

                ngx_canary_record(zone, &zone->shards[1].variants[v], &oc);
            }
        }
    }

    return NULL;
}


static void
check_counts(ngx_uint_t v, ngx_canary_counts_t *counts)
{
    uint64_t    each, sum;
    ngx_uint_t  n, expected;

    each = THREADS * ROUNDS;

    for (n = 0; n < NGX_CANARY_CLASSES; n++) {
        expected = LATENCIES / NGX_CANARY_CLASSES
                   + (n < LATENCIES % NGX_CANARY_CLASSES);
        is_u64(counts->n[n], expected * each, "responses");
    }

    sum = 0;

    for (n = 0; n < LATENCIES; n++) {
        sum += latencies[n];
    }

    is_u64(counts->n[NGX_CANARY_TALLY_SUM], sum * each, "sum of the latencies");
    is_u64(counts->n[NGX_CANARY_COUNT_ERRORS], each, "errors");
    is_u64(counts->n[NGX_CANARY_COUNT_FALLBACKS], v ? each : 0, "fallbacks");
    is_u64(counts->n[NGX_CANARY_COUNT_RETRIES], each, "retries");
    is_u64(counts->n[NGX_CANARY_COUNT_ABORTED], v ? 0 : each, "aborted");
}


static void
check_cell(ngx_canary_cell_t *cell)
{
    uint64_t    each, others;
    ngx_uint_t  n;

    each = THREADS * ROUNDS;
    others = 0;

    for (n = 0; n < NGX_CANARY_HIST_BUCKETS; n++) {
        others += cell->hist[n];
    }

    for (n = 0; n < LATENCIES; n++) {
        is_u64(cell->hist[ngx_canary_hist_index(latencies[n])], each,
               "a bucket");
        others -= each;
    }

    is_u64(others, 0, "no other bucket");
    is_u64(cell->max[1], 2000000000, "the greatest");
    is_u64(UINT64_MAX - cell->low[1], 7, "the least");
    is_u64(cell->max[0] + cell->low[0], 0, "of this stage alone");
}


int
main(void)
{
    ngx_uint_t  i, v;
    pthread_t   threads[THREADS];

    zone = calloc(1, sizeof(ngx_canary_zone_t) + sizeof(ngx_canary_shard_t));
    if (zone == NULL) {
        return 2;
    }

    ngx_canary_shards_init(zone, 2);
    zone->published = ngx_canary_word(1, 0, 0, 1);

    (void) pthread_barrier_init(&barrier, NULL, THREADS);

    for (i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, count, NULL) != 0) {
            return 2;
        }
    }

    for (i = 0; i < THREADS; i++) {
        (void) pthread_join(threads[i], NULL);
    }

    for (v = 0; v < VARIANTS; v++) {
        check_counts(v, &zone->shards[1].variants[v].counts);
        check_cell(&zone->shards[1].variants[v]);
    }

    is_u64(zone->shards[0].variants[0].counts.n[0], 0,
           "nothing in the shard of another");

    return tap_done();
}
