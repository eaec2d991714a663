/*
 * Snapshots to render, and an output that hands out rooms of a given size.
 * Each room is its own allocation, so that valgrind and ASan see a write
 * beyond its end.
 */

#ifndef PICTURE_H_INCLUDED
#define PICTURE_H_INCLUDED


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/render/ngx_canary_render.h"


#define PICTURE_STR(text)  picture_str(text, sizeof(text) - 1)

/* quotes, a backslash, LF, markup, bytes that are no UTF-8, and NUL */
#define PICTURE_HOSTILE                                                       \
    "a\"b\\c\nd{e}<script>alert('x')</script>&\xff\xc0\xaf\xed\xa0\x80"       \
    "\xe2\x82\xac\0z\x1b\x7f"


typedef int (*picture_render_pt)(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);

typedef struct {
    char            *text;              /* what was handed over, and NUL */
    size_t           len;
    size_t           step;              /* the least room to hand out */
    size_t           rooms;             /* how many are left to hand out */
    size_t           largest;           /* need that was asked for */
    unsigned char   *room;
} picture_out_t;


static const uint64_t  picture_le[] = {
    5000, 10000, 25000, 50000, 100000, 200000, 250000, 500000, 750000,
    1000000, 2500000, 5000000, 10000000
};

#define PICTURE_NLE  (sizeof(picture_le) / sizeof(picture_le[0]))


static inline ngx_canary_str_t
picture_str(const char *text, size_t len)
{
    ngx_canary_str_t  str;

    str.len = len;
    str.data = (const unsigned char *) text;

    return str;
}


static inline void
picture_collect(ngx_canary_out_t *out)
{
    size_t          n;
    picture_out_t  *p;

    p = out->data;

    if (p->room == NULL) {
        return;
    }

    n = (size_t) (out->pos - p->room);
    p->text = realloc(p->text, p->len + n + 1);
    memcpy(p->text + p->len, p->room, n);
    p->len += n;
    p->text[p->len] = '\0';

    free(p->room);
    p->room = NULL;
}


/* a room that is refused leaves the last one as it is */
static inline int
picture_more(ngx_canary_out_t *out, size_t need)
{
    size_t          size;
    picture_out_t  *p;

    p = out->data;
    p->largest = need > p->largest ? need : p->largest;

    if (p->rooms == 0) {
        return -1;
    }

    picture_collect(out);

    p->rooms--;

    size = need > p->step ? need : p->step;
    p->room = malloc(size);
    out->pos = p->room;
    out->last = p->room + size;

    return 0;
}


static inline void
picture_open(ngx_canary_out_t *out, picture_out_t *p, size_t step)
{
    memset(p, 0, sizeof(*p));
    memset(out, 0, sizeof(*out));

    p->step = step;
    p->rooms = (size_t) -1;
    p->text = calloc(1, 1);

    out->more = picture_more;
    out->data = p;
}


/* takes over what stands in the last room */
static inline char *
picture_close(ngx_canary_out_t *out)
{
    picture_out_t  *p;

    picture_collect(out);

    p = out->data;

    return p->text;
}


/* the text of a renderer, to be freed; NULL if it failed */
static inline char *
picture_render(picture_render_pt render, const ngx_canary_snapshot_t *snap,
    size_t step)
{
    int               rc;
    char             *text;
    picture_out_t     p;
    ngx_canary_out_t  out;

    picture_open(&out, &p, step);

    rc = render(snap, &out);
    text = picture_close(&out);

    if (rc != 0 || strlen(text) != p.len) {
        free(text);
        return NULL;
    }

    return text;
}


