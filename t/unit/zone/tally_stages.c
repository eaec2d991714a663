/*
 * What a tally says of a variant is what was counted: over all shards, since a
 * stage began, and since a step; the extremes of each stage are its own, and
 * those of all time are never lost.  A slot that is cleared has nothing.
 */

#include "../../../src/zone/ngx_canary_tally.c"

#include "../tap.h"


#define SHARDS   3
#define SLOTS    NGX_CANARY_MAX_VARIANTS
#define VALUES   4000
#define STAGES   9


typedef struct {
    uint64_t            values[VALUES];
    size_t              n;
    uint64_t            counts[NGX_CANARY_TALLY];
} oracle_t;


static ngx_canary_tally_t  *tally;
static ngx_canary_sum_t     sum;
/* in all, of the stage, and of what came since the step */
static oracle_t             total[SLOTS], stage[SLOTS], step[SLOTS];
static ngx_uint_t           base;
static uint64_t             seed = 20261201;
static uint64_t             now_us = 7;


uint64_t
ngx_canary_now_us(void)
{
    return now_us;
}


static uint64_t
some(uint64_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;

    return (seed >> 33) % below;
}


static void
note(oracle_t *o, uint64_t value, size_t counter)
{
    o->values[o->n++] = value;
    o->counts[counter]++;
    o->counts[NGX_CANARY_COUNT_ABORTED] += counter >= NGX_CANARY_TALLY_LATE;
    o->counts[NGX_CANARY_TALLY_SUM] += value;
}


static void
count(void)
{
    size_t              k, v, counter;
    uint64_t            value;
    ngx_canary_cell_t  *cell;

    for (k = 0; k < 150; k++) {
        v = some(SLOTS);
        value = some(10) ? 100 + some(900000) : some(3000000000u);
        counter = some(NGX_CANARY_TALLY_SUM);

        cell = ngx_canary_tally_cell(tally, some(SHARDS), v);

        ngx_canary_tally_value(cell, base, value);
        ngx_canary_add(&cell->counts.n[counter], 1);

        /* late is who gives up */

        if (counter >= NGX_CANARY_TALLY_LATE) {
            ngx_canary_add(&cell->counts.n[NGX_CANARY_COUNT_ABORTED], 1);
        }

        ngx_canary_add(&cell->counts.n[NGX_CANARY_TALLY_SUM], value);

        note(&total[v], value, counter);
        note(&stage[v], value, counter);
        note(&step[v], value, counter);
    }
}


/* of all slots, the buckets and counters that are not those of the oracle */

static size_t
wrong(const oracle_t *o, const uint64_t *n, const uint64_t *hist, size_t from,
    size_t to)
{
    size_t    i, bad;
    uint64_t  expected[NGX_CANARY_HIST_BUCKETS];

    bad = 0;
    memset(expected, 0, sizeof(expected));

    for (i = 0; i < o->n; i++) {
        expected[ngx_canary_hist_index(o->values[i])]++;
    }

    for (i = 0; i < NGX_CANARY_HIST_BUCKETS; i++) {
        bad += (i < from || i > to) ? expected[i] != 0
                                    : expected[i] != hist[i];
    }

    for (i = 0; i < NGX_CANARY_TALLY; i++) {
        bad += n[i] != o->counts[i];
    }

    return bad;
}


static uint64_t
greatest(const oracle_t *o, uint64_t flip)
{
    size_t    i;
    uint64_t  value, most;

    most = 0;

    for (i = 0; i < o->n; i++) {
        value = flip ? flip - o->values[i] : o->values[i];
        most = ngx_max(most, value);
    }

    return most;
}


static size_t
totals(void)
{
    size_t  v, bad;

    bad = 0;

    for (v = 0; v < SLOTS; v++) {
        memset(&sum, 0xff, sizeof(sum));
        ngx_canary_tally_sum(tally, v, &sum);

        bad += wrong(&total[v], sum.cell.counts.n, sum.cell.hist, sum.from,
                     sum.to);
        bad += sum.past_max != greatest(&total[v], 0);
        bad += sum.past_low != greatest(&total[v], UINT64_MAX);
        bad += sum.cell.max[base] != greatest(&stage[v], 0);
        bad += sum.cell.low[base] != greatest(&stage[v], UINT64_MAX);
    }

    return bad;
}


