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


/* bytes fill the room, and what is left of them asks for another */

static void
bytes(void)
{
    size_t            size;
    unsigned char     room[64];
    ngx_canary_out_t  out;

    for (size = 0; size < 8; size++) {
        begin(&out, room, size);
        ngx_canary_out_bytes(&out, "12345678", 8);

        ok(out.failed && asked == 1 && needed == 8 - size,
           "8 bytes in a room of %zu: %zu more are asked for", size, needed);
        ok(memcmp(room, "12345678", size) == 0 && room[size] == '.',
           "it is full, and nothing is behind it");

        ngx_canary_out_bytes(&out, "1", 1);
        ngx_canary_out_u64(&out, 1);
        ok(asked == 1 && room[size] == '.', "refused once is refused");
    }

    begin(&out, room, 8);
    ngx_canary_out_bytes(&out, "12345678", 8);
    ok(!out.failed && asked == 0 && memcmp(room, "12345678.", 9) == 0,
       "what fits exactly");
    ngx_canary_out_bytes(&out, "", 0);
    ok(!out.failed && asked == 0, "nothing needs no room");
}


/* a number wants room for the longest of them, 20 digits and more */

static void
numbers(void)
{
    size_t            size, least;
    unsigned char     room[64];
    ngx_canary_out_t  out;

    least = 0;

    for (size = 0; size <= 40; size++) {
        begin(&out, room, size);
        ngx_canary_out_u64(&out, 7);

        if (!out.failed && least == 0) {
            least = size;
        }

        ok(out.failed ? room[0] == '.' && asked == 1 && needed > size
                      : room[0] == '7' && room[1] == '.' && asked == 0,
           "a room of %zu: a number or nothing", size);
        ok(out.failed == (least == 0), "and none that is smaller");

        if (out.failed) {
            ngx_canary_out_bytes(&out, "1", 1);
            ok(room[0] == '.', "refused once is refused");
        }
    }

    ok(least >= 20 && needed == least, "it asks for what is enough: %zu",
       needed);
}


int
main(void)
{
    bytes();
    numbers();

    return tap_done();
}
