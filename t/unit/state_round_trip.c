/*
 * What is written is read back field by field, in the size that was told
 * before; the extremes of each field survive as well, within the bound that
 * is promised.
 */

#include "saved.h"

#include "tap.h"

#include <math.h>


static ngx_canary_saved_t        in, out;
static ngx_canary_saved_event_t  in_events[NGX_CANARY_SAVED_EVENTS];
static ngx_canary_saved_event_t  out_events[NGX_CANARY_SAVED_EVENTS];
static ngx_canary_saved_history_t  in_history, out_history;
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

    memset(&out_history, 0, sizeof(out_history));
    out.history = in.history ? &out_history : NULL;

    rc = ngx_canary_state_decode(&out, buf, len, error);

    if (!ok(rc == 0, "%s: read back", what)) {
        printf("# %s\n", error);
    }

    out.events = in.events;
    out.history = in.history;
    same = memcmp(&in, &out, sizeof(in)) == 0
           && memcmp(in_events, out_events, sizeof(in_events)) == 0
           && (in.history == NULL
               || memcmp(&in_history, &out_history, sizeof(in_history)) == 0);

    ok(same, "%s: each field is the same", what);
}


/* points that differ from each other in all that is left out if it is alike */

static void
fill_history(size_t npoints)
{
    size_t                      s, i, v, r, k;
    ngx_canary_saved_series_t  *series;

    memset(&in_history, 0, sizeof(in_history));
    in.history = &in_history;

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
        in_history.names[v].len = v == 3 ? 0 : 1 + v;
        memset(in_history.names[v].data, 'a', in_history.names[v].len);
    }

    for (r = 0; r < NGX_CANARY_MAX_RULES; r += 3) {
        in_history.rules[r] = UINT64_MAX - r;
    }

    for (s = 0; s < NGX_CANARY_SERIES; s++) {
        series = &in_history.series[s];
        series->npoints = npoints;
        series->shift = NGX_CANARY_SAVED_SHIFT;
        series->stage_ms = UINT64_MAX;

        for (i = 0; i < npoints; i++) {
            series->points[i].start_ms = NGX_CANARY_SAVED_MOMENT - i;
            series->points[i].length_ms = NGX_CANARY_SAVED_ELAPSED / 1000;
            series->points[i].generation = NGX_CANARY_SAVED_GENERATION;

            for (k = 0; k < i / 3 % (1 + NGX_CANARY_HISTORY_LIMITS); k++) {
                series->points[i].limits_us[k] =
                    NGX_CANARY_HIST_MAX_US - 5 + k;
            }

            for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {

                if (v == 3) {
                    continue;
                }

                series->points[i].share_ppm[v] = NGX_CANARY_PPM;
                series->counts[v][i].requests = UINT32_MAX;
                series->counts[v][i].errors = UINT32_MAX - 1;
                series->counts[v][i].samples = UINT32_MAX - 2;
                series->counts[v][i].count = UINT32_MAX - 3;

                for (k = 0; k < NGX_CANARY_HISTORY_LE; k++) {
                    series->counts[v][i].le[k] =
                        k < i % 25 ? 0 : UINT32_MAX / 24 * (k / (1 + v % 2));
                }

                for (k = 0; k < i / 3 % (1 + NGX_CANARY_HISTORY_LIMITS); k++) {
                    series->counts[v][i].limits[k] = UINT32_MAX;
                }

                for (r = 0; v && r < NGX_CANARY_MAX_RULES; r += 3) {
                    series->gates[r][v][i].evidence = UINT16_MAX;
                    series->gates[r][v][i].threshold =
                        i % 4 ? UINT16_MAX - i / 7 : 0;
                }
            }
        }
    }
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

        /* requests have no users */

        memset(in.variants[i].total.sketch, 0, NGX_CANARY_SAVED_SKETCH);
        memset(in.variants[i].base.sketch, 0, NGX_CANARY_SAVED_SKETCH);
    }

    for (i = 0; i < NGX_CANARY_SAVED_EVENTS; i++) {
        in_events[i].used = NGX_CANARY_SAVED_GENERATION;
        in_events[i].name.len = NGX_CANARY_SAVED_NAME;

        for (n = 0; n < NGX_CANARY_MAX_VARIANTS; n++) {
            f = &in_events[i].figures[n];
            f->elapsed_us = NGX_CANARY_SAVED_ELAPSED;

            /* and events have fewer counters */

            for (k = NGX_CANARY_EVENT_COUNTS; k < NGX_CANARY_TALLY; k++) {
                f->total.n[k] = 0;
                f->base.n[k] = 0;
            }

            for (k = 0; k < NGX_CANARY_SAVED_SKETCH; k++) {
                f->total.sketch[k] = (unsigned char) (k % 2 ? 1 : INT8_MAX);
                f->base.sketch[k] = (unsigned char) (k % 2 ? INT8_MAX : 0);
            }
        }
    }
}