/* total less the base, or less the step, against what came since */

static size_t
differences(size_t at)
{
    size_t                   v, i, b, n[2], bad;
    uint64_t                 grown, sums[2];
    ngx_canary_step_cell_t  *cell;

    bad = 0;

    for (v = 0; v < SLOTS; v++) {
        ngx_canary_tally_sum(tally, v, &sum);
        cell = &tally->steps[at][v];

        for (i = 0; i < NGX_CANARY_TALLY; i++) {
            bad += sum.cell.counts.n[i]
                   - tally->base[base][v].counts.n[i] != stage[v].counts[i];
            bad += sum.cell.counts.n[i] - cell->counts.n[i]
                   != step[v].counts[i];
        }

        memset(n, 0, sizeof(n));
        memset(sums, 0, sizeof(sums));

        for (b = sum.from; b <= sum.to; b++) {
            grown = sum.cell.hist[b] - tally->base[base][v].hist[b];
            n[0] += grown;
            sums[0] += grown * (b + 1);

            grown = sum.cell.hist[b];
            grown -= (b >= cell->from && b <= cell->to) ? cell->hist[b] : 0;
            n[1] += grown;
            sums[1] += grown * (b + 1);
        }

        for (i = 0; i < stage[v].n; i++) {
            sums[0] -= ngx_canary_hist_index(stage[v].values[i]) + 1;
        }

        for (i = 0; i < step[v].n; i++) {
            sums[1] -= ngx_canary_hist_index(step[v].values[i]) + 1;
        }

        bad += n[0] != stage[v].n || n[1] != step[v].n;
        bad += sums[0] != 0 || sums[1] != 0;
    }

    return bad;
}


static void
cleared(ngx_uint_t slot)
{
    size_t  i, bad;

    now_us = 99;
    ngx_canary_tally_clear(tally, slot);
    memset(&total[slot], 0, sizeof(oracle_t));
    memset(&stage[slot], 0, sizeof(oracle_t));
    memset(&step[slot], 0, sizeof(oracle_t));

    ngx_canary_tally_sum(tally, slot, &sum);
    bad = 0;

    for (i = 0; i < NGX_CANARY_TALLY; i++) {
        bad += sum.cell.counts.n[i] != 0;
    }

    for (i = 0; i < NGX_CANARY_BASES; i++) {
        bad += sum.cell.max[i] != 0 || sum.cell.low[i] != 0;
        bad += tally->base[i][slot].counts.n[0] != 0;
        bad += tally->base[i][slot].hist[0] != 0;
    }

    is_u64(bad, 0, "a slot that is cleared has counted nothing");
    ok(sum.past_max == 0 && sum.past_low == 0, "and no extremes");
    is_u64(tally->since_us[slot], 99, "its steps are older than this");
    is_u64(totals(), 0, "the others have what they had");

    count();
    is_u64(totals(), 0, "and it begins from nothing");
}


int
main(void)
{
    size_t  v, k, at;

    tally = calloc(1, sizeof(ngx_canary_tally_t)
                      + SHARDS * SLOTS * sizeof(ngx_canary_cell_t));
    if (tally == NULL) {
        return 2;
    }

    ngx_canary_tally_place(tally, (ngx_canary_cell_t *) (tally + 1),
                           SLOTS * sizeof(ngx_canary_cell_t), SHARDS);

    is_u64(totals(), 0, "nothing yet");

    for (k = 0; k < STAGES; k++) {
        at = k % NGX_CANARY_STEPS;
        count();

        for (v = 0; v < SLOTS; v++) {
            memset(&step[v], 0, sizeof(oracle_t));
            ngx_canary_tally_step(tally, v, at, &sum);
        }

        count();
        is_u64(totals(), 0, "totals, and extremes of the stage");
        is_u64(k ? differences(at) : 0, 0,
               "what they grew by since stage and step");

        base = (base + 1) % NGX_CANARY_BASES;

        for (v = 0; v < SLOTS; v++) {
            memset(&stage[v], 0, sizeof(oracle_t));
            ngx_canary_tally_base(tally, v, base, &sum);
        }

        is_u64(totals(), 0, "a new stage has no extremes, all time has");
    }

    cleared(0);
    cleared(5);
    cleared(SLOTS - 1);

    free(tally);

    return tap_done();
}