/* the canary of the contract's example */
static inline void
picture_canary(ngx_canary_figures_t *f)
{
    size_t                 i;
    static const uint64_t  quantiles[] = {
        145000, 310000, 385000, 701000, 702000
    };
    static const uint64_t  le[] = {
        0, 0, 0, 0, 20, 60, 65, 75, 77, 77, 77, 77, 77
    };

    f->elapsed_us = 12122000;
    f->requests = 77;
    f->samples = 75;
    ngx_canary_count(f, 2XX) = 76;
    ngx_canary_count(f, 5XX) = 1;
    ngx_canary_count(f, ERRORS) = 1;
    ngx_canary_count(f, FALLBACKS) = 1;
    ngx_canary_count(f, ABORTED) = 2;
    ngx_canary_count(f, RETRIES) = 5;
    f->latency.count = 77;
    f->latency.sum_us = 12900000;
    f->latency.min_us = 51000;
    f->latency.max_us = 702000;

    for (i = 0; i < NGX_CANARY_QUANTILES; i++) {
        f->latency.quantile_us[i] = quantiles[i];
    }

    for (i = 0; i < PICTURE_NLE; i++) {
        f->latency.le[i] = le[i];
    }
}


static inline void
picture_baseline(ngx_canary_figures_t *f)
{
    size_t                 i;
    static const uint64_t  le[] = {
        3, 40, 200, 500, 900, 1200, 1300, 1400, 1440, 1450, 1455, 1458, 1460
    };

    f->elapsed_us = 12122000;
    f->requests = 1463;
    f->samples = 1463;
    ngx_canary_count(f, 2XX) = 1400;
    ngx_canary_count(f, 3XX) = 20;
    ngx_canary_count(f, 4XX) = 40;
    ngx_canary_count(f, NONE) = 3;
    ngx_canary_count(f, FORCED) = 12;
    ngx_canary_count(f, ERRORS) = 3;
    f->latency.count = 1461;
    f->latency.sum_us = 123456789;
    f->latency.min_us = 999;
    f->latency.max_us = 12345678;

    for (i = 0; i < NGX_CANARY_QUANTILES; i++) {
        f->latency.quantile_us[i] = 80500 * (i + 1);
    }

    for (i = 0; i < PICTURE_NLE; i++) {
        f->latency.le[i] = le[i];
    }
}


static inline void
picture_split(ngx_canary_split_t *split)
{
    size_t  i;

    memset(split, 0, sizeof(*split));

    split->name = PICTURE_STR("documents");
    split->generation = 3;
    split->created_ms = 1763840000250;
    split->stage = PICTURE_STR("stage1_5pct");
    split->stage_start_ms = 1763845800001;
    split->stage_elapsed_us = 12122000;
    split->unkeyed = 9;
    split->bypassed = 31;
    split->rollbacks[NGX_CANARY_CAUSE_OPERATOR] = 2;
    split->state_path = PICTURE_STR("/var/lib/nginx/documents.state");
    split->state_written_ms = 1763845810002;
    split->state_error = PICTURE_STR("");
    split->state_errors = 4;

    split->nle = PICTURE_NLE;
    memcpy(split->le_us, picture_le, sizeof(picture_le));

    split->nvariants = 2;
    split->variants[0].name = split->name;
    split->variants[0].configured_share_ppm = 950000;
    split->variants[0].share_ppm = 950000;
    split->variants[1].name = PICTURE_STR("sliceB_documents");
    split->variants[1].canary = 1;
    split->variants[1].configured_share_ppm = 50000;
    split->variants[1].share_ppm = 50000;

    for (i = 0; i < NGX_CANARY_SCOPES; i++) {
        picture_baseline(&split->variants[0].figures[i]);
        picture_canary(&split->variants[1].figures[i]);
    }

    split->njournal = 2;
    split->journal[0].number = 1;
    split->journal[0].time_ms = 1763840000250;
    split->journal[0].event = PICTURE_STR("published");
    split->journal[0].text = PICTURE_STR("sliceB_documents 0%, generation 2");
    split->journal[1].number = 2;
    split->journal[1].time_ms = 1763845800001;
    split->journal[1].event = PICTURE_STR("published");
    split->journal[1].text = PICTURE_STR("sliceB_documents 0% -> 5%, "
                                         "stage stage1_5pct, generation 3");
}


static inline void
picture_hostile(ngx_canary_split_t *split)
{
    split->name = PICTURE_STR(PICTURE_HOSTILE);
    split->stage = PICTURE_STR(PICTURE_HOSTILE);
    split->reason = PICTURE_STR(PICTURE_HOSTILE);
    split->variants[0].name = PICTURE_STR(PICTURE_HOSTILE);
    split->variants[1].name = PICTURE_STR("\xe2\x82" PICTURE_HOSTILE "\xf0");
    split->journal[0].event = PICTURE_STR(PICTURE_HOSTILE);
    split->journal[0].text = PICTURE_STR(PICTURE_HOSTILE);
}


