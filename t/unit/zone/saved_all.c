/*
 * Shared memory goes through a state: what is given into new memory is taken
 * out of it again, each field as it was; what several shards count is added
 * up; the base is that of the stage in force; a ring of points is taken from
 * its oldest on.
 */

#include "../../../src/zone/ngx_canary_journal.c"
#include "../../../src/zone/ngx_canary_latch.c"
#include "../../../src/zone/ngx_canary_saved.c"
#include "../../../src/zone/ngx_canary_saved_events.c"
#include "../../../src/zone/ngx_canary_saved_history.c"
#include "../../../src/zone/ngx_canary_saved_judge.c"
#include "../../../src/zone/ngx_canary_tally.c"

#include "../saved.h"
#include "../tap.h"


#define NOW_US   (NGX_CANARY_EPOCH_US + 7)
#define NOW_MS   1763845800123u
#define SHARDS   3


static ngx_canary_zone_t           *zone;
static ngx_canary_events_t         *counted;
static ngx_canary_series_zone_t    *history;
static ngx_canary_event_plan_t      plan;
static ngx_canary_saved_t           in, out;
static ngx_canary_saved_event_t     in_events[2];
static ngx_canary_saved_history_t   in_history, out_history;


uint64_t
ngx_canary_now_us(void)
{
    return NOW_US;
}


uint64_t
ngx_canary_now_ms(void)
{
    return NOW_MS;
}


void *
ngx_canary_keep_alloc(size_t size)
{
    return calloc(1, size);
}


void *
ngx_pnalloc(ngx_pool_t *pool, size_t size)
{
    (void) pool;

    return malloc(size);
}


uint64_t
ngx_canary_published(ngx_canary_zone_t *z, ngx_canary_record_t *record)
{
    if (z->published) {
        *record = z->records[ngx_canary_record_at(z->published)];

    } else {
        memset(record, 0, sizeof(*record));
    }

    return z->published;
}


ngx_uint_t
ngx_canary_judged_is_of(ngx_canary_zone_t *z, const ngx_canary_seen_t *seen,
    ngx_uint_t slot)
{
    return seen->ready == 1 + z->requests.since_us[slot];
}


uint64_t
ngx_canary_events_sum(ngx_canary_events_t *events, ngx_uint_t event,
    ngx_uint_t slot)
{
    return events->shards[0][event][slot] + events->shards[1][event][slot];
}


ngx_uint_t
ngx_canary_events_index(ngx_canary_event_plan_t *p,
    ngx_canary_event_slot_t *slot)
{
    ngx_uint_t  i;

    for (i = 0; i < p->nall; i++) {
        if (p->names[i].name.len == slot->len
            && memcmp(p->names[i].name.data, slot->data, slot->len) == 0)
        {
            break;
        }
    }

    return i;
}


static void *
memory(size_t size)
{
    void  *p;

    p = calloc(1, size);
    if (p == NULL) {
        abort();
    }

    return p;
}


/* as after a start; only some of the names have values, or users */

static void
begin(ngx_uint_t values, ngx_uint_t users)
{
    ngx_uint_t  i;

    static ngx_str_t  names[] = {
        ngx_string("other"), ngx_string("download"), ngx_string("upload")
    };

    zone = memory(offsetof(ngx_canary_zone_t, shards)
                  + SHARDS * sizeof(ngx_canary_shard_t));
    history = memory(sizeof(ngx_canary_series_zone_t));
    counted = memory(offsetof(ngx_canary_events_t, shards)
                     + 2 * sizeof(ngx_canary_event_counts_t));

    ngx_canary_shards_init(zone, SHARDS);

    memset(&plan, 0, sizeof(plan));
    plan.events = counted;
    plan.nnames = 3;
    plan.nall = 3;

    for (i = 0; i < 3; i++) {
        plan.names[i].name = names[i];

        if (values & (1u << i)) {
            plan.values[i] = memory(sizeof(ngx_canary_values_t));
            ngx_canary_tally_place(&plan.values[i]->tally,
                                   plan.values[i]->cells, 0, 1);
        }

        if (users & (1u << i)) {
            plan.users[i] = memory(sizeof(ngx_canary_users_t));
        }
    }
}


