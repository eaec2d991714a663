/*
 * How long faults last until they are found, in the median of 200 runs: at most
 * a tenth more than the goals that the method was chosen by.  One row of each
 * kind; "scripts/dev/bench delays" has all of them.
 */

#include "driver/delays.h"

#include "tap.h"


int
main(void)
{
    static const struct {
        size_t  at;
        size_t  fault;
    } chosen[] = {
        { 1, 0 }, { 1, 4 }, { 2, 1 }, { 3, 1 }, { 5, 1 }, { 6, 1 }, { 10, 0 }
    };

    size_t                i, k;
    delays_t              d;
    const delays_case_t  *c;

    for (i = 0; i < sizeof(chosen) / sizeof(chosen[0]); i++) {
        c = &delays_cases[chosen[i].at];
        k = chosen[i].fault;
        d = delays_measure(c, k, DELAYS_RUNS);

        ok(d.median <= ceil(c->design[k] * DELAYS_WORSE),
           "%s, %g%% more: %g s of %g", c->name, c->fault.of[k] * 100,
           d.median, c->design[k]);
    }

    return tap_done();
}
