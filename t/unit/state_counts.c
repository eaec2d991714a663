/*
 * A file says how many counters a variant has: one with fewer was written
 * before the others were counted, which begin with 0; one with more is of a
 * newer module, and refused.
 */

#include "saved.h"

#include "tap.h"
#include "crafted.h"


#define NONE  SIZE_MAX

static ngx_canary_saved_t        in, out;
static ngx_canary_saved_event_t  in_events[2];
static ngx_canary_saved_event_t  out_events[NGX_CANARY_SAVED_EVENTS];
static unsigned char             buf[65536];


/* numbers of a byte each: how many there are, and 1, 2, 3 .. */

static size_t
find(size_t len, size_t from, size_t n)
{
    size_t         i;
    unsigned char  what[NGX_CANARY_COUNTS + 1];

    for (i = 0; i <= n; i++) {
        what[i] = (unsigned char) i;
    }

    what[0] = (unsigned char) n;

    for (i = from; i + n + 1 <= len; i++) {
        if (memcmp(&buf[i], what, n + 1) == 0) {
            return i;
        }
    }

    return NONE;
}


/* the file with "more" counters, or with fewer, where it has them at "at" */

static int
with(size_t len, size_t at, int more)
{
    size_t                n;
    static unsigned char  copy[sizeof(buf) + 8];

    n = NGX_CANARY_COUNTS;
    len -= NGX_CANARY_STATE_CHECK;

    memcpy(copy, buf, at);
    copy[at] = (unsigned char) ((int) n + more);
    memcpy(&copy[at + 1], &buf[at + 1], n);

    if (more > 0) {
        copy[at + 1 + n] = 99;
    }

    memcpy(&copy[at + 1 + n + (size_t) more], &buf[at + 1 + n],
           len - at - 1 - n);

    memset(&out, 0, sizeof(out));
    out.events = out_events;
    out.nevents = NGX_CANARY_SAVED_EVENTS;

    return crafted_decode(&out, copy,
                          crafted_seal(copy, len + (size_t) more));
}


int
main(void)
{
    size_t                     i, len, at;
    ngx_canary_saved_tally_t  *total;

    saved_fill(&in, in_events);

    for (i = 0; i < NGX_CANARY_COUNTS; i++) {
        in.variants[0].total.n[i] = i + 1;
    }

    len = ngx_canary_state_encode(&in, buf, sizeof(buf));
    at = find(len, 0, NGX_CANARY_COUNTS);

    ok(at != NONE && find(len, at + 1, NGX_CANARY_COUNTS) == NONE,
       "they are in one place");

    total = &out.variants[0].total;

    ok(with(len, at, 0) == 0, "as written");
    is_u64(total->n[NGX_CANARY_COUNTS - 1], NGX_CANARY_COUNTS, "the last one");

    ok(with(len, at, -1) == 0, "with one less");
    is_u64(total->n[NGX_CANARY_COUNTS - 2], NGX_CANARY_COUNTS - 1,
           "those that it has");
    is_u64(total->n[NGX_CANARY_COUNTS - 1], 0, "the one that it lacks");
    is_u64(total->n[NGX_CANARY_TALLY_SUM],
           in.variants[0].total.n[NGX_CANARY_TALLY_SUM], "what comes behind");

    ok(with(len, at, 1) == -1, "one more is refused");

    return tap_done();
}
