/*
 * What a chart over time has in common with those above and below it: marks of
 * what happened, and the time.
 */

#include <string.h>

#include "ngx_canary_times.h"


static void ngx_canary_mark(const ngx_canary_times_t *times,
    const ngx_canary_note_t *note, double at, int named);
static void ngx_canary_mark_name(const ngx_canary_note_t *note,
    ngx_canary_out_t *out);
static int ngx_canary_mark_is(const ngx_canary_note_t *note,
    const char *event);


#define NGX_CANARY_MARK_ROOM   0.25     /* of the width, for a name */
#define NGX_CANARY_MAX_HOURS   6


void
ngx_canary_marks(const ngx_canary_times_t *times)
{
    int                       named;
    size_t                    i;
    double                    at, last;
    const ngx_canary_note_t  *note;

    last = -1;

    for (i = 0; i < times->split->njournal; i++) {
        note = &times->split->journal[i];
        at = ngx_canary_times_at(times, note->time_ms);

        if (at < 0 || at > 1 || ngx_canary_mark_is(note, "decision")) {
            continue;
        }

        named = at >= last + NGX_CANARY_MARK_ROOM || last < 0;
        ngx_canary_mark(times, note, at, named);

        if (named) {
            last = at;
        }
    }
}


static void
ngx_canary_mark(const ngx_canary_times_t *times, const ngx_canary_note_t *note,
    double at, int named)
{
    ngx_canary_out_t  *out;

    out = times->out;

    ngx_canary_print(out, "<line class=\"mark\" y1=\"2\" y2=\"128\" x1=\"%W\" "
                          "x2=\"%W\"/>", at, at);

    if (!named) {
        return;
    }

    ngx_canary_print(out, "<text %s y=\"12\" x=\"%W\">",
                     at > 0.75 ? "class=\"to\" dx=\"-4\"" : "dx=\"4\"", at);
    ngx_canary_mark_name(note, out);
    ngx_canary_out_lit(out, "</text>");
}


/* "0% -> 5%" of what was published, the event's name of all else */
static void
ngx_canary_mark_name(const ngx_canary_note_t *note, ngx_canary_out_t *out)
{
    ngx_canary_str_t      text;
    const unsigned char  *p, *end, *from;

    static const unsigned char  arrow[] = " -> ";

    text = note->event;

    if (ngx_canary_mark_is(note, "published")) {
        end = note->text.data + note->text.len;

        for (p = note->text.data; end - p > 4; p++) {
            if (memcmp(p, arrow, 4) != 0) {
                continue;
            }

            for (from = p; from > note->text.data && from[-1] != ' '; from--) {
                /* void */
            }

            for (p += 4; p < end && *p != ','; p++) { /* void */ }

            text.data = from;
            text.len = (size_t) (p - from);
            break;
        }
    }

    ngx_canary_out_html(out, text);
}


static int
ngx_canary_mark_is(const ngx_canary_note_t *note, const char *event)
{
    return note->event.len == strlen(event)
           && memcmp(note->event.data, event, note->event.len) == 0;
}


void
ngx_canary_hours(const ngx_canary_times_t *times)
{
    size_t             i;
    double             at;
    uint64_t           step, ms;
    ngx_canary_out_t  *out;

    static const uint64_t  steps[] = {
        10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
        86400, 172800, 604800, 2592000
    };

    out = times->out;
    step = 0;

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        step = steps[i] * 1000;

        if ((times->to_ms - times->from_ms) / step <= NGX_CANARY_MAX_HOURS) {
            break;
        }
    }

    /* a clock that was set may span any time */

    while ((times->to_ms - times->from_ms) / step > NGX_CANARY_MAX_HOURS) {
        step *= 2;
    }

    for (ms = (times->from_ms / step + 1) * step; ms < times->to_ms;
         ms += step)
    {
        at = ngx_canary_times_at(times, ms);

        if (at < 0.04 || at > 0.96) {
            continue;
        }

        ngx_canary_print(out, "<text class=\"mid\" y=\"144\" x=\"%W\">", at);

        if (step < 60000) {
            ngx_canary_page_clock(ms, out);

        } else {
            ngx_canary_page_minute(ms, out);
        }

        ngx_canary_out_lit(out, "</text>");
    }
}