static void
end(void)
{
    ngx_uint_t  i;

    for (i = 0; i < 3; i++) {
        free(plan.values[i]);
        free(plan.users[i]);
    }

    free(out.events);
    out.events = NULL;
    free(counted);
    free(history);
    free(zone);
}


/* each bucket that is set lies between the extremes */

static void
extremes(ngx_canary_saved_tally_t *total, ngx_canary_saved_tally_t *base)
{
    total->low = UINT64_MAX;
    total->max = (uint64_t) 3000000000u + saved_next++;
    base->low = UINT64_MAX - saved_next++;
    base->max = (uint64_t) 2000000000u + saved_next++;
}


static void
fill_history(void)
{
    size_t                     s, v, i, k;
    ngx_canary_saved_series_t *series;
    ngx_canary_point_counts_t *counts;

    memset(&in_history, 0, sizeof(in_history));
    saved_name(&in_history.names[0], "documents");
    saved_name(&in_history.names[1], "sliceB");
    saved_name(&in_history.names[7], "sliceC");
    in_history.rules[0] = saved_next++;
    in_history.rules[5] = saved_next++;
    in_history.rules[NGX_CANARY_MAX_RULES - 1] = saved_next++;

    for (s = 0; s < NGX_CANARY_SERIES; s++) {
        series = &in_history.series[s];
        series->npoints = s ? 17 : NGX_CANARY_HISTORY_POINTS;
        series->shift = s ? 5 : 0;
        series->stage_ms = saved_next++;

        for (i = 0; i < series->npoints; i++) {
            series->points[i].start_ms = saved_next++;
            series->points[i].length_ms = saved_next++;
            series->points[i].generation = saved_next++;
            series->points[i].limits_us[0] = saved_next++;
            series->points[i].limits_us[NGX_CANARY_HISTORY_LIMITS - 1] =
                saved_next++;

            for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {

                if (in_history.names[v].len == 0) {
                    continue;
                }

                counts = &series->counts[v][i];
                series->points[i].share_ppm[v] = (uint32_t) saved_next++;
                counts->requests = (uint32_t) saved_next++;
                counts->errors = (uint32_t) saved_next++;
                counts->samples = (uint32_t) saved_next++;
                counts->count = (uint32_t) saved_next++;
                counts->limits[0] = (uint32_t) saved_next++;

                for (k = 0; k < NGX_CANARY_HISTORY_LE; k++) {
                    counts->le[k] = (uint32_t) saved_next++;
                }

                for (k = 0; k < NGX_CANARY_MAX_RULES; k++) {
                    if (in_history.rules[k]) {
                        series->gates[k][v][i].evidence =
                            (uint16_t) saved_next++;
                        series->gates[k][v][i].threshold =
                            (uint16_t) saved_next++;
                    }
                }
            }
        }
    }
}


static void
fill(void)
{
    size_t  i, v;

    memset(&in, 0, sizeof(in));
    memset(in_events, 0, sizeof(in_events));
    saved_fill(&in, in_events);

    saved_variant(&in.variants[7], "sliceD");
    in.variants[7].used = 1;

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {

        if (in.variants[v].used) {
            extremes(&in.variants[v].total, &in.variants[v].base);
        }

        for (i = 0; i < 2; i++) {
            if (in_events[i].figures[v].total.n[NGX_CANARY_EVENT_COUNT]) {
                extremes(&in_events[i].figures[v].total,
                         &in_events[i].figures[v].base);
            }
        }
    }

    fill_history();
}


static void
give(void)
{
    static ngx_canary_saved_event_t  events[2];

    /* what is given is used up */

    memcpy(events, in_events, sizeof(events));
    in.events = events;

    ngx_canary_saved_give(zone, &in);
    ngx_canary_saved_events_give(&plan, &in);
    ngx_canary_given_history(history, &in_history);

    in.events = in_events;
    zone->keep.run = in.run;
}


