/*
 * Prints how long the detector takes to find a fault, simulated.  Exits with 1
 * if a median is more than a tenth beyond its goal.
 */

#include "delays.h"


#define DELAYS_MARGIN  1.1


int
main(void)
{
    int                  missed;
    size_t               i, k;
    delays_t             d;
    const delays_row_t  *row;

    missed = 0;

    printf("%-34s %8s %14s %8s\n", "a fault, on top of 0.3 of the limit",
           "share", "median / p95", "goal");

    for (i = 0; i < DELAYS_ROWS; i++) {
        row = &delays_rows[i];

        for (k = 0; k < DELAYS_FAULTS && row->faults[k] > 0; k++) {
            d = delays_simulate(row, row->faults[k]);

            /* half a tick is what a median of so few can be off */

            missed += d.median > row->goals[k] * DELAYS_MARGIN + 0.5;

            printf("%-34s %7.3g%% %6.0f / %5.0f %8.0f%s\n",
                   k ? "" : row->name, row->faults[k] * 100, d.median, d.p95,
                   row->goals[k],
                   d.median > row->goals[k] * DELAYS_MARGIN + 0.5
                   ? "  MISSED" : "");
            fflush(stdout);
        }
    }

    return missed ? 1 : 0;
}
