/*
 * What is kept of a split, to bytes and back: one walk over all fields, to
 * write and to read alike (ngx_canary_walk.h).
 *
 * A reader looks at the checksum first: it catches all that happens by
 * accident.  Nothing is trusted for that: whoever may write to the file can
 * make a checksum that fits.
 */

#include "ngx_canary_state.h"
#include "ngx_canary_walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>


static void ngx_canary_state_header(ngx_canary_walk_t *w, uint64_t *length,
    uint64_t *run, uint64_t *owner, uint64_t *place);
static int ngx_canary_state_is_known(ngx_canary_walk_t *w);
static void ngx_canary_state_body(ngx_canary_walk_t *w,
    ngx_canary_saved_t *saved);
static void ngx_canary_state_record(ngx_canary_walk_t *w,
    ngx_canary_saved_t *saved);
static void ngx_canary_state_variant(ngx_canary_walk_t *w,
    ngx_canary_saved_variant_t *v);
static void ngx_canary_state_limits(ngx_canary_walk_t *w,
    ngx_canary_saved_t *saved);
static void ngx_canary_state_skip(ngx_canary_walk_t *w, size_t numbers);
static void ngx_canary_state_counts(ngx_canary_walk_t *w,
    ngx_canary_saved_tally_t *tally);
static void ngx_canary_state_event(ngx_canary_walk_t *w,
    ngx_canary_saved_event_t *event);
static void ngx_canary_state_tally(ngx_canary_walk_t *w,
    ngx_canary_saved_tally_t *tally);


/* a tool that takes it for text, or a line's end for another, damages it */
static const unsigned char  ngx_canary_state_magic[] = {
    0x89, 'C', 'N', 'R', 'Y', '\r', '\n', 0x1a
};

#define NGX_CANARY_STATE_MAGIC  sizeof(ngx_canary_state_magic)

/* numbers that were in files before version 3 */
#define NGX_CANARY_STATE_OLD_LIMITS  6
#define NGX_CANARY_STATE_OLD_CELLS   (64 * 8)


size_t
ngx_canary_state_encode(ngx_canary_saved_t *saved, unsigned char *buf,
    size_t size)
{
    uint64_t           length, sum;
    ngx_canary_walk_t  w;

    memset(&w, 0, sizeof(ngx_canary_walk_t));

    w.writes = 1;
    w.size = NGX_CANARY_STATE_MAX;
    w.version = NGX_CANARY_STATE_VERSION;

    length = 0;

    ngx_canary_state_header(&w, &length, &saved->run, &saved->owner,
                            &saved->place);
    ngx_canary_state_body(&w, saved);

    length = w.pos + NGX_CANARY_STATE_CHECK;

    if (w.failed || buf == NULL) {
        return w.failed ? 0 : (size_t) length;
    }

    w.out = buf;
    w.pos = 0;
    w.size = size;

    ngx_canary_state_header(&w, &length, &saved->run, &saved->owner,
                            &saved->place);
    ngx_canary_state_body(&w, saved);

    if (w.failed) {
        return 0;
    }

    sum = XXH3_64bits(buf, w.pos);
    ngx_canary_walk_fixed(&w, &sum, NGX_CANARY_STATE_CHECK);

    return w.failed ? 0 : w.pos;
}


