/* Formats of ngx_canary_print(), one by one, and what stands between them. */

#include "tap.h"

#include "driver/picture.h"

#include "../../src/render/ngx_canary_out.h"


static const ngx_canary_str_t  name = ngx_canary_text("<a \"b\">");


static void
is(ngx_canary_out_t *out, const char *expected)
{
    char  *got;

    got = picture_close(out);

    if (!ok(strcmp(got, expected) == 0, "%s", expected)) {
        printf("#      got: %s\n", got);
    }

    free(got);
}


int
main(void)
{
    picture_out_t     p;
    ngx_canary_out_t  out;

    picture_open(&out, &p, 256);
    ngx_canary_print(&out, "no figure");
    is(&out, "no figure");

    picture_open(&out, &p, 256);
    ngx_canary_print(&out, "%s%%%s", "", "50");
    is(&out, "%50");

    picture_open(&out, &p, 256);
    ngx_canary_print(&out, "%V, %H, %J", &name, &name, &name);
    is(&out, "<a \"b\">, &lt;a &quot;b&quot;&gt;, \"<a \\\"b\\\">\"");

    picture_open(&out, &p, 256);
    ngx_canary_print(&out, "%u of %z", UINT64_MAX, (size_t) 7);
    is(&out, "18446744073709551615 of 7");

    picture_open(&out, &p, 256);
    ngx_canary_print(&out, "%M %D %C", (uint64_t) 1763845812345,
                     (uint64_t) 1763845812345, (uint64_t) 1763845812345);
    is(&out, "1763845812.345 2025-11-22 21:10:12 21:10:12");

    picture_open(&out, &p, 256);
    ngx_canary_print(&out, "%A, %P, %W.", (uint64_t) 61000000,
                     (uint64_t) 50000, 0.25);
    is(&out, "1 min, 5%, 25%.");

    return tap_done();
}
