/*
 * Each number of a file at its bound is read and written again as it was; one
 * more, and the same number in a longer form, is refused at that very byte.
 * What no reader takes is not written either.
 */

#include "saved.h"

#include "tap.h"
#include "crafted.h"

#include <math.h>


#define SIZE  (1 << 20)

static ngx_canary_saved_t          in, out;
static ngx_canary_saved_event_t    in_events[NGX_CANARY_SAVED_EVENTS];
static ngx_canary_saved_event_t    out_events[NGX_CANARY_SAVED_EVENTS + 1];
static ngx_canary_saved_history_t  in_history, out_history;
static unsigned char               buf[SIZE], other[SIZE], bad[SIZE];
static size_t                      len;     /* of "buf", less the checksum */


/* a file with "n" bytes in the place of the "old" ones at "at" */

static int
splice(size_t at, size_t old, const unsigned char *bytes, size_t n)
{
    memcpy(bad, buf, at);
    memcpy(bad + at, bytes, n);
    memcpy(bad + at + n, buf + at + old, len - at - old);

    memset(&out, 0, sizeof(out));
    memset(out_events, 0, sizeof(out_events[0]));
    out.events = out_events;    /* with figures in the first alone */
    out.nevents = in.nevents;
    out.history = in.history ? &out_history : NULL;

    if (in.history) {
        memset(&out_history, 0, sizeof(out_history));
    }

    return crafted_decode(&out, bad, crafted_seal(bad, len + n - old));
}


/* what was read is the same bytes again */

static int
taken(size_t at, size_t old, const unsigned char *bytes, size_t n)
{
    size_t  size;

    if (splice(at, old, bytes, n) != 0) {
        printf("# refused: %s\n", crafted_error);
        return 0;
    }

    size = len + n - old + NGX_CANARY_STATE_CHECK;

    if (ngx_canary_state_encode(&out, other, SIZE) != size
        || memcmp(other, bad, size) != 0)
    {
        printf("# not what was in the file\n");
        return 0;
    }

    return 1;
}


/* not before all of the bytes were read, and no later */

static int
refused(size_t at, size_t old, const unsigned char *bytes, size_t n)
{
    char  expected[64];

    (void) snprintf(expected, sizeof(expected),
                    "byte %zu does not fit, it is damaged", at + n);

    if (splice(at, old, bytes, n) == 0) {
        printf("# taken\n");
        return 0;
    }

    return crafted_says(expected);
}


static void
encode(void)
{
    len = ngx_canary_state_encode(&in, buf, SIZE);

    if (len == 0) {
        printf("Bail out! what is within all bounds is not written\n");
        exit(1);
    }

    len -= NGX_CANARY_STATE_CHECK;
}


/* where a field is: the first byte that is another if it has another value */

static size_t
place(void *field, const void *value, size_t size)
{
    size_t         i;
    unsigned char  before[8];

    memcpy(before, field, size);
    memcpy(field, value, size);
    (void) ngx_canary_state_encode(&in, other, SIZE);
    memcpy(field, before, size);

    encode();

    i = NGX_CANARY_STATE_HEADER;

    while (i < len && buf[i] == other[i]) {
        i++;
    }

    return i;
}


static void
put(void *field, size_t size, uint64_t value)
{
    uint16_t  u16;
    uint32_t  u32;

    u16 = (uint16_t) value;
    u32 = (uint32_t) value;

    memcpy(field, size == 2 ? (void *) &u16
                            : size == 4 ? (void *) &u32 : (void *) &value,
           size);
}


/* a field of "size" bytes with the bound "max"; it stays there */

static void
edge(void *field, size_t size, uint64_t max, const char *name)
{
    int            same;
    size_t         at, old, n;
    uint64_t       below, most;
    unsigned char  number[16];

    put(field, size, max);
    put(&below, size, max - 1);

    at = place(field, &below, size);
    old = 1;

    while (at + old < len && buf[at + old - 1] & 0x80) {
        old++;
    }

    same = taken(at, old, buf + at, old);

    n = crafted_number(number, max, 0);

    if (n != old || memcmp(number, buf + at, n) != 0) {

        /* a threshold of history is written as one more */

        max++;
        n = crafted_number(number, max, 0);
        same &= (size == 2 && n == old && memcmp(number, buf + at, n) == 0);
    }

    ok(at < len && same, "%s: its bound is read", name);

    if (max == UINT64_MAX) {
        number[n - 1] = 2;
        ok(refused(at, old, number, n), "%s: not 2^64", name);

        /* ten bytes are the most */

        number[n - 1] = 0x81;
        number[n] = 0;
        ok(refused(at, old, number, n), "%s: not in 11 bytes", name);
        return;
    }

    n = crafted_number(number, max + 1, 0);
    ok(refused(at, old, number, n), "%s: one more is not", name);

    n = crafted_number(number, max, 1);
    ok(refused(at, old, number, n), "%s: nor a longer form", name);

    most = size == 8 ? UINT64_MAX : size == 4 ? UINT32_MAX : UINT16_MAX;

    if (max < most) {
        put(field, size, max + 1);
        ok(ngx_canary_state_encode(&in, NULL, 0) == 0,
           "%s: nor is it written", name);
        put(field, size, max);
    }
}