int
ngx_canary_state_decode(ngx_canary_saved_t *saved, const unsigned char *data,
    size_t len, char *error)
{
    size_t             body;
    uint64_t           length, sum;
    ngx_canary_walk_t  w;

    memset(&w, 0, sizeof(ngx_canary_walk_t));

    w.in = data;
    w.size = len;

    ngx_canary_state_header(&w, &length, &saved->run, &saved->owner,
                            &saved->place);

    if (len == 0) {
        (void) snprintf(error, NGX_CANARY_STATE_ERROR, "it is empty");
        return -1;
    }

    if (memcmp(data, ngx_canary_state_magic,
               len < NGX_CANARY_STATE_MAGIC ? len : NGX_CANARY_STATE_MAGIC)
        != 0)
    {
        (void) snprintf(error, NGX_CANARY_STATE_ERROR,
                        "it is no state file of this module");
        return -1;
    }

    if (w.failed) {
        (void) snprintf(error, NGX_CANARY_STATE_ERROR,
                        "it is cut short after %zu bytes", len);
        return -1;
    }

    if (!ngx_canary_state_is_known(&w)) {
        (void) snprintf(error, NGX_CANARY_STATE_ERROR,
                        "it has version %" PRIu64 ", this module reads %d "
                        "to %d", w.version, NGX_CANARY_STATE_OLDEST,
                        NGX_CANARY_STATE_VERSION);
        return -1;
    }

    if (length != len || len < w.pos + NGX_CANARY_STATE_CHECK) {
        (void) snprintf(error, NGX_CANARY_STATE_ERROR,
                        "it has %zu bytes where it should have %" PRIu64 "%s",
                        len, length, len < length ? ", it is cut short" : "");
        return -1;
    }

    body = w.pos;
    w.pos = len - NGX_CANARY_STATE_CHECK;

    ngx_canary_walk_fixed(&w, &sum, NGX_CANARY_STATE_CHECK);

    if (sum != XXH3_64bits(data, len - NGX_CANARY_STATE_CHECK)) {
        (void) snprintf(error, NGX_CANARY_STATE_ERROR,
                        "its checksum does not fit, it is damaged");
        return -1;
    }

    w.pos = body;
    w.size = len - NGX_CANARY_STATE_CHECK;

    ngx_canary_state_body(&w, saved);

    if (w.failed || w.pos != w.size) {
        (void) snprintf(error, NGX_CANARY_STATE_ERROR,
                        "byte %zu does not fit, it is damaged", w.pos);
        return -1;
    }

    return 0;
}


int
ngx_canary_state_owner(const unsigned char *data, uint64_t *run,
    uint64_t *owner, uint64_t *place)
{
    uint64_t           length;
    ngx_canary_walk_t  w;

    memset(&w, 0, sizeof(ngx_canary_walk_t));

    w.in = data;
    w.size = NGX_CANARY_STATE_HEADER;

    ngx_canary_state_header(&w, &length, run, owner, place);

    if (!ngx_canary_state_is_known(&w)
        || memcmp(data, ngx_canary_state_magic, NGX_CANARY_STATE_MAGIC) != 0)
    {
        return -1;
    }

    return 0;
}


static void
ngx_canary_state_header(ngx_canary_walk_t *w, uint64_t *length, uint64_t *run,
    uint64_t *owner, uint64_t *place)
{
    size_t         i;
    unsigned char  byte;

    for (i = 0; i < NGX_CANARY_STATE_MAGIC; i++) {
        byte = ngx_canary_state_magic[i];
        ngx_canary_walk_byte(w, &byte);
    }

    ngx_canary_walk_fixed(w, &w->version, 4);
    ngx_canary_walk_fixed(w, length, 8);
    ngx_canary_walk_fixed(w, run, 8);
    ngx_canary_walk_fixed(w, owner, 8);

    if (w->version > 1) {
        ngx_canary_walk_fixed(w, place, 8);

    } else {
        *place = 0;
    }
}


static int
ngx_canary_state_is_known(ngx_canary_walk_t *w)
{
    return w->version >= NGX_CANARY_STATE_OLDEST
           && w->version <= NGX_CANARY_STATE_VERSION;
}


