/*
 * states STATE [FORMAT [TIMES]] prints a split in one of the states of states.h
 * as its page, or as status.json or history.json; with TIMES it renders it that
 * often instead and prints microseconds each and bytes.
 */

#define _POSIX_C_SOURCE  200112L

#include <time.h>

#include "states.h"

#include "../../../src/render/ngx_canary_render.h"


#define BUFFER  (4 * 1024 * 1024)


static const struct {
    const char   *name;
    int         (*render)(const ngx_canary_snapshot_t *snap,
                          ngx_canary_out_t *out);
} formats[] = {
    { "page", ngx_canary_render_page },
    { "status", ngx_canary_render_json },
    { "history", ngx_canary_render_history }
};


static int
full(ngx_canary_out_t *out, size_t need)
{
    (void) out;
    (void) need;

    return -1;
}


int
main(int argc, char **argv)
{
    int                    rc;
    long                   i, times;
    size_t                 format;
    double                 us;
    struct timespec        from, to;
    ngx_canary_out_t       out;
    ngx_canary_snapshot_t  snap;
    static unsigned char   buffer[BUFFER];

    for (format = 0; argc > 2 && format < 3; format++) {
        if (strcmp(argv[2], formats[format].name) == 0) {
            break;
        }
    }

    if (argc < 2 || format == 3 || !states_take(&snap, argv[1])) {
        fprintf(stderr, "usage: states STATE [page|status|history [TIMES]]\n");
        return 2;
    }

    times = argc > 3 ? strtol(argv[3], NULL, 10) : 1;
    rc = 0;

    memset(&out, 0, sizeof(out));
    clock_gettime(CLOCK_MONOTONIC, &from);

    for (i = 0; i < times && rc == 0; i++) {
        out.pos = buffer;
        out.last = buffer + BUFFER;
        out.more = full;

        rc = formats[format].render(&snap, &out);
    }

    clock_gettime(CLOCK_MONOTONIC, &to);

    if (argc > 3) {
        us = (double) (to.tv_sec - from.tv_sec) * 1e6
             + (double) (to.tv_nsec - from.tv_nsec) / 1e3;
        printf("%.1f us, %zu bytes\n", us / (double) times,
               (size_t) (out.pos - buffer));

    } else {
        fwrite(buffer, 1, (size_t) (out.pos - buffer), stdout);
    }

    return rc == 0 ? 0 : 1;
}
