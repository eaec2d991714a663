/* Prints how long the detector takes to find a fault, simulated. */

#include "delays.h"


int
main(void)
{
    int       relative;
    char      name[32], cell[DELAYS_RATES][32];
    size_t    i, k;
    delays_t  delays;

    printf("a fault                    delay, median / 95th percentile, s\n");
    printf("%-26s %18s %18s\n", "", "6.25 requests/s", "100 requests/s");

    for (relative = 0; relative < 2; relative++) {
        for (i = 0; i < DELAYS_FAULTS; i++) {

            /* 1.5 times the baseline is within a margin of 50% */

            if (relative && delays_faults[i] <= 1 + DELAYS_MARGIN) {
                continue;
            }

            for (k = 0; k < DELAYS_RATES; k++) {
                delays = delays_simulate(relative, delays_rates[k],
                                         delays_faults[i], 1);
                snprintf(cell[k], sizeof(cell[k]), "%.0f / %.0f",
                         delays.median, delays.p95);
            }

            snprintf(name, sizeof(name), "%g times the %s", delays_faults[i],
                     relative ? "baseline" : "limit");
            printf("%-26s %18s %18s\n", name, cell[0], cell[1]);
        }
    }

    return 0;
}