static void
ngx_canary_state_body(ngx_canary_walk_t *w, ngx_canary_saved_t *saved)
{
    size_t                    i, causes;
    uint64_t                  room;
    ngx_canary_saved_note_t  *note;

    ngx_canary_walk_text(w, &saved->split.len, saved->split.data,
                         NGX_CANARY_SAVED_NAME);
    ngx_canary_walk_number(w, &saved->saved_ms, UINT64_MAX);
    ngx_canary_walk_number(w, &saved->created_ms, UINT64_MAX);
    ngx_canary_walk_number(w, &saved->elapsed_us, NGX_CANARY_SAVED_ELAPSED);
    ngx_canary_walk_number(w, &saved->unkeyed, UINT64_MAX);
    ngx_canary_walk_number(w, &saved->base_unkeyed, UINT64_MAX);

    if (w->version > 1) {
        ngx_canary_walk_number(w, &saved->bypassed, UINT64_MAX);
    }

    causes = w->version > 1 ? NGX_CANARY_CAUSES : NGX_CANARY_CAUSE_REHEARSAL;

    for (i = 0; i < causes; i++) {
        ngx_canary_walk_number(w, &saved->rollbacks[i], UINT64_MAX);
    }

    ngx_canary_walk_number(w, &saved->latched, 1);
    ngx_canary_walk_number(w, &saved->latch_ms, UINT64_MAX);
    ngx_canary_walk_number(w, &saved->cause, causes - 1);
    ngx_canary_walk_text(w, &saved->reason.len, saved->reason.data,
                         NGX_CANARY_SAVED_TEXT);

    ngx_canary_state_record(w, saved);

    ngx_canary_walk_number(w, &saved->njournal, NGX_CANARY_JOURNAL);

    for (i = 0; i < saved->njournal && !w->failed; i++) {
        note = &saved->journal[i];

        if (w->version > 1) {
            ngx_canary_walk_number(w, &note->number, UINT32_MAX);
        }

        ngx_canary_walk_number(w, &note->time_ms, UINT64_MAX);
        ngx_canary_walk_number(w, &note->kind, UINT8_MAX);
        ngx_canary_walk_text(w, &note->text.len, note->text.data,
                             NGX_CANARY_SAVED_TEXT);
    }

    ngx_canary_state_limits(w, saved);

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        ngx_canary_state_variant(w, &saved->variants[i]);
    }

    room = w->writes ? NGX_CANARY_SAVED_EVENTS : saved->nevents;

    ngx_canary_walk_number(w, &saved->nevents, room);

    for (i = 0; i < saved->nevents && !w->failed; i++) {
        ngx_canary_state_event(w, &saved->events[i]);
    }

    if (w->version > 2) {
        ngx_canary_state_judge(w, &saved->judge);
        ngx_canary_state_history(w, saved);
    }
}


/* what was published, and by which slots */

static void
ngx_canary_state_record(ngx_canary_walk_t *w, ngx_canary_saved_t *saved)
{
    size_t                     i;
    ngx_canary_saved_share_t  *share;

    ngx_canary_walk_number(w, &saved->generation,
                           NGX_CANARY_SAVED_GENERATION);
    ngx_canary_walk_number(w, &saved->loaded_ms, UINT64_MAX);
    ngx_canary_walk_number(w, &saved->stage_start_ms, UINT64_MAX);
    ngx_canary_walk_number(w, &saved->stage_elapsed_us,
                           NGX_CANARY_SAVED_ELAPSED);
    ngx_canary_walk_text(w, &saved->stage.len, saved->stage.data,
                         NGX_CANARY_SAVED_NAME);
    ngx_canary_walk_number(w, &saved->ncanaries, NGX_CANARY_MAX_CANARIES);

    for (i = 0; i < saved->ncanaries && !w->failed; i++) {
        share = &saved->canaries[i];

        ngx_canary_walk_number(w, &share->slot, NGX_CANARY_MAX_CANARIES);
        ngx_canary_walk_number(w, &share->share_ppm, NGX_CANARY_PPM);
        ngx_canary_walk_number(w, &share->off, 1);

        if (share->slot == NGX_CANARY_BASELINE) {
            w->failed = 1;
        }
    }
}


static void
ngx_canary_state_variant(ngx_canary_walk_t *w, ngx_canary_saved_variant_t *v)
{
    size_t  i;

    ngx_canary_walk_number(w, &v->used, NGX_CANARY_SAVED_GENERATION);

    if (v->used == 0 || w->failed) {
        return;
    }

    ngx_canary_walk_text(w, &v->name.len, v->name.data, NGX_CANARY_SAVED_NAME);
    ngx_canary_state_counts(w, &v->total);
    ngx_canary_state_counts(w, &v->base);

    if (w->version < 3) {
        ngx_canary_state_skip(w, NGX_CANARY_STATE_OLD_CELLS);
        return;
    }

    for (i = 0; i < NGX_CANARY_LIMITS; i++) {
        ngx_canary_walk_number(w, &v->late_from[i], UINT64_MAX);
    }
}


