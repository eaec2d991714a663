/*
 * Sums of values beyond 64 bits: the parts that are counted add up to what was
 * added, and so does what they grew by.
 */

#include "../../../src/zone/ngx_canary_events.c"
#include "../../../src/zone/ngx_canary_events_window.c"

#include "../tap.h"


/* as many of the greatest value that is read as are beyond 64 bits */
#define VALUES    40000
#define GREATEST  999999999999999


ngx_uint_t     ngx_worker = 0;
ngx_module_t   ngx_core_module;


ngx_shm_zone_t *
ngx_canary_zone_declare(ngx_conf_t *cf, const char *prefix, ngx_str_t *split,
    size_t size, ngx_shm_zone_init_pt init)
{
    (void) cf;
    (void) prefix;
    (void) split;
    (void) size;
    (void) init;

    return NULL;
}


void *
ngx_canary_zone_alloc(ngx_shm_zone_t *shm_zone, size_t size)
{
    (void) shm_zone;

    return calloc(1, size);
}


ngx_uint_t
ngx_canary_zone_nshards(void)
{
    return 1;
}


uint64_t
ngx_canary_now_us(void)
{
    return NGX_CANARY_EPOCH_US;
}


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    (void) level;
    (void) log;
    (void) err;
    (void) fmt;
}


int
main(void)
{
    ngx_uint_t                 i;
    ngx_shm_zone_t             zone;
    ngx_canary_event_sum_t     expected;
    ngx_canary_event_place_t   place;
    ngx_canary_event_counts_t  before, after;

    memset(&zone, 0, sizeof(ngx_shm_zone_t));
    memset(&place, 0, sizeof(ngx_canary_event_place_t));

    if (ngx_canary_events_init(&zone, NULL) != NGX_OK) {
        return 2;
    }

    place.events = zone.data;

    for (i = 0; i < VALUES; i++) {
        ngx_canary_event_value(&place, GREATEST);
    }

    expected = (ngx_canary_event_sum_t) VALUES * GREATEST;

    ngx_canary_events_sum(place.events, 0, 0, &before);

    ok(expected > UINT64_MAX, "more than 64 bits hold");
    ok(ngx_canary_event_sum(&before) == expected, "the sum is exact");
    is_u64(before.nvalues, VALUES, "of all values");

    ngx_canary_event_value(&place, 1);
    ngx_canary_event_value(&place, 0);
    ngx_canary_event_value(&place, 3 << NGX_CANARY_EVENT_LOW_BITS);

    ngx_canary_events_sum(place.events, 0, 0, &after);

    ok(ngx_canary_event_sum(&after) - ngx_canary_event_sum(&before)
       == 1 + (3 << NGX_CANARY_EVENT_LOW_BITS), "and so is what it grew by");

    free(place.events);

    return tap_done();
}
