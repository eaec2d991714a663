/* State files for a fuzzer: what it makes of bytes, and the history in them. */

#ifndef STATE_H_INCLUDED
#define STATE_H_INCLUDED


#include "../../src/pure/ngx_canary_state.h"
#include "../../src/pure/ngx_canary_walk.h"

#include "require.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>


/* a header of that version, the body, and a checksum; to be freed */
static inline uint8_t *
state_dressed(const uint8_t *body, size_t size, uint64_t version, size_t *len)
{
    uint64_t           value;
    uint8_t           *file;
    ngx_canary_walk_t  w;

    *len = NGX_CANARY_STATE_HEADER + size + NGX_CANARY_STATE_CHECK;

    /* no place of the owner */

    if (version == 1) {
        *len -= 8;
    }

    file = malloc(*len);
    require(file != NULL);

    memset(&w, 0, sizeof(w));
    w.writes = 1;
    w.out = file;
    w.size = *len;

    memcpy(file, "\x89" "CNRY\r\n\x1a", 8);
    w.pos = 8;
    value = version;
    ngx_canary_walk_fixed(&w, &value, 4);
    value = *len;
    ngx_canary_walk_fixed(&w, &value, 8);
    value = 1;
    ngx_canary_walk_fixed(&w, &value, 8);
    ngx_canary_walk_fixed(&w, &value, 8);

    if (version > 1) {
        ngx_canary_walk_fixed(&w, &value, 8);
    }

    if (size) {
        memcpy(file + w.pos, body, size);
    }

    w.pos += size;
    value = XXH3_64bits(file, w.pos);
    ngx_canary_walk_fixed(&w, &value, NGX_CANARY_STATE_CHECK);

    require(!w.failed && w.pos == *len);

    return file;
}


/* all that a decoder may have written to: most of the memory is untouched */
static inline void
state_history_clear(ngx_canary_saved_history_t *history)
{
    size_t                      s, v, r, n;
    ngx_canary_saved_series_t  *series;

    for (s = 0; s < NGX_CANARY_SERIES; s++) {
        series = &history->series[s];
        n = series->npoints;

        memset(series->points, 0, n * sizeof(series->points[0]));

        for (v = 0; v < NGX_CANARY_MAX_VARIANTS && n; v++) {

            if (history->names[v].len == 0) {
                continue;
            }

            memset(series->counts[v], 0, n * sizeof(series->counts[v][0]));

            for (r = 0; r < NGX_CANARY_MAX_RULES; r++) {
                memset(series->gates[r][v], 0,
                       n * sizeof(series->gates[r][v][0]));
            }
        }

        series->npoints = 0;
        series->shift = 0;
        series->stage_ms = 0;
    }

    memset(history->names, 0, sizeof(history->names));
    memset(history->rules, 0, sizeof(history->rules));
}


static inline void
state_counts_check(const ngx_canary_point_counts_t *counts)
{
    size_t  i;

    for (i = 1; i < NGX_CANARY_HISTORY_LE; i++) {
        require(counts->le[i] >= counts->le[i - 1]);
    }
}


static inline void
state_history_check(const ngx_canary_saved_history_t *history)
{
    size_t                            s, i, k, v;
    const ngx_canary_point_t         *point;
    const ngx_canary_saved_series_t  *series;

    for (s = 0; s < NGX_CANARY_SERIES; s++) {
        series = &history->series[s];

        require(series->npoints <= NGX_CANARY_HISTORY_POINTS
                && series->shift <= NGX_CANARY_SAVED_SHIFT);

        for (i = 0; i < series->npoints; i++) {
            point = &series->points[i];

            require(point->generation <= NGX_CANARY_SAVED_GENERATION);

            /* ascending, then 0, and each one that a gate may have */

            for (k = 0; k < NGX_CANARY_HISTORY_LIMITS; k++) {
                require(point->limits_us[k] <= NGX_CANARY_HIST_MAX_US);
                require(k == 0 || point->limits_us[k] == 0
                        || (point->limits_us[k - 1]
                            && point->limits_us[k - 1]
                               < point->limits_us[k]));
            }

            for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
                require(point->share_ppm[v] <= NGX_CANARY_PPM);
                state_counts_check(&series->counts[v][i]);
            }
        }
    }

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
        require(history->names[v].len <= NGX_CANARY_SAVED_NAME);
    }
}


#endif /* STATE_H_INCLUDED */
