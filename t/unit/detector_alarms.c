/*
 * The promise, for traffic that keeps the limit: a cell of each kind for a gate
 * of each type, at 10 requests/s of the canary, and in a ramp.  All cells are
 * run by "scripts/dev/bench matrix".
 */

#include "driver/cells.h"

#include "tap.h"


#define RATE  10


/* the last of the kind, whose bursts are the longest that are covered */

static const cells_cell_t *
chosen(const cells_t *all, cells_group_e group, size_t gate, int ramp)
{
    size_t               i;
    const cells_cell_t  *cell, *found;

    found = NULL;

    for (i = 0; i < all->n; i++) {
        cell = &all->cells[i];

        if (cell->group == group && cell->gate == gate && cell->covered
            && cell->alarms.rate == RATE
            && (cell->alarms.ramp != NULL) == ramp)
        {
            found = cell;
        }
    }

    return found;
}


static void
check(const cells_cell_t *cell)
{
    unsigned  found;

    found = cells_count(cell, 0);

    if (alarms_beyond(found, cell->promised)) {
        found = cells_count(cell, 1);

        ok(!alarms_beyond(found, cell->promised * CELLS_AGAIN),
           "%s: %u alarms, promised %g", cell->name, found,
           cell->promised * CELLS_AGAIN);
        return;
    }

    ok(1, "%s: %u alarms, promised %g", cell->name, found, cell->promised);
}


/* what an alarm is, and what is beyond: both sides of the bound */

static void
bounds(void)
{
    ok(fabs(alarms_lower(5) - 1.9701) < 1e-3
       && fabs(alarms_lower(10) - 5.4254) < 1e-3,
       "lower bounds of a Poisson count, as tables have them");
    ok(!alarms_beyond(10, 5.5) && alarms_beyond(11, 5.5),
       "11 alarms are more than chance makes of 5.5");
}


int
main(void)
{
    size_t               gate;
    cells_t             *all;
    cells_group_e        group;
    const cells_cell_t  *cell;

    bounds();
    all = cells_make();

    for (group = CELLS_CHANCE; group < CELLS_GROUPS; group++) {
        for (gate = 0; gate < CELLS_GATES; gate++) {
            cell = chosen(all, group, gate, 0);

            if (ok(cell != NULL, "%s: a cell", cells_groups[group])) {
                check(cell);
            }
        }
    }

    for (gate = 0; gate < CELLS_GATES; gate++) {
        check(chosen(all, CELLS_ANEW, gate, 1));
    }

    free(all);

    return tap_done();
}
