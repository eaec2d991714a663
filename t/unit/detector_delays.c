/*
 * How long faults last until they are found, in the median of 200 runs: at most
 * a tenth more than the goals that the method was chosen by.  One row of each
 * kind; "scripts/bench delays" has all of them.
 */

#include "driver/delays.h"

#include "tap.h"


int
main(void)
{
    static const struct {
        size_t  row;
        size_t  fault;
    } chosen[] = {
        { 1, 0 }, { 1, 4 }, { 2, 1 }, { 3, 1 }, { 5, 1 }, { 6, 1 }, { 10, 0 }
    };

    size_t               i;
    double               share, goal;
    delays_t             d;
    const delays_row_t  *row;

    for (i = 0; i < sizeof(chosen) / sizeof(chosen[0]); i++) {
        row = &delays_rows[chosen[i].row];
        share = row->faults[chosen[i].fault];
        goal = row->goals[chosen[i].fault];

        d = delays_simulate(row, share);

        ok(d.median <= goal * 1.1 + 0.5, "%s, %g%% more: %.0f s of %.0f",
           row->name, share * 100, d.median, goal);
    }

    return tap_done();
}
