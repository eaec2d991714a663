/*
 * A step of the window tells which buckets it knows.  Where a slot of the ring
 * is used again, after its variant's counters began anew, it knows nothing of
 * the buckets that were set before.
 */

#include "step.h"


static size_t  first, last;             /* buckets that are set */


void
ngx_canary_sum(ngx_canary_zone_t *z, ngx_uint_t slot, ngx_canary_sum_t *sum)
{
    size_t  b;

    (void) z;

    memset(sum, 0, sizeof(*sum));
    sum->from = first;
    sum->to = last;
    sum->cell.counts.sum_us = now_us;

    for (b = first; b <= last; b++) {
        sum->cell.hist[b] = b + slot;
    }
}


/* of all steps of the ring, those that do not know just these buckets */

static size_t
wrong(void)
{
    size_t                   i, b, n;
    ngx_canary_step_cell_t  *cell;

    n = 0;

    for (i = 0; i < NGX_CANARY_STEPS; i++) {
        cell = &zone->ring[i].cells[1];

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
        ngx_canary_step_add(zone, 10 * SECOND, 0);
    }
}


int
main(void)
{
    step_begin();
    zone->slots[1].used = 1;

    first = 5;
    last = 2000;
    ngx_canary_step_add(zone, 10 * SECOND, 0);
    is_u64(zone->steps.next, 0, "the first one is the master's");
    ngx_canary_step_add(zone, 10 * SECOND, 1);
    now_us += 100 * SECOND;
    ngx_canary_step_add(zone, 10 * SECOND, 1);
    is_u64(zone->steps.next, 1, "and none but the first");
    round_of_the_ring();
    is_u64(wrong(), 0, "a variant with many buckets");

    first = 700;
    last = 720;
    round_of_the_ring();
    is_u64(wrong(), 0, "another one with few, in its slot");

    first = 0;
    last = NGX_CANARY_HIST_BUCKETS - 1;
    round_of_the_ring();
    is_u64(wrong(), 0, "all of them");

    free(zone);

    return tap_done();
}