static void
take(void)
{
    memset(&out, 0, sizeof(out));
    memset(&out_history, 0, sizeof(out_history));

    ngx_canary_saved_take(zone, &out);

    if (ngx_canary_saved_events_take(&plan,
                                     ngx_canary_base_at(zone->published), &out)
        != NGX_OK)
    {
        abort();
    }

    ngx_canary_saved_history(history, &out_history);
}


#define same(a, b)  (memcmp(&(a), &(b), sizeof(a)) == 0)


static int
same_split(void)
{
    return out.run == in.run
           && out.created_ms == in.created_ms
           && out.elapsed_us == in.elapsed_us
           && out.unkeyed == in.unkeyed
           && out.base_unkeyed == in.base_unkeyed
           && out.bypassed == in.bypassed
           && same(out.rollbacks, in.rollbacks)
           && same(out.limits_us, in.limits_us);
}


static int
same_latch(void)
{
    return out.latched == in.latched
           && out.latch_ms == in.latch_ms
           && out.cause == in.cause
           && same(out.reason, in.reason);
}


static int
same_record(void)
{
    return out.generation == in.generation
           && out.loaded_ms == in.loaded_ms
           && out.stage_start_ms == in.stage_start_ms
           && out.stage_elapsed_us == in.stage_elapsed_us
           && same(out.stage, in.stage)
           && out.ncanaries == in.ncanaries
           && same(out.canaries, in.canaries);
}


static void
all_fields(void)
{
    size_t  i;

    begin(6, 6);
    give();
    take();

    ok(same_split(), "the split itself");
    ok(same_latch(), "why it is rolled back");
    ok(same_record(), "what is published");
    ok(out.njournal == in.njournal && same(out.journal, in.journal),
       "the journal");
    ok(same(out.judge, in.judge), "what the gates have seen");

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        ok(same(out.variants[i], in.variants[i]), "variant %zu", i);
    }

    ok(out.nevents == 2 && same(out.events[0], in_events[0])
       && same(out.events[1], in_events[1]),
       "events");
    ok(same(out_history, in_history), "the history");

    /* not in any file, but so that the next one is another */

    ok(zone->latches == zone->latch && zone->latch == 1,
       "the next rollback has another ticket");
    is_u64(counted->naming, 1, "workers look for the names of events");
    is_u64(ngx_canary_number(zone->published), 1, "a word is in force");
    ok(ngx_canary_base_at(zone->published)
       != ngx_canary_spare_at(zone->published),
       "and the master has a base to fill");

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        if (history->names[i].used != (in_history.names[i].len != 0)) {
            break;
        }
    }

    is_u64(i, NGX_CANARY_MAX_VARIANTS, "columns with a name are in use");

    for (i = 0; i < NGX_CANARY_MAX_RULES; i++) {
        if (history->rules[i].used_us != (in_history.rules[i] != 0)) {
            break;
        }
    }

    is_u64(i, NGX_CANARY_MAX_RULES, "and so are those of rules");
    is_u64(ngx_canary_series_row(history->series[1].word), 1,
           "the stage's points are in a row of their own");

    end();
}


static void
nothing(void)
{
    size_t  i;

    begin(6, 6);
    memset(&in, 0, sizeof(in));
    in.events = in_events;
    zone->limits_us[0] = 9;
    give();
    take();

    ok(zone->published == 0 && zone->latch == 0, "nothing was published");
    ok(out.latched == 0 && out.nevents == 0 && out.njournal == 0
       && out.generation == 0,
       "nor is there anything to keep");

    for (i = 0; i < NGX_CANARY_MAX_EVENTS; i++) {
        if (counted->slots[i].used) {
            break;
        }
    }

    is_u64(i, NGX_CANARY_MAX_EVENTS, "no event has a name");
    end();
}


/* what more is counted goes to other shards, and another stage begins */