#define number(field, max)  edge(&(field), sizeof(field), max, #field)


static void
real(double *field, double least, double most, const char *name)
{
    size_t         at, i, wrong;
    double         one, next;
    unsigned char  bytes[8];

    const double  good[] = { least, most, 0.5 };
    const double  none[] = {
        nextafter(most, INFINITY), nextafter(least, -INFINITY), INFINITY,
        -INFINITY, NAN, -NAN
    };

    one = 1;
    next = nextafter(one, 2);
    *field = one;
    at = place(field, &next, sizeof(double));
    wrong = 0;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        memcpy(bytes, &good[i], 8);
        wrong += !taken(at, 8, bytes, 8);
    }

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        memcpy(bytes, &none[i], 8);
        wrong += !refused(at, 8, bytes, 8);
    }

    is_u64(wrong, 0, name);
}


/* the rate, and then spreads of five; only the first of each may be below 0 */

static void
dispersion(ngx_canary_saved_dispersion_t *d, const char *name)
{
    char     label[64];
    size_t   i;
    double  *value;

    value = (double *) d;

    for (i = 0; i < sizeof(*d) / sizeof(double); i++) {
        (void) snprintf(label, sizeof(label), "%s, %zu", name, i);
        real(&value[i], i % 5 == 1 ? -1e60 : 0, 1e60, label);
    }
}


static void
split_fields(void)
{
    size_t  i;

    number(in.split.len, NGX_CANARY_SAVED_NAME);
    number(in.saved_ms, UINT64_MAX);
    number(in.created_ms, UINT64_MAX);
    number(in.elapsed_us, NGX_CANARY_SAVED_ELAPSED);
    number(in.unkeyed, UINT64_MAX);
    number(in.base_unkeyed, UINT64_MAX);
    number(in.bypassed, UINT64_MAX);

    for (i = 0; i < NGX_CANARY_CAUSES; i++) {
        number(in.rollbacks[i], UINT64_MAX);
    }

    number(in.latched, 1);
    number(in.latch_ms, UINT64_MAX);
    number(in.cause, NGX_CANARY_CAUSES - 1);
    number(in.reason.len, NGX_CANARY_SAVED_TEXT);

    number(in.generation, NGX_CANARY_SAVED_GENERATION);
    number(in.loaded_ms, UINT64_MAX);
    number(in.stage_start_ms, UINT64_MAX);
    number(in.stage_elapsed_us, NGX_CANARY_SAVED_ELAPSED);
    number(in.stage.len, NGX_CANARY_SAVED_NAME);
}


/* a canary has a slot, and not the baseline's */

static void
canaries(void)
{
    size_t         i, at;
    uint64_t       slot;
    unsigned char  entry[5];

    for (i = 0; i < NGX_CANARY_MAX_CANARIES; i++) {
        in.canaries[i].slot = 1 + i;
    }

    number(in.ncanaries, NGX_CANARY_MAX_CANARIES);

    for (i = 0; i < NGX_CANARY_MAX_CANARIES; i += 6) {
        number(in.canaries[i].slot, NGX_CANARY_MAX_CANARIES);
        number(in.canaries[i].share_ppm, NGX_CANARY_PPM);
        number(in.canaries[i].off, 1);

        slot = 1;
        at = place(&in.canaries[i].slot, &slot, sizeof(slot));
        /* its share of 100% and "off" are read before that is seen */

        memcpy(entry, buf + at, sizeof(entry));
        entry[0] = NGX_CANARY_BASELINE;
        ok(refused(at, sizeof(entry), entry, sizeof(entry)),
           "canary %zu: not in the baseline's slot", i);

        in.canaries[i].slot = NGX_CANARY_BASELINE;
        ok(ngx_canary_state_encode(&in, NULL, 0) == 0,
           "canary %zu: nor is that written", i);
        in.canaries[i].slot = 1 + i;
    }
}


