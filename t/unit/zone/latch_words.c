/*
 * A rollback is one word that names a reason: the first one holds until it is
 * taken back, each has a reason of its own, complete before it is in force, and
 * is counted by its cause; a reason may be told in other words only while it is
 * the one in force.
 */

#include "../../../src/zone/ngx_canary_latch.c"

#include "../tap.h"


static ngx_canary_zone_t  *zone;
static uint64_t            now_ms = 1763845800000u;
static u_char              text[600];
/* another process, as a reason is being written */
static ngx_uint_t          meanwhile;


static uint64_t
set(ngx_canary_cause_e cause, size_t len)
{
    ngx_str_t  reason;

    memset(text, 'a' + (int) cause, sizeof(text));
    reason.data = text;
    reason.len = len;

    return ngx_canary_latch_set(zone, cause, &reason);
}


uint64_t
ngx_canary_now_ms(void)
{
    ngx_uint_t  more;

    more = meanwhile;
    meanwhile = 0;

    while (more--) {
        (void) set(NGX_CANARY_CAUSE_STATE, 7);
    }

    return ++now_ms;
}


static ngx_canary_latch_t *
reason(void)
{
    return &zone->reasons[zone->latch % NGX_CANARY_MAX_LATCHES];
}


/* 1 if the one in force says so */

static int
says(ngx_canary_cause_e cause, size_t len)
{
    size_t               i;
    ngx_canary_latch_t  *latch;

    latch = reason();

    for (i = 0; i < len; i++) {
        if (latch->reason.data[i] != (u_char) ('a' + (int) cause)) {
            return 0;
        }
    }

    return zone->latch != 0 && latch->cause == (uint64_t) cause
           && latch->reason.len == len && latch->time_ms == now_ms;
}


static void
one_holds(void)
{
    uint64_t  ticket;

    is_u64(ngx_canary_latch_clear(zone), 0, "there is none to take back");
    is_u64(ngx_canary_latch_resume(zone), 0, "nor to resume from");
    is_u64(zone->armed, 0, "and nothing begins anew");

    ticket = set(NGX_CANARY_CAUSE_OPERATOR, 20);
    ok(ticket != 0 && zone->latch == ticket, "a rollback is in force");
    ok(says(NGX_CANARY_CAUSE_OPERATOR, 20), "with its reason");

    is_u64(set(NGX_CANARY_CAUSE_GATE, 9), 0, "another one is not");
    ok(zone->latch == ticket && says(NGX_CANARY_CAUSE_OPERATOR, 20),
       "the first one holds");
    ok(zone->rollbacks[NGX_CANARY_CAUSE_OPERATOR] == 1
       && zone->rollbacks[NGX_CANARY_CAUSE_GATE] == 0,
       "and it alone is counted");

    is_u64(ngx_canary_latch_clear(zone), 1, "it is taken back");
    ok(zone->latch == 0 && zone->armed == 0, "and no gate begins anew");
    is_u64(ngx_canary_latch_clear(zone), 0, "once");
}


static void
cut(void)
{
    ok(set(NGX_CANARY_CAUSE_GATE, 512) != 0
       && says(NGX_CANARY_CAUSE_GATE, NGX_CANARY_MAX_TEXT),
       "a reason that is too long is cut");
    is_u64(ngx_canary_latch_resume(zone), 1, "resumed");
    ok(zone->latch == 0 && zone->armed == 1, "the gates begin anew");

    ok(set(NGX_CANARY_CAUSE_REHEARSAL, 511) != 0
       && says(NGX_CANARY_CAUSE_REHEARSAL, 511),
       "one that just fits is not");
    (void) ngx_canary_latch_resume(zone);
    is_u64(zone->armed, 2, "each time");
}


/* two at the same time: one of them is in force, and says what it is */

static void
at_once(void)
{
    meanwhile = 1;
    is_u64(set(NGX_CANARY_CAUSE_GATE, 30), 0, "another was faster");
    ok(reason()->cause == NGX_CANARY_CAUSE_STATE
       && reason()->reason.len == 7 && reason()->reason.data[6] == 'c',
       "its reason is its own");
    is_u64(zone->rollbacks[NGX_CANARY_CAUSE_STATE], 1, "it is counted");
    (void) ngx_canary_latch_clear(zone);
}


static void
in_two_parts(void)
{
    uint64_t   ticket, gates;
    ngx_str_t  words = ngx_string("aaaaa");

    gates = zone->rollbacks[NGX_CANARY_CAUSE_GATE];
    ticket = ngx_canary_latch_hold(zone, NGX_CANARY_CAUSE_GATE, &words);
    ok(ticket != 0 && zone->latch == ticket && says(NGX_CANARY_CAUSE_GATE, 5),
       "held");
    is_u64(zone->rollbacks[NGX_CANARY_CAUSE_GATE], gates, "uncounted");
    is_u64(ngx_canary_latch_hold(zone, NGX_CANARY_CAUSE_GATE, &words), 0,
           "by one alone");

    ngx_str_set(&words, "bbbbbbb");
    ngx_canary_latch_reword(zone, ticket, NGX_CANARY_CAUSE_OPERATOR, &words);
    ok(says(NGX_CANARY_CAUSE_OPERATOR, 7) && zone->latch != ticket,
       "told in other words");

    ngx_str_set(&words, "ddd");
    ngx_canary_latch_reword(zone, ticket, NGX_CANARY_CAUSE_REHEARSAL, &words);
    ok(reason()->cause == NGX_CANARY_CAUSE_OPERATOR,
       "but not who holds it no longer");

    ngx_canary_latch_count(zone, NGX_CANARY_CAUSE_GATE);
    is_u64(zone->rollbacks[NGX_CANARY_CAUSE_GATE], gates + 1, "then counted");

    ticket = zone->latch;
    (void) ngx_canary_latch_clear(zone);
    ngx_canary_latch_reword(zone, ticket, NGX_CANARY_CAUSE_GATE, &words);
    is_u64(zone->latch, 0, "what was taken back stays so");
}


/* many of them: each has a place of its own until the ring is used again */

static void
ring(void)
{
    size_t    i;
    uint64_t  ticket, last, wrong;

    wrong = 0;
    last = zone->latches;

    for (i = 0; i < 3 * NGX_CANARY_MAX_LATCHES; i++) {
        ticket = set(i % NGX_CANARY_CAUSES, 1 + i);
        wrong += ticket != last + 1 || !says(i % NGX_CANARY_CAUSES, 1 + i);
        wrong += !ngx_canary_latch_clear(zone);
        last = ticket;
    }

    is_u64(wrong, 0, "each with its own reason");
}


int
main(void)
{
    zone = calloc(1, sizeof(ngx_canary_zone_t));
    if (zone == NULL) {
        return 2;
    }

    one_holds();
    cut();
    at_once();
    in_two_parts();
    ring();

    free(zone);

    return tap_done();
}