/* the bytes of all lines but those that hold "part" */
static inline size_t
picture_less(const char *text, const char *part)
{
    size_t       n;
    const char  *end, *found;

    n = 0;

    for ( /* void */ ; *text; text = end) {
        end = strchr(text, '\n');
        end = end ? end + 1 : text + strlen(text);
        found = strstr(text, part);

        if (found == NULL || found >= end) {
            n += (size_t) (end - text);
        }
    }

    return n;
}


/* one gate that passes, and one with nothing to show yet */
static inline void
picture_gated(ngx_canary_split_t *split)
{
    size_t                    i;
    static ngx_canary_rule_t  rules[2];
    static ngx_canary_gate_t  gates[2];

    memset(gates, 0, sizeof(gates));

    rules[0].text = PICTURE_STR("p95 <= 500ms");
    rules[0].metric_text = PICTURE_STR("p95");
    rules[0].metric = NGX_CANARY_METRIC_P95;
    rules[0].limit = 500000;
    rules[0].min = 400;
    rules[1].text = PICTURE_STR("error_rate not_worse margin=50%");
    rules[1].metric_text = PICTURE_STR("error_rate");
    rules[1].metric = NGX_CANARY_METRIC_ERROR_RATE;
    rules[1].op = NGX_CANARY_NOT_WORSE;
    rules[1].limit = 500000;
    rules[1].min = 100;

    split->nrules = 2;
    split->rules = rules;
    split->ngates = 2;
    split->gates = gates;
    split->verdict = NGX_CANARY_VERDICT_PENDING;

    for (i = 0; i < 2; i++) {
        gates[i].rule = &rules[i];
        gates[i].index = 1;
        gates[i].variant = split->variants[1].name;
        gates[i].metric = rules[i].metric_text;
        gates[i].text = rules[i].text;
        gates[i].limit = rules[i].limit;
        gates[i].min = rules[i].min;
    }

    gates[0].op = PICTURE_STR("<=");
    gates[0].status = NGX_CANARY_GATE_PASS;
    gates[0].has_actual = 1;
    gates[0].actual = 385000;
    gates[0].has_window = 1;
    gates[0].window = 391000;
    gates[0].has_baseline = 1;
    gates[0].baseline_actual = 241500;
    gates[0].samples = 477;
    gates[0].evidence_log10 = 0.3;
    gates[0].threshold_log10 = 7.6914;
    gates[0].evidence_ratio = 0.039;
    gates[0].dispersion = 1;
    gates[0].trials = 477;
    gates[0].bad = 1;
    gates[0].stream = 1;
    gates[0].reason = PICTURE_STR("385ms in the stage, 391ms in the window");
    gates[1].op = PICTURE_STR("not_worse");
    gates[1].has_baseline = 1;
    gates[1].baseline_actual = 2051;
    gates[1].threshold_log10 = 7.6914;
    gates[1].dispersion = 12.4;
    gates[1].trials = 20.5;
    gates[1].bad = 2;
    gates[1].has_expected = 1;
    gates[1].expected = 1.0255;
    gates[1].stream = 18446744073709551615u;
    gates[1].reason = PICTURE_STR("0 of 100 samples");
}


/* one event with users and values, and one with neither */
static inline void
picture_events(ngx_canary_split_t *split)
{
    size_t                      i, s;
    static ngx_canary_event_t   events[2];
    ngx_canary_event_figures_t *f;

    memset(events, 0, sizeof(events));

    split->nevents = 2;
    split->events = events;

    events[0].name = PICTURE_STR("document_upload");
    events[0].unique = 1;
    events[0].value = 1;
    events[1].name = PICTURE_STR("login");

    for (s = 0; s < NGX_CANARY_SCOPES; s++) {
        f = &events[0].figures[1][s];
        f->elapsed_us = 8000000;
        f->count = 20 - s;
        f->unique = 12 - s;
        f->nvalues = 10;
        f->sum = 123456;
        f->min = 1;
        f->max = 50000;
        f->last = 7000;
        f->ncounted = 10;

        for (i = 0; i < NGX_CANARY_QUANTILES; i++) {
            f->quantile[i] = 10500 * (i + 1);
        }

        events[1].figures[0][s].count = 3;
    }
}


