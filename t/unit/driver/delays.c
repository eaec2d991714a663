/*
 * Prints how long faults last until they are found, beside what the method was
 * chosen by; after a month of traffic beside after an hour; and by a fleet.
 * Exits with 1 if one of them takes too long.
 */

#include "month.h"
#include "fleet.h"


static unsigned delays_table(void);
static unsigned delays_months(void);
static unsigned delays_fleet(void);
static unsigned delays_goal(double delay, double most);


int
main(void)
{
    unsigned  missed;

    missed = delays_table();
    missed += delays_months();
    missed += delays_fleet();

    printf("\n%u delays are too long\n", missed);

    return missed ? 1 : 0;
}


static unsigned
delays_table(void)
{
    size_t                i, k;
    unsigned              missed;
    delays_t              d;
    const delays_case_t  *c;

    printf("delays, s, of %u runs       after an hour at 0.3 of the limit\n"
           "%-33s %6s %8s %7s %8s\n", DELAYS_RUNS, "gate, canary requests",
           "fault", "median", "p95", "design");

    missed = 0;

    for (i = 0; i < DELAYS_CASES; i++) {
        c = &delays_cases[i];

        for (k = 0; k < DELAYS_FAULTS && c->fault.of[k] > 0; k++) {
            d = delays_measure(c, k, DELAYS_RUNS);

            printf("%-33s %5g%% %8.1f %7.0f %8.0f  ", k ? "" : c->name,
                   c->fault.of[k] * 100, d.median, d.p95, c->design[k]);
            missed += delays_goal(d.median, c->design[k] * DELAYS_WORSE);
        }
    }

    return missed;
}


static unsigned
delays_months(void)
{
    size_t                i, k;
    unsigned              missed, alarms;
    delays_t              hour[DELAYS_FAULTS], month[DELAYS_FAULTS];
    const delays_case_t  *c;

    printf("\ndelays, last ten days of a month, and after its first hour\n"
           "%-33s %6s %8s %8s %7s\n", "gate, canary requests", "fault",
           "month", "hour", "ratio");

    missed = 0;
    alarms = 0;

    for (i = 0; i < MONTH_CASES; i++) {
        c = &month_cases[i];

        alarms += month_delays(c, 0, hour);
        alarms += month_delays(c, 1, month);

        for (k = 0; k < DELAYS_FAULTS && c->fault.of[k] > 0; k++) {
            printf("%-33s %5g%% %8.1f %8.1f %7.2f  ", k ? "" : c->name,
                   c->fault.of[k] * 100, month[k].median, hour[k].median,
                   month[k].median / hour[k].median);
            missed += delays_goal(month[k].median,
                                  hour[k].median * MONTH_WORSE);
        }
    }

    printf("%u alarms in the good time before\n", alarms);

    return missed;
}


static unsigned
delays_fleet(void)
{
    unsigned  missed;
    delays_t  pooled, alone;

    pooled = fleet_delay(FLEET_MACHINES);
    alone = fleet_delay(1);

    printf("\na fleet of %u, 5/s each, error_rate <= 1%%, a fault of 4%%\n"
           "%-40s %8.1f %7.0f %8.0f  ", FLEET_MACHINES, "the sum of all",
           pooled.median, pooled.p95, FLEET_POOLED);
    missed = delays_goal(pooled.median, FLEET_POOLED * DELAYS_WORSE);

    printf("%-40s %8.1f %7.0f %8.0f  ", "one machine by itself", alone.median,
           alone.p95, FLEET_ALONE);
    missed += delays_goal(alone.median, FLEET_ALONE * DELAYS_WORSE);

    return missed;
}


static unsigned
delays_goal(double delay, double most)
{
    /* a delay is whole ticks */

    most = ceil(most);
    printf("%s\n", delay <= most ? "met" : "MISSED");

    return delay > most;
}
