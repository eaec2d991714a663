/*
 * How many bad requests of one second are enough, after an hour in which all
 * were good: what docs/gates.md says of pauses.  90 days, 6 gates.
 */

#include "../../src/pure/ngx_canary_detector.h"

#include "tap.h"

#include <string.h>


#define HOUR        3600
#define FALSE_ALARM (90.0 * 24 * HOUR)
#define GATES       6
#define REQUESTS    50


/* 1 if "bad" of "n" in one second roll back, n a second being good before */

static int
rolls_back(double limit, unsigned bad, unsigned n)
{
    unsigned               i;
    ngx_canary_detector_t  d;

    memset(&d, 0, sizeof(d));

    for (i = 0; i < HOUR; i++) {
        ngx_canary_detector_trials(&d, 0, n, limit, 1);
    }

    ngx_canary_detector_trials(&d, bad, n, limit, 1);

    return ngx_canary_detector_evidence(&d)
           >= ngx_canary_detector_threshold(FALSE_ALARM, 1, GATES);
}


int
main(void)
{
    size_t  i;

    static const struct {
        const char  *name;
        double       limit;
        unsigned     all;               /* of a second in which all are bad */
        unsigned     some;              /* of a second with 50 requests */
    } gates[] = {
        { "p50", 0.5, 30, 46 },
        { "p95", 0.05, 8, 17 },
        { "an error rate of 1%", 0.01, 7, 10 },
    };

    for (i = 0; i < sizeof(gates) / sizeof(gates[0]); i++) {
        ok(rolls_back(gates[i].limit, gates[i].all, gates[i].all),
           "%s: %u of %u are enough", gates[i].name, gates[i].all,
           gates[i].all);
        ok(!rolls_back(gates[i].limit, gates[i].all - 1, gates[i].all - 1),
           "one fewer are not");
        ok(rolls_back(gates[i].limit, gates[i].some, REQUESTS),
           "%u of %u are enough", gates[i].some, REQUESTS);
        ok(!rolls_back(gates[i].limit, gates[i].some - 1, REQUESTS),
           "one fewer are not");
    }

    return tap_done();
}