/* all that has a limit is at it */
static inline void
picture_full(ngx_canary_split_t *split)
{
    size_t                i, s;
    static char           names[NGX_CANARY_MAX_VARIANTS][400];
    ngx_canary_latency_t *latency;

    split->nle = NGX_CANARY_MAX_LE;
    split->nvariants = NGX_CANARY_MAX_VARIANTS;
    split->njournal = NGX_CANARY_JOURNAL;

    for (i = 0; i < NGX_CANARY_MAX_LE; i++) {
        split->le_us[i] = (i + 1) * 1000000;
    }

    for (i = 0; i < NGX_CANARY_JOURNAL; i++) {
        split->journal[i] = split->journal[0];
    }

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        memset(names[i], (int) ('a' + i), sizeof(names[i]));

        split->variants[i] = split->variants[i > 0];
        split->variants[i].name = picture_str(names[i], sizeof(names[i]));

        for (s = 0; s < NGX_CANARY_MAX_LE; s++) {
            latency = &split->variants[i].figures[NGX_CANARY_TOTAL].latency;
            latency->count = (uint64_t) -1;
            latency->sum_us = (uint64_t) -1;
            latency->le[s] = (uint64_t) -1;
        }
    }
}


/*
 * "sample", "gated", "events" (gated, too), "quiet" (no request yet), "rolled"
 * (rolled back), "hostile" (names), "full" or "none" (no split).  Returns -1
 * for another name.  "split" is the memory that the snapshot points to.
 */
static inline int
picture_take(ngx_canary_snapshot_t *snap, ngx_canary_split_t *split,
    const char *name)
{
    size_t  i;

    memset(snap, 0, sizeof(*snap));
    picture_split(split);

    snap->version = PICTURE_STR(NGX_CANARY_VERSION);
    snap->server_version = PICTURE_STR("1.22.1");
    snap->time_ms = 1763845812123;
    snap->generation = 3;
    snap->loaded_at_ms = 1763845800001;
    snap->nsplits = 1;
    snap->splits = split;

    if (strcmp(name, "gated") == 0) {
        picture_gated(split);

    } else if (strcmp(name, "events") == 0) {
        picture_gated(split);
        picture_events(split);

    } else if (strcmp(name, "quiet") == 0) {

        for (i = 0; i < 2; i++) {
            memset(split->variants[i].figures, 0,
                   sizeof(split->variants[i].figures));
        }

    } else if (strcmp(name, "rolled") == 0) {
        split->state = NGX_CANARY_STATE_ROLLED_BACK;
        split->verdict = NGX_CANARY_VERDICT_ROLLBACK;
        split->reason = PICTURE_STR("rolled back by alice");
        split->variants[0].share_ppm = 1000000;
        split->variants[1].share_ppm = 0;

    } else if (strcmp(name, "hostile") == 0) {
        picture_hostile(split);
        snap->version = PICTURE_STR(PICTURE_HOSTILE);

    } else if (strcmp(name, "full") == 0) {
        picture_full(split);

    } else if (strcmp(name, "none") == 0) {
        snap->nsplits = 0;

    } else if (strcmp(name, "sample") != 0) {
        return -1;
    }

    return 0;
}


/* compares as ok() does and shows both on a difference; needs tap.h before */
#ifdef TAP_H_INCLUDED
static inline int
is_text(const char *got, const char *expected, const char *name)
{
    if (ok(got && strcmp(got, expected) == 0, "%s", name)) {
        return 1;
    }

    printf("#      got: %s\n# expected: %s\n", got ? got : "(failed)",
           expected);

    return 0;
}


/* how often "part" stands in "text" */
static inline uint64_t
picture_count(const char *text, const char *part)
{
    uint64_t  n;

    for (n = 0; (text = strstr(text, part)) != NULL; n++) {
        text += strlen(part);
    }

    return n;
}
#endif


#endif /* PICTURE_H_INCLUDED */
