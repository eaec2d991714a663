/*
 * A file that is not what was written is refused, and said to be what it is:
 * cut at every length, with each bit flipped, longer, of another version, of
 * another program.
 */

#include "saved.h"

#include "tap.h"
#include "crafted.h"


static ngx_canary_saved_t        in, out;
static ngx_canary_saved_event_t  in_events[2];
static ngx_canary_saved_event_t  out_events[NGX_CANARY_SAVED_EVENTS];


static int
decode(const unsigned char *data, size_t len)
{
    out.events = out_events;
    out.nevents = NGX_CANARY_SAVED_EVENTS;

    return crafted_decode(&out, data, len);
}


int
main(void)
{
    size_t         len, i, taken, unsaid;
    unsigned char  buf[65536];

    saved_fill(&in, in_events);
    len = ngx_canary_state_encode(&in, buf, sizeof(buf) - 1);

    ok(len > 1000 && decode(buf, len) == 0, "as written: %zu bytes", len);

    taken = 0;
    unsaid = 0;

    for (i = 1; i < len; i++) {
        taken += decode(buf, i) == 0;
        unsaid += strstr(crafted_error, "cut short") == NULL;
    }

    is_u64(taken, 0, "cut at every length: refused");
    is_u64(unsaid, 0, "and said to be cut short");

    taken = 0;
    unsaid = 0;

    for (i = 0; i < len * 8; i++) {
        buf[i / 8] ^= (unsigned char) (1 << (i % 8));
        taken += decode(buf, len) == 0;
        unsaid += crafted_error[0] == '\0';
        buf[i / 8] ^= (unsigned char) (1 << (i % 8));
    }

    is_u64(taken, 0, "each bit flipped: refused");
    is_u64(unsaid, 0, "and said why");

    ok(decode(buf, 0) == -1 && crafted_says("it is empty"), "empty");

    buf[len] = 0;
    ok(decode(buf, len + 1) == -1 && crafted_says("should have"),
       "a byte more");

    buf[8] = 9;
    ok(decode(buf, len) == -1
       && crafted_says("it has version 9, this module reads 1 to 4"),
       "another version");
    buf[8] = NGX_CANARY_STATE_VERSION;

    buf[len - 9] ^= 0x40;
    ok(decode(buf, len) == -1 && crafted_says("checksum"), "a wrong checksum");
    buf[len - 9] ^= 0x40;

    ok(decode((const unsigned char *) "root:x:0:0:root:/root:/bin/sh\n", 30)
       == -1 && crafted_says("no state file of this module"),
       "another program's");

    ok(decode(buf, len) == 0, "the file itself is good to the end");

    return tap_done();
}