static void
more(ngx_canary_tally_t *tally, ngx_uint_t slot, ngx_uint_t shard,
    ngx_canary_saved_tally_t *total, ngx_canary_saved_tally_t *base)
{
    size_t              i;
    ngx_canary_cell_t  *cell;

    cell = ngx_canary_tally_cell(tally, shard, slot);

    for (i = 0; i < NGX_CANARY_TALLY; i++) {
        cell->counts.n[i] += 3 + i + slot;
        total->n[i] += 3 + i + slot;
        tally->base[2][slot].counts.n[i] = 100 + i + slot;
        base->n[i] = 100 + i + slot;
    }

    memset(base->hist, 0, sizeof(base->hist));
    base->hist[77] = 5 + slot;
    tally->base[2][slot].hist[77] = 5 + slot;
    cell->hist[77] += 6;
    total->hist[77] += 6;

    base->max = total->max + 1 + slot;
    base->low = UINT64_MAX - 2 - slot;
    cell->max[2] = base->max;
    cell->low[2] = base->low;
    total->max = base->max;
}


static void
another_base(void)
{
    size_t                       i, v, k;
    ngx_canary_saved_figures_t  *f;

    fill();
    begin(6, 6);
    give();

    zone->published = ngx_canary_word(9, 1, 0, 2);
    zone->records[1] = zone->records[0];
    zone->stages[2].start_ms = 77;
    zone->stages[2].start_us = NOW_US - 88;
    zone->base_unkeyed[2] = 99;
    in.stage_start_ms = 77;
    in.stage_elapsed_us = 88;
    in.base_unkeyed = 99;

    zone->shards[1].unkeyed = 5;
    zone->shards[2].unkeyed = 6;
    zone->shards[1].bypassed = 7;
    zone->shards[2].bypassed = 9;
    in.unkeyed += 11;
    in.bypassed += 16;

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
        if (in.variants[v].used) {
            more(&zone->requests, v, 1 + v % 2, &in.variants[v].total,
                 &in.variants[v].base);
        }

        for (i = 0; i < 2; i++) {
            f = &in_events[i].figures[v];

            if (f->total.n[NGX_CANARY_EVENT_COUNT] == 0) {
                continue;
            }

            k = i ? 1 : 2;
            counted->shards[1][i][v] = 50;
            counted->base[2][i][v] = 60 + v;
            plan.users[k]->stage[2][v][9] = 3;
            memset(f->base.sketch, 0, sizeof(f->base.sketch));
            f->base.sketch[9] = 3;

            more(&plan.values[k]->tally, v, 0, &f->total, &f->base);

            f->total.n[NGX_CANARY_EVENT_COUNT] += 50 - 3 - v;
            f->base.n[NGX_CANARY_EVENT_COUNT] = 60 + v;
        }
    }

    take();
    ok(same_split(), "all shards of the split");
    ok(same_record(), "the stage in force");

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
        ok(same(out.variants[v], in.variants[v]), "all of variant %zu", v);
    }

    for (i = 0; i < 2; i++) {
        for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {

            /* the place of its count is not the values' */

            for (k = NGX_CANARY_EVENT_COUNTS; k < NGX_CANARY_TALLY; k++) {
                out.events[i].figures[v].total.n[k] = 0;
                out.events[i].figures[v].base.n[k] = 0;
                in_events[i].figures[v].total.n[k] = 0;
                in_events[i].figures[v].base.n[k] = 0;
            }

            ok(same(out.events[i].figures[v], in_events[i].figures[v]),
               "all of event %zu on %zu", i, v);
        }
    }

    end();
}


/* without values, or users, only how often it was counted is kept */