static void
journal(void)
{
    size_t  i;

    number(in.njournal, NGX_CANARY_JOURNAL);

    for (i = 0; i < NGX_CANARY_JOURNAL; i += NGX_CANARY_JOURNAL - 1) {
        number(in.journal[i].number, UINT32_MAX);
        number(in.journal[i].time_ms, UINT64_MAX);
        number(in.journal[i].kind, UINT8_MAX);
        number(in.journal[i].text.len, NGX_CANARY_SAVED_TEXT);
    }
}


static void
counts(ngx_canary_saved_tally_t *c)
{
    number(c->n[0], UINT64_MAX);
    number(c->n[NGX_CANARY_COUNTS - 1], UINT64_MAX);
    number(c->n[NGX_CANARY_TALLY_LATE], UINT64_MAX);
    number(c->n[NGX_CANARY_TALLY_SUM - 1], UINT64_MAX);
    number(c->n[NGX_CANARY_TALLY_SUM], UINT64_MAX);
    number(c->max, UINT64_MAX);
    number(c->low, UINT64_MAX);

    c->hist[5] = 1;
    number(c->hist[5], UINT64_MAX);
    number(c->hist[NGX_CANARY_HIST_BUCKETS - 1], UINT64_MAX);
}


static void
variants(void)
{
    size_t  i;

    number(in.limits_us[0], UINT64_MAX);
    number(in.limits_us[NGX_CANARY_LIMITS - 1], UINT64_MAX);

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i += 7) {
        number(in.variants[i].used, NGX_CANARY_SAVED_GENERATION);
        number(in.variants[i].name.len, NGX_CANARY_SAVED_NAME);
        counts(&in.variants[i].total);
        counts(&in.variants[i].base);
        number(in.variants[i].late_from[0], UINT64_MAX);
        number(in.variants[i].late_from[NGX_CANARY_LIMITS - 1],
               UINT64_MAX);
    }
}


static void
tally(ngx_canary_saved_tally_t *t)
{
    number(t->n[NGX_CANARY_EVENT_VALUES], UINT64_MAX);
    number(t->n[NGX_CANARY_EVENT_SUM_LOW], UINT64_MAX);
    number(t->n[NGX_CANARY_EVENT_SUM_HIGH], UINT64_MAX);
    number(t->max, UINT64_MAX);
    number(t->low, UINT64_MAX);
    number(t->hist[NGX_CANARY_HIST_BUCKETS - 1], UINT64_MAX);
}


/* as many as the caller has room for */

static void
events(void)
{
    size_t                       at;
    uint64_t                     none;
    unsigned char                more[2];
    ngx_canary_saved_figures_t  *f;

    in.nevents = 0;
    number(in.nevents, NGX_CANARY_SAVED_EVENTS);

    in.nevents = 1;
    none = 0;
    at = place(&in.nevents, &none, sizeof(none));
    ok(taken(at, 1, buf + at, 1), "one event, and room for one");
    more[0] = 2;
    ok(refused(at, 1, more, 1), "not two of them");

    number(in.events[0].used, NGX_CANARY_SAVED_GENERATION);
    number(in.events[0].name.len, NGX_CANARY_SAVED_NAME);

    f = &in.events[0].figures[7];
    number(f->total.n[NGX_CANARY_EVENT_COUNT], UINT64_MAX);
    number(f->elapsed_us, NGX_CANARY_SAVED_ELAPSED);
    number(f->last, UINT64_MAX);
    number(f->base.n[NGX_CANARY_EVENT_COUNT], UINT64_MAX);
    tally(&f->total);
    tally(&f->base);
}


