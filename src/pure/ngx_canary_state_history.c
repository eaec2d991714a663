/*
 * The history's part of a state file.  A point is small where little happened:
 * limits and thresholds are left out where they are those of the point before,
 * and of the bounds only those from the first to the last bucket that counted
 * anything are there.
 */

#include "ngx_canary_state.h"
#include "ngx_canary_walk.h"

#include <string.h>


static void ngx_canary_state_series(ngx_canary_walk_t *w,
    ngx_canary_saved_history_t *history, ngx_canary_saved_series_t *series);
static void ngx_canary_state_point(ngx_canary_walk_t *w,
    ngx_canary_point_t *point, const ngx_canary_point_t *before);
static void ngx_canary_state_point_counts(ngx_canary_walk_t *w,
    ngx_canary_point_counts_t *counts, const uint64_t *limits_us);
static void ngx_canary_state_le(ngx_canary_walk_t *w, uint32_t *le);
static void ngx_canary_state_point_gate(ngx_canary_walk_t *w,
    ngx_canary_point_gate_t *gate, unsigned before);
static void ngx_canary_state_u32(ngx_canary_walk_t *w, uint32_t *value,
    uint32_t max);


void
ngx_canary_state_history(ngx_canary_walk_t *w, ngx_canary_saved_t *saved)
{
    size_t                       i;
    uint64_t                     present;
    ngx_canary_saved_history_t  *history;

    history = saved->history;
    present = (history != NULL);

    ngx_canary_walk_number(w, &present, present);

    if (!present || w->failed) {
        return;
    }

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        ngx_canary_walk_text(w, &history->names[i].len, history->names[i].data,
                             NGX_CANARY_SAVED_NAME);
    }

    for (i = 0; i < NGX_CANARY_MAX_RULES; i++) {
        present = (history->rules[i] != 0);
        ngx_canary_walk_number(w, &present, 1);

        if (present) {
            ngx_canary_walk_fixed(w, &history->rules[i], 8);

            /* one of 0 would be none */

            w->failed |= (history->rules[i] == 0);
        }
    }

    for (i = 0; i < NGX_CANARY_SERIES; i++) {
        ngx_canary_state_series(w, history, &history->series[i]);
    }
}


static void
ngx_canary_state_series(ngx_canary_walk_t *w,
    ngx_canary_saved_history_t *history, ngx_canary_saved_series_t *series)
{
    size_t                     i, v, r;
    ngx_canary_point_t        *point;
    ngx_canary_point_gate_t   *gates;

    static const ngx_canary_point_t  none;

    ngx_canary_walk_number(w, &series->npoints, NGX_CANARY_HISTORY_POINTS);
    ngx_canary_walk_number(w, &series->shift, NGX_CANARY_SAVED_SHIFT);
    ngx_canary_walk_number(w, &series->stage_ms, UINT64_MAX);

    for (i = 0; i < series->npoints && !w->failed; i++) {
        point = &series->points[i];

        ngx_canary_state_point(w, point, i ? point - 1 : &none);

        for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {

            if (history->names[v].len == 0) {
                continue;
            }

            ngx_canary_state_u32(w, &point->share_ppm[v], NGX_CANARY_PPM);
            ngx_canary_state_point_counts(w, &series->counts[v][i],
                                          point->limits_us);

            for (r = 0; v && r < NGX_CANARY_MAX_RULES; r++) {
                gates = series->gates[r][v];

                if (history->rules[r]) {
                    ngx_canary_state_point_gate(w, &gates[i],
                                              i ? gates[i - 1].threshold : 0);
                }
            }
        }
    }
}