static void
fewer_parts(void)
{
    ngx_canary_saved_figures_t  *f, *g;

    fill();
    begin(2, 4);
    give();
    take();

    /* "upload" has users alone, "download" values alone */

    f = &out.events[0].figures[3];
    g = &in_events[0].figures[3];
    ok(f->total.n[NGX_CANARY_EVENT_COUNT]
       == g->total.n[NGX_CANARY_EVENT_COUNT]
       && f->base.n[NGX_CANARY_EVENT_COUNT]
          == g->base.n[NGX_CANARY_EVENT_COUNT]
       && f->elapsed_us == g->elapsed_us,
       "counts are kept");
    ok(f->total.n[NGX_CANARY_EVENT_VALUES] == 0 && f->total.low == 0
       && f->last == 0,
       "values without a place are not");
    ok(same(f->total.sketch, g->total.sketch)
       && same(f->base.sketch, g->base.sketch),
       "users are");

    f = &out.events[1].figures[6];
    g = &in_events[1].figures[6];
    ok(f->total.n[NGX_CANARY_EVENT_SUM_LOW]
       == g->total.n[NGX_CANARY_EVENT_SUM_LOW]
       && same(f->total.hist, g->total.hist) && f->last == g->last
       && f->total.max == g->total.max,
       "the other way round values are kept");
    ok(f->total.sketch[7] == 0, "and users are not");

    /* memory with names is newer than any file */

    counted->shards[0][0][0] = 12345;
    give();
    is_u64(counted->shards[0][0][0], 12345, "names that are there stay");
    end();
}


/* a name in one place alone; a user in one place of the sketch */

static void
one_name(ngx_uint_t place)
{
    size_t  at;

    static ngx_canary_saved_event_t  event;

    begin(0, 7);
    counted->slots[place].used = 7;
    give();
    ok(counted->slots[place].len == 0 && counted->naming == 0,
       "a name in place %u: nothing is given", (unsigned) place);

    counted->slots[place].len = 6;
    memcpy(counted->slots[place].data, "upload", 6);
    counted->shards[1][place][2] = 8;
    counted->since_us[place][2] = NOW_US - 5;
    take();
    ok(out.nevents == 1 && out.events[0].used == 7
       && out.events[0].figures[2].total.n[NGX_CANARY_EVENT_COUNT] == 8
       && out.events[0].figures[2].elapsed_us == 5,
       "and that one is taken");
    end();

    begin(0, 7);
    memset(&event, 0, sizeof(event));
    at = place ? NGX_CANARY_SAVED_SKETCH - 1 : 0;
    event.used = 3;
    saved_name(&event.name, "upload");
    event.figures[2].total.n[NGX_CANARY_EVENT_COUNT] = 1;
    event.figures[2].total.sketch[at] = 4;
    event.figures[4].total.n[NGX_CANARY_EVENT_COUNT] = 1;
    in.nevents = 1;
    in.events = &event;
    ngx_canary_saved_events_give(&plan, &in);
    ok(plan.users[2]->used[2] == 1 && plan.users[2]->total[2][at] == 4,
       "users with one register");
    ok(plan.users[2]->used[4] == 0 && plan.users[2]->used[3] == 0,
       "where there are none it says so");
    ok(counted->since_us[0][3] == 0 && counted->since_us[0][4] == NOW_US,
       "what was never counted has no beginning of its own");
    end();
}


/* points that came before the ring was used again, and one that is torn */

static void
wrapped(void)
{
    uint64_t                    n, wrong;
    ngx_canary_series_row_t    *row;
    ngx_canary_saved_series_t  *series;

    begin(0, 0);

    row = &history->rows[2];
    history->names[3].len = 1;
    history->names[3].data[0] = 'x';

    for (n = 0; n < 500; n++) {
        row->points[n % NGX_CANARY_HISTORY_POINTS].mark = n + 1;
        row->points[n % NGX_CANARY_HISTORY_POINTS].point.start_ms = 1000 + n;
        row->points[n % NGX_CANARY_HISTORY_POINTS].point.share_ppm[2] = 1;
        row->counts[3][n % NGX_CANARY_HISTORY_POINTS].le[4] = 7;
        row->counts[3][n % NGX_CANARY_HISTORY_POINTS].le[6] = 9;
    }

    row->points[450 % NGX_CANARY_HISTORY_POINTS].mark = 0;
    history->series[1].bases[1].stage_ms = 31;
    history->series[1].word = ngx_canary_series_word((uint64_t) 5,
                                                     (uint64_t) 3,
                                                     (uint64_t) 2,
                                                     (uint64_t) 1, 500);
    take();

    series = &out_history.series[1];
    wrong = 0;

    for (n = 0; n < series->npoints; n++) {
        wrong += series->points[n].start_ms
                 != 1000 + 140 + n + (n >= 310);
        wrong += series->points[n].share_ppm[2] != 0;
        wrong += series->counts[3][n].le[3] != 0;
        wrong += series->counts[3][n].le[5] != 7;
        wrong += series->counts[3][n].le[NGX_CANARY_HISTORY_LE - 1] != 9;
    }

    is_u64(series->npoints, NGX_CANARY_HISTORY_POINTS - 1,
           "all that the ring holds but the torn one");
    is_u64(wrong, 0, "the oldest first, bounds ascend");
    ok(series->shift == 3 && series->stage_ms == 31, "and what they are of");
    is_u64(out_history.series[0].npoints, 0, "the other series has none");
    end();
}