static void
judge(void)
{
    size_t                    i, n;
    ngx_canary_saved_gate_t  *gate;

    number(in.judge.streams, UINT64_MAX);
    number(in.judge.nrules, NGX_CANARY_MAX_RULES);
    number(in.judge.ncanaries, NGX_CANARY_MAX_CANARIES);

    for (i = 0; i < NGX_CANARY_MAX_CANARIES; i += 6) {
        number(in.judge.slots[i], NGX_CANARY_MAX_CANARIES);
    }

    for (i = 0; i < NGX_CANARY_MAX_RULES; i += NGX_CANARY_MAX_RULES - 1) {
        number(in.judge.rules[i].ref_us, NGX_CANARY_HIST_MAX_US);
        dispersion(&in.judge.rules[i].dispersion, "a rule's dispersion");
    }

    for (i = 0; i < NGX_CANARY_SAVED_GATES; i += NGX_CANARY_SAVED_GATES - 1) {
        gate = &in.judge.gates[i];

        number(gate->stream, UINT64_MAX);
        number(gate->failed, 1);
        number(gate->held, UINT64_MAX);
        number(gate->held_ms, UINT64_MAX);
        real(&gate->held_ln, 0, 1e18, "held_ln");
        real(&gate->trials, 0, 1e18, "trials");
        real(&gate->bad, 0, 1e18, "bad");
        real(&gate->expected, 0, 1e18, "expected");

        for (n = 0; n < NGX_CANARY_DETECTOR_ALTERNATIVES; n++) {
            real(&gate->ln1p[n], 0, NGX_CANARY_DETECTOR_CERTAIN, "ln1p");
        }

        dispersion(&gate->dispersion, "a gate's dispersion");
    }
}


/* one that is there, for a reader that has room for none */

static void
no_history(void)
{
    size_t                       at;
    unsigned char                flag;
    ngx_canary_saved_history_t  *none;

    none = NULL;
    in.history = &in_history;
    at = place(&in.history, &none, sizeof(none));
    ok(taken(at, 1, buf + at, 1), "a history is read");

    flag = 2;
    ok(refused(at, 1, &flag, 1), "not two");

    in.history = NULL;
    flag = 1;
    encode();
    ok(refused(at, 1, &flag, 1), "nor one without room");
    in.history = &in_history;
}


/* each rule is there or not; one that is has a signature */

static void
history_rules(void)
{
    size_t         at;
    uint64_t       none;
    unsigned char  rule[9];

    none = 0;
    in_history.rules[0] = 1;
    at = place(&in_history.rules[0], &none, sizeof(none));
    memset(rule, 0, sizeof(rule));
    rule[0] = 1;
    ok(refused(at, 9, rule, 9), "a rule whose signature is none");
    rule[8] = 1;
    ok(taken(at, 9, rule, 9), "one of 2^56");
    rule[0] = 2;
    ok(refused(at, 9, rule, 1), "a rule is there or not");

    in_history.rules[NGX_CANARY_MAX_RULES - 1] = UINT64_MAX;
}


static void
history_points(ngx_canary_saved_series_t *series)
{
    size_t               i, n, v;
    ngx_canary_point_t  *point;

    n = NGX_CANARY_HISTORY_POINTS;

    number(series->npoints, NGX_CANARY_HISTORY_POINTS);
    number(series->shift, NGX_CANARY_SAVED_SHIFT);
    number(series->stage_ms, UINT64_MAX);

    for (i = 0; i < n; i += n - 1) {
        point = &series->points[i];

        number(point->length_ms, NGX_CANARY_SAVED_ELAPSED / 1000);
        number(point->generation, NGX_CANARY_SAVED_GENERATION);

        for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v += 7) {
            number(point->share_ppm[v], NGX_CANARY_PPM);
            number(series->counts[v][i].requests, UINT32_MAX);
            number(series->counts[v][i].errors, UINT32_MAX);
            number(series->counts[v][i].samples, UINT32_MAX);
            number(series->counts[v][i].count, UINT32_MAX);
        }

        number(series->gates[0][7][i].evidence, UINT16_MAX);
        number(series->gates[NGX_CANARY_MAX_RULES - 1][7][i].threshold,
               UINT16_MAX);
    }
}


/* limits of the point before are left out, and only there */

static void
history_limits(ngx_canary_saved_series_t *series)
{
    size_t         at, i;
    uint64_t       limit;
    unsigned char  anew[1 + NGX_CANARY_HISTORY_LIMITS];

    series->points[0].limits_us[0] = 5;
    series->points[1].limits_us[0] = 5;
    series->points[2].limits_us[0] = 5;
    number(series->counts[0][1].limits[0], UINT32_MAX);

    limit = 6;
    at = place(&series->points[1].limits_us[0], &limit, sizeof(limit));

    memset(anew, 0, sizeof(anew));
    anew[0] = 2;
    ok(refused(at, 1, anew, 1), "limits are new or not");
    anew[0] = 1;
    anew[1] = 5;
    ok(refused(at, 1, anew, sizeof(anew)), "limits of before are not new");

    series->points[1].limits_us[0] = 6;
    encode();

    for (i = 0; i < sizeof(anew) && buf[at + i] == (i ? i == 1 ? 6 : 0 : 1);
         i++)
    {
        /* void */
    }

    ok(i == sizeof(anew) && taken(at, i, buf + at, i), "others are");
    series->points[1].limits_us[0] = 5;
}


