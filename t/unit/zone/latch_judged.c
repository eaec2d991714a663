/*
 * A gate rolls back by what it judged, unless the split was re-armed since: by
 * a worker that was stopped between the two, or in the moment itself.
 */

#include "../../../src/zone/ngx_canary_latch.c"

#include "../tap.h"


static ngx_canary_zone_t  *zone;
static ngx_uint_t          rearms;


/* called while the reason is written, just before the latch is set */

uint64_t
ngx_canary_now_ms(void)
{
    zone->armed += rearms;

    return 1;
}


static uint64_t
judged(uint64_t armed)
{
    ngx_str_t  reason = ngx_string("canary: error_rate <= 1%");

    return ngx_canary_latch_judged(zone, &reason, armed);
}


int
main(void)
{
    zone = calloc(1, sizeof(ngx_canary_zone_t));
    if (zone == NULL) {
        return 2;
    }

    ok(judged(0) != 0, "a gate that fails");
    ok(zone->latch != 0, "rolls back");
    is_u64(zone->rollbacks[NGX_CANARY_CAUSE_GATE], 1, "and is counted");
    is_u64(judged(0), 0, "once");

    ok(ngx_canary_latch_resume(zone), "resumed");
    is_u64(judged(0), 0, "what was judged before");
    is_u64(zone->latch, 0, "does not roll back");

    rearms = 1;
    is_u64(judged(1), 0, "re-armed in the moment");
    is_u64(zone->latch, 0, "nor does that");
    is_u64(zone->rollbacks[NGX_CANARY_CAUSE_GATE], 1, "neither is counted");

    rearms = 0;
    ok(judged(2) != 0 && zone->latch != 0, "what is judged now does");

    free(zone);

    return tap_done();
}
