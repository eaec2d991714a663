/*
 * A step of the window tells which buckets it knows.  Where a slot of the ring
 * is used again, after its variant's counters began anew, it knows nothing of
 * the buckets that were set before.
 */

#include "../../../src/zone/ngx_canary_tally.c"

#include "step.h"


static size_t  first, last;             /* buckets that are set */


/* the variant's counters begin anew, with these buckets */

static void
count(size_t from, size_t to)
{
    size_t              b;
    ngx_canary_cell_t  *cell;

    ngx_canary_tally_clear(&zone->requests, 1);

    first = from;
    last = to;
    cell = &zone->shards[0].variants[1];

    for (b = from; b <= to; b++) {
        cell->counts.n[NGX_CANARY_COUNT_2XX] += b + 1;
        cell->hist[b] = b + 1;
    }

    cell->max[0] = ngx_canary_hist_upper(to - 1) + 1;
    cell->low[0] = UINT64_MAX - (from ? ngx_canary_hist_upper(from) : 0);
}


/* of all steps of the ring, those that do not know just these buckets */

static size_t
wrong(void)
{
    size_t                   i, b, n;
    ngx_canary_step_cell_t  *cell;

    n = 0;

    for (i = 0; i < NGX_CANARY_STEPS; i++) {
        cell = &zone->requests.steps[i][1];

        for (b = first; b <= last; b++) {
            n += cell->hist[b] != b + 1;
        }

        n += cell->from != first || cell->to != last;
    }

    return n;
}


static void
round_of_the_ring(void)
{
    size_t  i;

    for (i = 0; i < NGX_CANARY_STEPS; i++) {
        now_us += SECOND;
        ngx_canary_step_add(zone, NULL, 10 * SECOND, 0);
    }
}


int
main(void)
{
    step_begin();
    ngx_canary_shards_init(zone, 1);
    zone->slots[1].used = 1;

    count(5, 2000);
    ngx_canary_step_add(zone, NULL, 10 * SECOND, 0);
    is_u64(zone->steps.next, 0, "the first one is the master's");
    ngx_canary_step_add(zone, NULL, 10 * SECOND, 1);
    now_us += 100 * SECOND;
    ngx_canary_step_add(zone, NULL, 10 * SECOND, 1);
    is_u64(zone->steps.next, 1, "and none but the first");
    round_of_the_ring();
    is_u64(wrong(), 0, "a variant with many buckets");

    count(700, 720);
    round_of_the_ring();
    is_u64(wrong(), 0, "another one with few, in its slot");

    count(0, NGX_CANARY_HIST_BUCKETS - 1);
    round_of_the_ring();
    is_u64(wrong(), 0, "all of them");

    free(zone);

    return tap_done();
}