/* an older file has none: what it counted is for no limit */

static void
ngx_canary_state_limits(ngx_canary_walk_t *w, ngx_canary_saved_t *saved)
{
    size_t  i;

    if (w->version < 3) {
        ngx_canary_state_skip(w, NGX_CANARY_STATE_OLD_LIMITS);
        memset(saved->limits_us, 0xff, sizeof(saved->limits_us));
        return;
    }

    for (i = 0; i < NGX_CANARY_LIMITS; i++) {
        ngx_canary_walk_number(w, &saved->limits_us[i], UINT64_MAX);
    }
}


/* of files before version 3: errors and slow requests by the key's hash */

static void
ngx_canary_state_skip(ngx_canary_walk_t *w, size_t numbers)
{
    uint64_t  unused;

    while (numbers-- && !w->failed) {
        ngx_canary_walk_number(w, &unused, UINT64_MAX);
    }
}


static void
ngx_canary_state_counts(ngx_canary_walk_t *w, ngx_canary_saved_tally_t *tally)
{
    size_t    i;
    uint64_t  n;

    n = w->version == 1 ? NGX_CANARY_COUNT_FALLBACKS + 1
                        : NGX_CANARY_COUNT_RETRIES + 1;

    if (w->version > 3) {
        n = NGX_CANARY_COUNTS;
        ngx_canary_walk_number(w, &n, NGX_CANARY_COUNTS);
    }

    for (i = 0; i < n; i++) {
        ngx_canary_walk_number(w, &tally->n[i], UINT64_MAX);
    }

    for (i = 0; w->version > 2 && i < NGX_CANARY_LIMITS; i++) {
        ngx_canary_walk_number(w, &tally->n[NGX_CANARY_TALLY_LATE + i],
                               UINT64_MAX);
    }

    ngx_canary_walk_number(w, &tally->n[NGX_CANARY_TALLY_SUM], UINT64_MAX);
    ngx_canary_walk_number(w, &tally->max, UINT64_MAX);
    ngx_canary_walk_number(w, &tally->low, UINT64_MAX);
    ngx_canary_walk_hist(w, tally->hist);
}


static void
ngx_canary_state_event(ngx_canary_walk_t *w, ngx_canary_saved_event_t *event)
{
    size_t                       i;
    ngx_canary_saved_figures_t  *f;

    ngx_canary_walk_number(w, &event->used, NGX_CANARY_SAVED_GENERATION);
    ngx_canary_walk_text(w, &event->name.len, event->name.data,
                         NGX_CANARY_SAVED_NAME);

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        f = &event->figures[i];

        ngx_canary_walk_number(w, &f->total.n[NGX_CANARY_EVENT_COUNT],
                               UINT64_MAX);

        if (f->total.n[NGX_CANARY_EVENT_COUNT] == 0) {
            continue;
        }

        ngx_canary_walk_number(w, &f->elapsed_us, NGX_CANARY_SAVED_ELAPSED);
        ngx_canary_walk_number(w, &f->last, UINT64_MAX);
        ngx_canary_state_tally(w, &f->total);

        ngx_canary_walk_number(w, &f->base.n[NGX_CANARY_EVENT_COUNT],
                               UINT64_MAX);
        ngx_canary_state_tally(w, &f->base);
    }
}


/* but for its count */

static void
ngx_canary_state_tally(ngx_canary_walk_t *w, ngx_canary_saved_tally_t *tally)
{
    ngx_canary_walk_number(w, &tally->n[NGX_CANARY_EVENT_VALUES], UINT64_MAX);
    ngx_canary_walk_number(w, &tally->n[NGX_CANARY_EVENT_SUM_LOW], UINT64_MAX);

    if (w->version > 1) {
        ngx_canary_walk_number(w, &tally->n[NGX_CANARY_EVENT_SUM_HIGH],
                               UINT64_MAX);
    }

    ngx_canary_walk_number(w, &tally->max, UINT64_MAX);
    ngx_canary_walk_number(w, &tally->low, UINT64_MAX);
    ngx_canary_walk_hist(w, tally->hist);
    ngx_canary_walk_bytes(w, tally->sketch, NGX_CANARY_SAVED_SKETCH);
}
