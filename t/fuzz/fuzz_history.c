/*
 * Any bytes as the history in a state file whose checksum fits: what is
 * accepted keeps within its bounds, gives the same bytes when it is written
 * again, and is drawn by the page and by history.json: in time, and with
 * nothing in it that is no number.
 */

#include "state.h"

#include "../unit/driver/picture.h"
#include "../unit/driver/states.h"


static size_t make_before(uint8_t *body);
static void check_drawn(void);


static ngx_canary_saved_t          saved;
static ngx_canary_saved_history_t  history;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int       rc;
    char      error[NGX_CANARY_STATE_ERROR];
    size_t    len, again;
    uint8_t  *body, *file, *copy;

    static size_t   before_len;
    static uint8_t  before[4096];

    if (before_len == 0) {
        before_len = make_before(before);
    }

    body = malloc(before_len + size);
    require(body != NULL);
    memcpy(body, before, before_len);

    if (size) {
        memcpy(body + before_len, data, size);
    }

    file = state_dressed(body, before_len + size, NGX_CANARY_STATE_VERSION,
                         &len);
    free(body);

    memset(&saved, 0, sizeof(saved));
    saved.history = &history;

    rc = ngx_canary_state_decode(&saved, file, len, error);

    if (rc == 0 && data[0]) {
        state_history_check(&history);

        copy = malloc(len);
        require(copy != NULL);
        again = ngx_canary_state_encode(&saved, copy, len);
        require(again == len && memcmp(copy, file, len) == 0);
        free(copy);

        check_drawn();
    }

    free(file);
    state_history_clear(&history);

    return 0;
}


/* a body up to where its history begins, which says that there is none */

static size_t
make_before(uint8_t *body)
{
    size_t   len;
    uint8_t  file[4096];

    saved.split.len = 1;
    saved.split.data[0] = 's';

    len = ngx_canary_state_encode(&saved, file, sizeof(file));
    require(len > NGX_CANARY_STATE_HEADER + NGX_CANARY_STATE_CHECK);

    len -= NGX_CANARY_STATE_HEADER + NGX_CANARY_STATE_CHECK + 1;
    memcpy(body, file + NGX_CANARY_STATE_HEADER, len);

    return len;
}


static void
check_drawn(void)
{
    char                       *text;
    size_t                      s, v, k;
    ngx_canary_split_t         *split;
    ngx_canary_history_t       *drawn;
    ngx_canary_snapshot_t       snap;
    ngx_canary_saved_series_t  *series;

    static states_t                       *state;
    static const ngx_canary_point_gate_t  *gates[NGX_CANARY_SERIES]
                                                [STATES_RULES];

    if (state == NULL) {
        state = states_split(&states_courses[0], "documents", "canary");
    }

    split = &state->split;

    for (s = 0; s < NGX_CANARY_SERIES; s++) {
        series = &history.series[s];
        drawn = &state->history[s];

        drawn->npoints = series->npoints;
        drawn->stretch_ms = s == NGX_CANARY_SERIES_HOUR ? 10000 : 1000;
        drawn->stretch_ms <<= series->shift;
        drawn->points = series->points;
        drawn->gates = gates[s];

        for (v = 0; v < split->nvariants; v++) {
            drawn->counts[v] = series->counts[v];
        }

        for (k = 0; k < STATES_RULES; k++) {
            gates[s][k] = series->gates[k][1];
        }
    }

    require(states_take(&snap, "empty"));
    snap.nsplits = 1;
    snap.splits = split;

    text = picture_render(ngx_canary_render_history, &snap, 4096);
    require(text != NULL && strstr(text, "nan") == NULL
            && strstr(text, "inf") == NULL);
    free(text);

    text = picture_render(ngx_canary_render_page, &snap, 65536);
    require(text != NULL && strstr(text, "NaN") == NULL
            && strstr(text, ">nan") == NULL && strstr(text, "\"nan") == NULL
            && strlen(text) < 200000);
    free(text);
}