/* a threshold of the point before is left out, and only there */

static void
history_thresholds(ngx_canary_saved_series_t *series)
{
    size_t                    at;
    uint16_t                  threshold;
    unsigned char             gate[2];
    ngx_canary_point_gate_t  *gates;

    gates = series->gates[0][1];
    gates[0].threshold = 5;
    gates[1].threshold = 5;
    gates[2].threshold = 5;
    gates[1].evidence = 0;

    threshold = 7;
    at = place(&gates[1].threshold, &threshold, sizeof(threshold));

    gate[0] = 0;
    gate[1] = 0;
    ok(taken(at, 2, gate, 2) && out_history.series[0].gates[0][1][1].threshold
                                == 5,
       "the threshold of before");
    gate[0] = 6;
    ok(refused(at, 2, gate, 2), "which has no other form");

    threshold = 7;
    at = place(&gates[0].threshold, &threshold, sizeof(threshold));
    gate[0] = 1;
    ok(refused(at, 2, gate, 2), "nor has none before the first");
}


/* how many buckets, the first of them, and what each has more */

static void
history_buckets(ngx_canary_saved_series_t *series)
{
    size_t         at, i, k, n;
    uint32_t      *le, one;
    unsigned char  bytes[64];
    char           label[64];

    static const struct {
        size_t    n;
        int       taken;
        uint64_t  values[26];
    } rows[] = {
        { 1, 1, { 0 } },
        { 3, 1, { 1, 23, 5 } },
        { 2, 0, { 1, 24 } },
        { 26, 1, { 24, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                   0, 0, 0, 0, 0, 1 } },
        { 2, 0, { 24, 1 } },
        { 1, 0, { 25 } },
        { 5, 1, { 3, 0, 1, 0, 1 } },
        { 4, 0, { 2, 0, 0, 1 } },
        { 4, 0, { 2, 0, 1, 0 } },
        { 3, 0, { 1, 0, 0 } },
        { 3, 1, { 1, 0, UINT32_MAX } },
        { 3, 0, { 1, 0, (uint64_t) UINT32_MAX + 1 } },
        { 4, 1, { 2, 0, UINT32_MAX - 1, 1 } },
        { 4, 0, { 2, 0, UINT32_MAX, 1 } },
        { 5, 0, { 3, 0, UINT32_MAX, 0, UINT32_MAX } }
    };

    le = series->counts[1][1].le;
    one = 1;
    at = place(&le[NGX_CANARY_HISTORY_LE - 1], &one, sizeof(one));

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        n = 0;

        for (k = 0; k < rows[i].n; k++) {
            n += crafted_number(bytes + n, rows[i].values[k], 0);
        }

        (void) snprintf(label, sizeof(label), "buckets, %zu: %s", i,
                        rows[i].taken ? "taken" : "refused");
        ok(rows[i].taken ? taken(at, 1, bytes, n) : refused(at, 1, bytes, n),
           "%s", label);
    }

    le[3] = 2;
    memset(le + 4, 0xff, (NGX_CANARY_HISTORY_LE - 4) * sizeof(le[0]));
    ok(ngx_canary_state_encode(&in, NULL, 0) > 0, "buckets that ascend");
    le[4] = 1;
    ok(ngx_canary_state_encode(&in, NULL, 0) == 0, "not others");
    memset(le, 0, NGX_CANARY_HISTORY_LE * sizeof(le[0]));
}


static void
history(void)
{
    no_history();

    number(in_history.names[0].len, NGX_CANARY_SAVED_NAME);
    number(in_history.names[7].len, NGX_CANARY_SAVED_NAME);
    in_history.names[1].len = 1;

    history_rules();
    history_points(&in_history.series[0]);
    history_points(&in_history.series[1]);
    history_limits(&in_history.series[0]);
    history_thresholds(&in_history.series[0]);
    history_buckets(&in_history.series[0]);
}


int
main(void)
{
    in.events = in_events;

    split_fields();
    canaries();
    journal();
    variants();
    events();
    judge();
    history();

    return tap_done();
}
