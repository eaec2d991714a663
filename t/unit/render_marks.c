/*
 * The times below a chart: moments that are whole steps of the clock, as many
 * as there is room for, none of them too near to an edge to be written.  Above
 * it, what the journal holds, named where there is room.
 */

#include <math.h>
#include <string.h>

#include "tap.h"

#include "driver/picture.h"

#include "../../src/render/ngx_canary_page.h"
#include "../../src/render/ngx_canary_times.h"


#define SECOND  1000u


/* the places of all labels, in per cent; returns how many */

static size_t
labels(uint64_t from_ms, uint64_t to_ms, double *at, size_t room)
{
    char                *text;
    size_t               n;
    const char          *p;
    picture_out_t        picture;
    ngx_canary_out_t     out;
    ngx_canary_times_t   times;

    memset(&times, 0, sizeof(times));
    times.from_ms = from_ms;
    times.to_ms = to_ms;
    times.out = &out;

    picture_open(&out, &picture, 256);
    ngx_canary_hours(&times);
    text = picture_close(&out);

    n = 0;

    for (p = strstr(text, " x=\""); p && n < room; p = strstr(p, " x=\"")) {
        p += 4;
        at[n++] = strtod(p, NULL);
    }

    free(text);

    return n;
}


static void
span(uint64_t seconds, uint64_t step, const char *name)
{
    double    at[32], expected;
    size_t    n, k, shift, wrong, some;
    uint64_t  from, ms;

    /* 2025-11-22 00:00:00 UTC, and later by parts of a step */

    wrong = 0;
    some = 0;

    for (shift = 0; shift < 200; shift++) {
        from = 1763769600000u + step * SECOND * shift / 200;
        n = labels(from, from + seconds * SECOND, at, 32);
        k = 0;

        for (ms = from - from % (step * SECOND); ms <= from + seconds * SECOND;
             ms += step * SECOND)
        {
            if (ms <= from) {
                continue;
            }

            expected = 100.0 * (double) (ms - from)
                       / (double) (seconds * SECOND);

            /* the edge itself is a matter of rounding */

            if (expected < 3.999 || expected > 96.001) {
                continue;
            }

            if (expected < 4.001 || expected > 95.999) {
                k += k < n && fabs(at[k] - expected) < 0.02;
                continue;
            }

            wrong += k >= n || fabs(at[k] - expected) > 0.02;
            k++;
        }

        wrong += k != n;
        some += n > 0;
    }

    ok(wrong == 0 && some == 200, "%s: every %" PRIu64 " s, %zu wrong", name,
       step, wrong);
}


static char *
marks(ngx_canary_split_t *split)
{
    char                *text;
    picture_out_t        picture;
    ngx_canary_out_t     out;
    ngx_canary_times_t   times;

    memset(&times, 0, sizeof(times));
    times.split = split;
    times.from_ms = 1000000;
    times.to_ms = 2000000;
    times.out = &out;

    picture_open(&out, &picture, 256);
    ngx_canary_marks(&times);
    text = picture_close(&out);

    return text;
}


static void
note(ngx_canary_split_t *split, uint64_t ms, const char *event,
    const char *said)
{
    ngx_canary_note_t  *n;

    n = &split->journal[split->njournal++];
    n->time_ms = ms;
    n->event = picture_str(event, strlen(event));
    n->text = picture_str(said, strlen(said));
}


static void
names(void)
{
    char    *text;
    size_t   i;

    static ngx_canary_split_t  split;

    static const struct {
        const char  *event;
        const char  *said;
        const char  *name;
    } rows[] = {
        { "published", "sliceB 0% -> 5%, stage one, generation 2",
          ">0% -&gt; 5%<" },
        { "published", "sliceB 12.5% -> 100%, generation 3",
          ">12.5% -&gt; 100%<" },
        { "published", "a 5% -> off, b 1% -> 2%, generation 4",
          ">5% -&gt; off<" },
        { "published", "5% -> 6%", ">5% -&gt; 6%<" },
        { "published", "generation 5", ">published<" },
        { "published", "a ->", ">published<" },
        { "published", " -> x", "> -&gt; x<" },
        { "publishe", "sliceB 0% -> 5%", ">publishe<" },
        { "rollback", "canary: 0% -> 5%", ">rollback<" },
        { "incident", "", ">incident<" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&split, 0, sizeof(split));
        note(&split, 1500000, rows[i].event, rows[i].said);
        text = marks(&split);
        is_u64(picture_count(text, rows[i].name), 1, rows[i].name);
        is_u64(picture_count(text, "<line"), 1, "and its line");
        free(text);
    }
}


static void
places(void)
{
    char  *text;

    static ngx_canary_split_t  split;

    memset(&split, 0, sizeof(split));
    note(&split, 999999, "resume", "");
    note(&split, 1000000, "first", "");
    note(&split, 1249999, "near", "");
    note(&split, 1250000, "far", "");
    note(&split, 1600000, "decision", "");
    note(&split, 1750000, "left", "");
    note(&split, 1750001, "beside", "");
    note(&split, 2000000, "right", "");
    note(&split, 2000001, "resume", "");
    text = marks(&split);

    is_u64(picture_count(text, "<line"), 6, "those of the time, no decision");
    is_u64(picture_count(text, "<text"), 4, "named where there is room");
    ok(strstr(text, "x=\"0%\">first<") != NULL, "at the beginning");
    ok(strstr(text, "x=\"25%\">far<") != NULL, "a quarter on");
    ok(strstr(text, "<text dx=\"4\" y=\"12\" x=\"75%\">left<") != NULL,
       "to the right of it as long as there is room");
    ok(strstr(text, "<text class=\"to\" dx=\"-4\" y=\"12\" x=\"100%\">right<")
       != NULL, "else to the left");
    free(text);
}



int
main(void)
{
    /* at most six steps in what is shown; then the next longer one */

    span(40, 10, "40 s");
    span(60, 10, "a minute");
    span(69, 10, "a little more");
    span(70, 30, "70 s");
    span(209, 30, "a window");
    span(210, 60, "some minutes");
    span(419, 60, "up to 7 minutes");
    span(420, 120, "7 minutes");
    span(3600, 600, "an hour");
    span(4200, 900, "70 minutes");
    span(21600, 3600, "six hours");
    span(86400, 21600, "a day");
    span(7 * 86400, 172800, "seven days");
    span(30 * 86400, 604800, "a month");

    names();
    places();

    return tap_done();
}