/* more than the journal holds: the oldest published give way first */

static void
journal(void)
{
    u_char               text[600];
    size_t               i, n;
    ngx_str_t            said;
    ngx_canary_split_t  *split;

    fill();
    begin(0, 0);
    give();

    memset(text, 'a', sizeof(text));
    said.data = text;
    said.len = 5;

    ngx_canary_journal_add(zone, NGX_CANARY_KIND_GATE, &said);
    take();
    ok(out.njournal == 3
       && out.journal[2].number == in.journal[1].number + 1
       && out.journal[2].kind == NGX_CANARY_KIND_GATE
       && out.journal[2].time_ms == NOW_MS
       && out.journal[2].text.len == 5,
       "its numbers go on");

    for (i = 0; i < 70; i++) {
        said.len = i < 35 ? 511 : 512;
        ngx_canary_journal_add(zone, i % 7 == 3 ? NGX_CANARY_KIND_DECISION
                                                : NGX_CANARY_KIND_PUBLISHED,
                               &said);
    }

    take();
    n = 0;

    for (i = 0; i < out.njournal; i++) {
        n += out.journal[i].kind != NGX_CANARY_KIND_PUBLISHED;
        ok(i == 0 || out.journal[i].number > out.journal[i - 1].number,
           "in order");
    }

    is_u64(out.njournal, NGX_CANARY_JOURNAL, "no more than there is room for");
    is_u64(n, 2 + 10, "all of the others");
    is_u64(out.journal[NGX_CANARY_JOURNAL - 1].number,
           in.journal[1].number + 71, "up to the newest");
    is_u64(out.journal[NGX_CANARY_JOURNAL - 1].text.len, NGX_CANARY_MAX_TEXT,
           "a text that is longer is cut");

    /* as a picture has it; and one that is being written is passed over */

    split = memory(sizeof(ngx_canary_split_t));
    zone->journal[1][3].ticket = 0;

    if (ngx_canary_journal_read(zone, split, NULL) != NGX_OK) {
        abort();
    }

    is_u64(split->njournal, NGX_CANARY_JOURNAL - 1, "but for a torn one");
    ok(split->journal[0].event.len == 8
       && memcmp(split->journal[0].event.data, "rollback", 8) == 0
       && split->journal[0].number == in.journal[1].number
       && split->journal[0].time_ms == in.journal[1].time_ms
       && split->journal[0].text.len == in.journal[1].text.len
       && memcmp(split->journal[0].text.data, in.journal[1].text.data,
                 in.journal[1].text.len)
          == 0,
       "the oldest that is left");

    for (i = 0; i < split->njournal; i++) {
        free((void *) (uintptr_t) split->journal[i].text.data);
    }

    free(split);
    end();
}


int
main(void)
{
    fill();
    all_fields();
    nothing();
    another_base();
    fewer_parts();
    one_name(0);
    one_name(NGX_CANARY_MAX_EVENTS - 1);
    wrapped();
    journal();

    return tap_done();
}
