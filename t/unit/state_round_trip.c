/*
 * What is written is read back field by field, in the size that was told
 * before; the extremes of each field survive as well, within the bound that
 * is promised.
 */

#include "saved.h"

#include "tap.h"


static ngx_canary_saved_t        in, out;
static ngx_canary_saved_event_t  in_events[NGX_CANARY_SAVED_EVENTS];
static ngx_canary_saved_event_t  out_events[NGX_CANARY_SAVED_EVENTS];
static unsigned char             buf[NGX_CANARY_STATE_MAX];


static void
round_trip(const char *what)
{
    int     rc, same;
    char    error[NGX_CANARY_STATE_ERROR];
    size_t  len;

    len = ngx_canary_state_encode(&in, NULL, 0);

    ok(len > 0 && len <= NGX_CANARY_STATE_MAX, "%s: %zu bytes", what, len);
    ok(ngx_canary_state_encode(&in, buf, len) == len, "%s: as told", what);
    ok(ngx_canary_state_encode(&in, buf, len - 1) == 0,
       "%s: not in less", what);
    ok(ngx_canary_state_encode(&in, buf, sizeof(buf)) == len,
       "%s: not more where there is room", what);

    memset(&out, 0, sizeof(out));
    memset(out_events, 0, sizeof(out_events));
    out.events = out_events;
    out.nevents = NGX_CANARY_SAVED_EVENTS;

    rc = ngx_canary_state_decode(&out, buf, len, error);

    if (!ok(rc == 0, "%s: read back", what)) {
        printf("# %s\n", error);
    }

    out.events = in.events;
    same = memcmp(&in, &out, sizeof(in)) == 0
           && memcmp(in_events, out_events, sizeof(in_events)) == 0;

    ok(same, "%s: each field is the same", what);
}


/* all that a file can hold, each number as long as it can be */

static void
fill_to_the_brim(void)
{
    size_t                       i, n, k;
    ngx_canary_saved_figures_t  *f;

    memset(&in, 0xff, sizeof(in));
    memset(in_events, 0xff, sizeof(in_events));

    in.events = in_events;
    in.nevents = NGX_CANARY_SAVED_EVENTS;
    in.split.len = NGX_CANARY_SAVED_NAME;
    in.stage.len = NGX_CANARY_SAVED_NAME;
    in.reason.len = NGX_CANARY_SAVED_TEXT;
    in.elapsed_us = NGX_CANARY_SAVED_ELAPSED;
    in.stage_elapsed_us = NGX_CANARY_SAVED_ELAPSED;
    in.generation = NGX_CANARY_SAVED_GENERATION;
    in.latched = 1;
    in.cause = NGX_CANARY_CAUSES - 1;
    in.ncanaries = NGX_CANARY_MAX_CANARIES;
    in.njournal = NGX_CANARY_JOURNAL;

    for (i = 0; i < NGX_CANARY_MAX_CANARIES; i++) {
        in.canaries[i].slot = 1 + i;
        in.canaries[i].share_ppm = NGX_CANARY_PPM;
        in.canaries[i].off = 1;
    }

    for (i = 0; i < NGX_CANARY_JOURNAL; i++) {
        in.journal[i].number = UINT32_MAX;
        in.journal[i].kind = UINT8_MAX;
        in.journal[i].text.len = NGX_CANARY_SAVED_TEXT;
    }

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        in.variants[i].used = NGX_CANARY_SAVED_GENERATION;
        in.variants[i].name.len = NGX_CANARY_SAVED_NAME;
    }

    for (i = 0; i < NGX_CANARY_SAVED_EVENTS; i++) {
        in_events[i].used = NGX_CANARY_SAVED_GENERATION;
        in_events[i].name.len = NGX_CANARY_SAVED_NAME;

        for (n = 0; n < NGX_CANARY_MAX_VARIANTS; n++) {
            f = &in_events[i].figures[n];
            f->elapsed_us = NGX_CANARY_SAVED_ELAPSED;

            for (k = 0; k < NGX_CANARY_SAVED_SKETCH; k++) {
                f->total.sketch[k] = (unsigned char) (k % 2 ? 1 : INT8_MAX);
                f->base.sketch[k] = (unsigned char) (k % 2 ? INT8_MAX : 0);
            }
        }
    }
}


/* names and texts are compared by memcmp(): nothing behind their end */

static void
clear_ends(void)
{
    size_t  i;

    in.split.data[NGX_CANARY_SAVED_NAME] = 0;
    in.stage.data[NGX_CANARY_SAVED_NAME] = 0;
    in.reason.data[NGX_CANARY_SAVED_TEXT] = 0;

    for (i = 0; i < NGX_CANARY_JOURNAL; i++) {
        in.journal[i].text.data[NGX_CANARY_SAVED_TEXT] = 0;
    }

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        in.variants[i].name.data[NGX_CANARY_SAVED_NAME] = 0;
    }

    for (i = 0; i < NGX_CANARY_SAVED_EVENTS; i++) {
        in_events[i].name.data[NGX_CANARY_SAVED_NAME] = 0;
    }
}


int
main(void)
{
    uint64_t  run, owner, place;

    in.events = in_events;
    round_trip("nothing");

    saved_fill(&in, in_events);
    round_trip("a bit of everything");

    ok(ngx_canary_state_owner(buf, &run, &owner, &place) == 0,
       "its header alone");
    is_u64(run, in.run, "tells the run");
    is_u64(owner, in.owner, "and the owner");
    is_u64(place, in.place, "and its place");

    fill_to_the_brim();
    clear_ends();
    round_trip("all that there may be");

    in.canaries[0].slot = NGX_CANARY_MAX_CANARIES + 1;
    ok(ngx_canary_state_encode(&in, buf, sizeof(buf)) == 0,
       "what no reader takes is not written");

    return tap_done();
}
