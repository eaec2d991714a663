
#include "ngx_canary_zone.h"


static uint64_t ngx_canary_latch_reason(ngx_canary_zone_t *zone,
    ngx_canary_cause_e cause, ngx_str_t *reason);


uint64_t
ngx_canary_latch_set(ngx_canary_zone_t *zone, ngx_canary_cause_e cause,
    ngx_str_t *reason)
{
    uint64_t  ticket;

    ticket = ngx_canary_latch_hold(zone, cause, reason);

    if (ticket) {
        ngx_canary_latch_count(zone, cause);
    }

    return ticket;
}


uint64_t
ngx_canary_latch_judged(ngx_canary_zone_t *zone, ngx_str_t *reason,
    uint64_t armed)
{
    uint64_t  ticket, held;

    if (ngx_canary_load(&zone->armed) != armed) {
        return 0;
    }

    ticket = ngx_canary_latch_hold(zone, NGX_CANARY_CAUSE_GATE, reason);

    if (ticket == 0) {
        return 0;
    }

    /* re-armed in this very moment: what was judged is the past */

    held = ticket;

    if (ngx_canary_load(&zone->armed) != armed) {
        (void) __atomic_compare_exchange_n(&zone->latch, &held, 0, 0,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        return 0;
    }

    ngx_canary_latch_count(zone, NGX_CANARY_CAUSE_GATE);

    return ticket;
}


uint64_t
ngx_canary_latch_hold(ngx_canary_zone_t *zone, ngx_canary_cause_e cause,
    ngx_str_t *reason)
{
    uint64_t  ticket, armed;

    if (ngx_canary_load(&zone->latch) != 0) {
        return 0;
    }

    ticket = ngx_canary_latch_reason(zone, cause, reason);
    armed = 0;

    if (!__atomic_compare_exchange_n(&zone->latch, &armed, ticket, 0,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    {
        return 0;
    }

    return ticket;
}


void
ngx_canary_latch_count(ngx_canary_zone_t *zone, ngx_canary_cause_e cause)
{
    ngx_canary_add(&zone->rollbacks[cause], 1);
}


void
ngx_canary_latch_reword(ngx_canary_zone_t *zone, uint64_t ticket,
    ngx_canary_cause_e cause, ngx_str_t *reason)
{
    uint64_t  next;

    next = ngx_canary_latch_reason(zone, cause, reason);

    (void) __atomic_compare_exchange_n(&zone->latch, &ticket, next, 0,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}


/*
 * The reason is complete before the word that names it is set; a process killed
 * in between has changed nothing.
 */

static uint64_t
ngx_canary_latch_reason(ngx_canary_zone_t *zone, ngx_canary_cause_e cause,
    ngx_str_t *reason)
{
    uint64_t             ticket;
    ngx_canary_latch_t  *latch;

    ticket = __atomic_add_fetch(&zone->latches, 1, __ATOMIC_ACQ_REL);
    latch = &zone->reasons[ticket % NGX_CANARY_MAX_LATCHES];

    latch->time_ms = ngx_canary_now_ms();
    latch->cause = cause;
    latch->reason.len = ngx_min(reason->len, NGX_CANARY_MAX_TEXT);
    ngx_memcpy(latch->reason.data, reason->data, latch->reason.len);

    return ticket;
}


ngx_uint_t
ngx_canary_latch_clear(ngx_canary_zone_t *zone)
{
    return __atomic_exchange_n(&zone->latch, 0, __ATOMIC_SEQ_CST) != 0;
}


ngx_uint_t
ngx_canary_latch_resume(ngx_canary_zone_t *zone)
{
    if (ngx_canary_load(&zone->latch) == 0) {
        return 0;
    }

    /* first of all, so that no gate judges again by what rolled it back */

    ngx_canary_add(&zone->armed, 1);

    return ngx_canary_latch_clear(zone);
}
