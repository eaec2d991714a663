/*
 * Any bytes as a state file, as they are, with a header and a checksum that
 * fit, and as changes to a file that is full: what is accepted keeps within the
 * bounds of its fields and gives the same bytes when it is written again; what
 * is refused is said why.
 */

#include "../../src/pure/ngx_canary_walk.h"
#include "../unit/saved.h"

#include "require.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>


#define EVENTS  2
#define ROOM    65536


static void try(const uint8_t *data, size_t size);
static void check_bounds(void);
static void patch(uint8_t *body, size_t len, const uint8_t *data,
    size_t size);
static uint8_t *dressed(const uint8_t *body, size_t size, size_t *len);


static ngx_canary_saved_t        saved;
static ngx_canary_saved_event_t  events[EVENTS];


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          len;
    uint8_t        *file, *body;
    static uint8_t  full[ROOM];

    try(data, size);

    file = dressed(data, size, &len);
    try(file, len);
    free(file);

    memset(&saved, 0, sizeof(saved));
    memset(events, 0, sizeof(events));
    saved_fill(&saved, events);

    len = ngx_canary_state_encode(&saved, full, ROOM);
    require(len != 0);

    body = full + NGX_CANARY_STATE_HEADER;
    len -= NGX_CANARY_STATE_HEADER + NGX_CANARY_STATE_CHECK;

    patch(body, len, data, size);

    file = dressed(body, len, &len);
    try(file, len);
    free(file);

    return 0;
}


static void
try(const uint8_t *data, size_t size)
{
    int       rc;
    char      error[NGX_CANARY_STATE_ERROR];
    size_t    len;
    uint8_t  *again;

    memset(&saved, 0, sizeof(saved));
    memset(events, 0, sizeof(events));

    saved.events = events;
    saved.nevents = EVENTS;

    memset(error, 0xff, sizeof(error));

    rc = ngx_canary_state_decode(&saved, data, size, error);

    if (rc != 0) {
        require(rc == -1 && error[0] != '\0'
                && memchr(error, '\0', sizeof(error)) != NULL);
        return;
    }

    check_bounds();

    len = ngx_canary_state_encode(&saved, NULL, 0);
    require(len == size && len <= NGX_CANARY_STATE_MAX);

    again = malloc(len);
    require(again != NULL);
    require(ngx_canary_state_encode(&saved, again, len) == len);
    require(memcmp(again, data, len) == 0);
    free(again);
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
    size_t  i;

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

    for (i = 0; i < saved.nevents; i++) {
        require(events[i].name.len <= NGX_CANARY_SAVED_NAME);
    }
}


/* a header, the body, and a checksum */

static uint8_t *
dressed(const uint8_t *body, size_t size, size_t *len)
{
    uint64_t           value;
    uint8_t           *file;
    ngx_canary_walk_t  w;

    *len = NGX_CANARY_STATE_HEADER + size + NGX_CANARY_STATE_CHECK;

    file = malloc(*len);
    require(file != NULL);

    memset(&w, 0, sizeof(w));
    w.writes = 1;
    w.out = file;
    w.size = *len;

    memcpy(file, "\x89" "CNRY\r\n\x1a", 8);
    w.pos = 8;
    value = NGX_CANARY_STATE_VERSION;
    ngx_canary_walk_fixed(&w, &value, 4);
    value = *len;
    ngx_canary_walk_fixed(&w, &value, 8);
    value = 1;
    ngx_canary_walk_fixed(&w, &value, 8);
    ngx_canary_walk_fixed(&w, &value, 8);

    if (size) {
        memcpy(file + w.pos, body, size);
    }

    w.pos += size;
    value = XXH3_64bits(file, w.pos);
    ngx_canary_walk_fixed(&w, &value, NGX_CANARY_STATE_CHECK);

    require(!w.failed && w.pos == *len);

    return file;
}