static void
ngx_canary_state_point(ngx_canary_walk_t *w, ngx_canary_point_t *point,
    const ngx_canary_point_t *before)
{
    int       same;
    size_t    i;
    uint64_t  anew;

    ngx_canary_walk_number(w, &point->start_ms, NGX_CANARY_SAVED_MOMENT);
    ngx_canary_walk_number(w, &point->length_ms,
                           NGX_CANARY_SAVED_ELAPSED / 1000);
    ngx_canary_walk_number(w, &point->generation, NGX_CANARY_SAVED_GENERATION);

    same = memcmp(point->limits_us, before->limits_us,
                  sizeof(point->limits_us))
           == 0;
    anew = !same;

    ngx_canary_walk_number(w, &anew, 1);

    if (!anew) {
        memcpy(point->limits_us, before->limits_us, sizeof(point->limits_us));
        return;
    }

    for (i = 0; i < NGX_CANARY_HISTORY_LIMITS; i++) {
        ngx_canary_walk_number(w, &point->limits_us[i],
                               NGX_CANARY_HIST_MAX_US);

        /* ascending, then 0 */

        w->failed |= (i && point->limits_us[i]
                      && point->limits_us[i] <= point->limits_us[i - 1]);
        w->failed |= (i && point->limits_us[i]
                      && point->limits_us[i - 1] == 0);
    }

    w->failed |= memcmp(point->limits_us, before->limits_us,
                        sizeof(point->limits_us))
                 == 0;
}


static void
ngx_canary_state_point_counts(ngx_canary_walk_t *w,
    ngx_canary_point_counts_t *counts, const uint64_t *limits_us)
{
    size_t  i;

    ngx_canary_state_u32(w, &counts->requests, UINT32_MAX);
    ngx_canary_state_u32(w, &counts->errors, UINT32_MAX);
    ngx_canary_state_u32(w, &counts->samples, UINT32_MAX);
    ngx_canary_state_u32(w, &counts->count, UINT32_MAX);
    ngx_canary_state_le(w, counts->le);

    for (i = 0; i < NGX_CANARY_HISTORY_LIMITS && limits_us[i]; i++) {
        ngx_canary_state_u32(w, &counts->limits[i], UINT32_MAX);
    }
}


/* ascending: so many buckets from the first one that counted to the last */

static void
ngx_canary_state_le(ngx_canary_walk_t *w, uint32_t *le)
{
    size_t    i;
    uint32_t  more[NGX_CANARY_HISTORY_LE], seen;
    uint64_t  first, n;

    first = 0;
    n = 0;
    seen = 0;

    for (i = 0; w->writes && i < NGX_CANARY_HISTORY_LE; i++) {
        w->failed |= (le[i] < seen);
        more[i] = le[i] - seen;
        seen = le[i];

        if (more[i]) {
            first = n ? first : i;
            n = i + 1 - first;
        }
    }

    ngx_canary_walk_number(w, &n, NGX_CANARY_HISTORY_LE);

    if (n) {
        ngx_canary_walk_number(w, &first, NGX_CANARY_HISTORY_LE - n);
    }

    if (!w->writes) {
        memset(more, 0, sizeof(more));
    }

    for (i = first; i < first + n && !w->failed; i++) {
        ngx_canary_state_u32(w, &more[i], UINT32_MAX);
    }

    if (w->writes) {
        return;
    }

    if (n && !w->failed) {
        w->failed |= (more[first] == 0 || more[first + n - 1] == 0);
    }

    for (i = 0; i < NGX_CANARY_HISTORY_LE; i++) {
        w->failed |= (more[i] > UINT32_MAX - seen);
        seen += more[i];
        le[i] = seen;
    }
}


/* 0 for the threshold of the point before, else the threshold and 1 */

static void
ngx_canary_state_point_gate(ngx_canary_walk_t *w,
    ngx_canary_point_gate_t *gate, unsigned before)
{
    uint32_t  evidence, threshold;

    threshold = (gate->threshold == before) ? 0 : gate->threshold + 1u;
    evidence = gate->evidence;

    ngx_canary_state_u32(w, &threshold, UINT16_MAX + 1u);
    ngx_canary_state_u32(w, &evidence, UINT16_MAX);

    w->failed |= (threshold == before + 1);

    gate->threshold = (uint16_t) (threshold ? threshold - 1 : before);
    gate->evidence = (uint16_t) evidence;
}


static void
ngx_canary_state_u32(ngx_canary_walk_t *w, uint32_t *value, uint32_t max)
{
    uint64_t  wide;

    wide = *value;
    ngx_canary_walk_number(w, &wide, max);
    *value = (uint32_t) wide;
}
