/*
 * The room to write to: what fits exactly is written, more is asked for when a
 * byte is missing, and once it is refused nothing is written any more.
 */

#include <string.h>

#include "tap.h"

#include "../../src/render/ngx_canary_out.h"


static unsigned  asked;
static size_t    needed;


static int
refuse(ngx_canary_out_t *out, size_t need)
{
    (void) out;

    asked++;
    needed = need;

    return -1;
}


static void
begin(ngx_canary_out_t *out, unsigned char *room, size_t size)
{
    memset(out, 0, sizeof(*out));
    memset(room, '.', 64);

    out->pos = room;
    out->last = room + size;
    out->more = refuse;
    asked = 0;
}


int
main(void)
{
    size_t            size;
    unsigned char     room[64];
    ngx_canary_out_t  out;

    for (size = 0; size <= 8; size++) {
        begin(&out, room, size);
        ngx_canary_out_bytes(&out, "12345678", 8);

        if (size < 8) {
            ok(out.failed && asked == 1 && room[0] == '.',
               "8 bytes in a room of %zu: refused, nothing is written", size);
            is_u64(needed, 8, "it asks for all of them");
            is_u64((uint64_t) (out.last - out.pos), 0, "no room is left");

            ngx_canary_out_bytes(&out, "1", 1);
            ok(asked == 1 && room[0] == '.', "and it is not asked again");

        } else {
            ok(!out.failed && asked == 0 && memcmp(room, "12345678.", 9) == 0,
               "what fits exactly is written");
            ngx_canary_out_bytes(&out, "", 0);
            ok(!out.failed && asked == 0, "and nothing more needs no room");
            ngx_canary_out_bytes(&out, "9", 1);
            ok(out.failed && asked == 1 && room[8] == '.', "a byte more");
        }
    }

    return tap_done();
}
