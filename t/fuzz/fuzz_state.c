/*
 * Any bytes as a state file, as they are, with a header of each version and a
 * checksum that fit, and as changes to a file that is full: what is accepted
 * keeps within the bounds of its fields and gives the same bytes when it is
 * written again; what is refused is said why.
 */

#include "state.h"

#include "../unit/saved.h"

#include <stddef.h>


#define EVENTS  2
#define ROOM    65536


static void try(const uint8_t *data, size_t size, uint64_t version);
static void try_dressed(const uint8_t *body, size_t size, uint64_t version);
static void clear(void);
static void check_bounds(void);
static void patch(uint8_t *body, size_t len, const uint8_t *data,
    size_t size);


static ngx_canary_saved_t        saved;
static ngx_canary_saved_event_t  events[EVENTS];
static ngx_canary_saved_history_t  history;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t  version;

    static size_t   len;
    static uint8_t  full[ROOM], body[ROOM];

    if (len == 0) {
        saved_fill(&saved, events);

        /* once each kind of field is enough, and more of them are hit */

        memset(&saved.variants[1], 0, sizeof(saved.variants[1]));
        memset(&events[0].figures[3], 0, sizeof(events[0].figures[3]));
        memset(&events[0].figures[6], 0, sizeof(events[0].figures[6]));
        memset(&events[1].figures[0], 0, sizeof(events[1].figures[0]));
        memset(&events[1].figures[6], 0, sizeof(events[1].figures[6]));
        saved.judge.nrules = 1;
        saved.judge.ncanaries = 1;

        len = ngx_canary_state_encode(&saved, full, ROOM);
        require(len > NGX_CANARY_STATE_HEADER + NGX_CANARY_STATE_CHECK);

        len -= NGX_CANARY_STATE_HEADER + NGX_CANARY_STATE_CHECK;

        memset(&saved, 0, sizeof(saved));
        memset(events, 0, sizeof(events));
    }

    /* the lowest byte of its version, and a greater one is refused */

    try(data, size, size > 8 ? data[8] : 0);

    for (version = NGX_CANARY_STATE_OLDEST;
         version <= NGX_CANARY_STATE_VERSION;
         version++)
    {
        try_dressed(data, size, version);
    }

    memcpy(body, full + NGX_CANARY_STATE_HEADER, len);
    patch(body, len, data, size);

    try_dressed(body, len, NGX_CANARY_STATE_VERSION);

    return 0;
}


static void
try_dressed(const uint8_t *body, size_t size, uint64_t version)
{
    size_t    len;
    uint8_t  *file;

    file = state_dressed(body, size, version, &len);
    try(file, len, version);
    free(file);
}


static void
try(const uint8_t *data, size_t size, uint64_t version)
{
    int       rc;
    char      error[NGX_CANARY_STATE_ERROR];
    size_t    len;
    uint8_t  *again;

    saved.events = events;
    saved.nevents = EVENTS;
    saved.history = &history;

    memset(error, 0xff, sizeof(error));

    rc = ngx_canary_state_decode(&saved, data, size, error);

    if (rc != 0) {
        require(rc == -1 && error[0] != '\0'
                && memchr(error, '\0', sizeof(error)) != NULL);
        clear();
        return;
    }

    check_bounds();

    /* a file with no history in it; an older version has another length */

    len = size;

    if (ngx_canary_state_encode(&saved, NULL, 0) != size) {
        saved.history = NULL;
    }

    if (version != NGX_CANARY_STATE_VERSION) {
        len = ngx_canary_state_encode(&saved, NULL, 0);
        require(len > 0 && len <= NGX_CANARY_STATE_MAX);
    }

    again = malloc(len);
    require(again != NULL);
    require(ngx_canary_state_encode(&saved, again, len) == len);
    require(version != NGX_CANARY_STATE_VERSION
            || memcmp(again, data, len) == 0);
    free(again);

    clear();
}


/* all that a decoder may have written to: most of the memory is untouched */

static void
clear(void)
{
    size_t                       i, n;
    ngx_canary_saved_figures_t  *f;

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        if (saved.variants[i].used) {
            memset(&saved.variants[i], 0, sizeof(saved.variants[i]));
        }
    }

    memset(&saved, 0, offsetof(ngx_canary_saved_t, variants));
    state_history_clear(&history);

    n = offsetof(ngx_canary_saved_judge_t, gates);

    if (saved.judge.ncanaries) {
        n = sizeof(saved.judge);
    }

    memset(&saved.judge, 0, n);

    for (i = 0; i < EVENTS; i++) {
        events[i].used = 0;
        memset(&events[i].name, 0, sizeof(events[i].name));

        for (n = 0; n < NGX_CANARY_MAX_VARIANTS; n++) {
            f = &events[i].figures[n];

            if (f->total.n[NGX_CANARY_EVENT_COUNT]) {
                memset(f, 0, sizeof(*f));
            }
        }
    }
}


/* two bytes of a place and one to put there, again and again */

static void
patch(uint8_t *body, size_t len, const uint8_t *data, size_t size)
{
    size_t  i;

    for (i = 0; i + 3 <= size; i += 3) {
        body[(data[i] + 256u * data[i + 1]) % len] = data[i + 2];
    }
}


static void
check_bounds(void)
{
    size_t  i, n;

    require(saved.split.len <= NGX_CANARY_SAVED_NAME
            && saved.stage.len <= NGX_CANARY_SAVED_NAME
            && saved.reason.len <= NGX_CANARY_SAVED_TEXT);
    require(saved.latched <= 1 && saved.cause < NGX_CANARY_CAUSES);
    require(saved.ncanaries <= NGX_CANARY_MAX_CANARIES
            && saved.njournal <= NGX_CANARY_JOURNAL
            && saved.nevents <= EVENTS);

    for (i = 0; i < saved.ncanaries; i++) {
        require(saved.canaries[i].slot >= 1
                && saved.canaries[i].slot <= NGX_CANARY_MAX_CANARIES
                && saved.canaries[i].share_ppm <= NGX_CANARY_PPM
                && saved.canaries[i].off <= 1);
    }

    for (i = 0; i < saved.njournal; i++) {
        require(saved.journal[i].text.len <= NGX_CANARY_SAVED_TEXT);
    }

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        require(saved.variants[i].name.len <= NGX_CANARY_SAVED_NAME);
    }

    require(saved.judge.nrules <= NGX_CANARY_MAX_RULES
            && saved.judge.ncanaries <= NGX_CANARY_MAX_CANARIES);

    for (i = 0; i < saved.judge.nrules * saved.judge.ncanaries; i++) {
        for (n = 0; n < NGX_CANARY_DETECTOR_ALTERNATIVES; n++) {
            require(saved.judge.gates[i].ln1p[n] >= 0
                    && saved.judge.gates[i].ln1p[n]
                       <= NGX_CANARY_DETECTOR_CERTAIN);
        }
    }

    for (i = 0; i < saved.nevents; i++) {
        require(events[i].name.len <= NGX_CANARY_SAVED_NAME);
    }

    state_history_check(&history);
}