static void
fill_dispersion(ngx_canary_saved_dispersion_t *d)
{
    size_t  i;
    double  *value;

    value = (double *) d;

    for (i = 0; i < sizeof(*d) / sizeof(double); i++) {
        value[i] = 1e60;
    }
}


static void
fill_judge(void)
{
    size_t                    i, n;
    ngx_canary_saved_gate_t  *gate;

    in.judge.nrules = NGX_CANARY_MAX_RULES;
    in.judge.ncanaries = NGX_CANARY_MAX_CANARIES;

    for (i = 0; i < NGX_CANARY_MAX_CANARIES; i++) {
        in.judge.slots[i] = 1 + i;
    }

    for (i = 0; i < NGX_CANARY_MAX_RULES; i++) {
        in.judge.rules[i].ref_us = NGX_CANARY_HIST_MAX_US;
        fill_dispersion(&in.judge.rules[i].dispersion);
    }

    for (i = 0; i < NGX_CANARY_SAVED_GATES; i++) {
        gate = &in.judge.gates[i];

        gate->failed = 1;
        gate->held_ln = 1e18;
        gate->trials = 1e18;
        gate->bad = 1e18;
        gate->expected = 1e18;

        for (n = 0; n < NGX_CANARY_DETECTOR_ALTERNATIVES; n++) {
            gate->ln1p[n] = NGX_CANARY_DETECTOR_CERTAIN;
        }

        fill_dispersion(&gate->dispersion);
    }
}


/* what is no number, or beyond its bound, is not written */

static void
not_a_number(double *field, double least, double most, const char *what)
{
    size_t  i, taken;
    double  before;

    double  values[] = {
        NAN, -NAN, INFINITY, -INFINITY, nextafter(most, INFINITY),
        nextafter(least, -INFINITY)
    };

    before = *field;
    taken = 0;

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        *field = values[i];
        taken += ngx_canary_state_encode(&in, buf, sizeof(buf)) != 0;
    }

    *field = before;
    is_u64(taken, 0, what);
}


/* limits of a point ascend, and are such as a gate may have; then come zeros */

static void
no_limits(void)
{
    size_t     i, taken;
    uint64_t  *limits;

    static const uint64_t  rows[][3] = {
        { 2000, 1000, 0 }, { 1000, 1000, 0 }, { 0, 1000, 0 },
        { 1000, 0, 2000 }, { NGX_CANARY_HIST_MAX_US + 1, 0, 0 },
        { 1000, NGX_CANARY_HIST_MAX_US + 1, 0 }, { UINT64_MAX - 1, 0, 0 }
    };

    fill_history(2);
    limits = in_history.series[0].points[1].limits_us;
    taken = 0;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memcpy(limits, rows[i], sizeof(rows[i]));
        taken += ngx_canary_state_encode(&in, buf, sizeof(buf)) != 0;
    }

    is_u64(taken, 0, "limits that are none are not written");

    memset(limits, 0, sizeof(rows[0]));
    in_history.series[0].points[1].start_ms = NGX_CANARY_SAVED_MOMENT + 1;
    ok(ngx_canary_state_encode(&in, buf, sizeof(buf)) == 0,
       "nor a moment that JSON does not hold");
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

    fill_history(0);
    round_trip("a history without points");

    fill_history(77);
    round_trip("a history");

    in_history.series[1].counts[1][5].le[7] = UINT32_MAX;
    ok(ngx_canary_state_encode(&in, buf, sizeof(buf)) == 0,
       "counts that do not ascend are not written");
    no_limits();

    fill_to_the_brim();
    fill_history(NGX_CANARY_HISTORY_POINTS);
    fill_judge();
    clear_ends();
    round_trip("all that there may be");

    not_a_number(&in.judge.gates[3].ln1p[2], 0, NGX_CANARY_DETECTOR_CERTAIN,
                 "evidence that is none");
    not_a_number(&in.judge.rules[1].dispersion.past[4].sum.excess, -1e60, 1e60,
                 "a spread that is none");
    not_a_number(&in.judge.rules[1].dispersion.rate, 0, 1e60,
                 "a rate that is none");

    in.canaries[0].slot = NGX_CANARY_MAX_CANARIES + 1;
    ok(ngx_canary_state_encode(&in, buf, sizeof(buf)) == 0,
       "what no reader takes is not written");

    return tap_done();
}
