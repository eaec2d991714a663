/*
 * Fresh counters: the baseline has not failed often enough to tell how errors
 * come together, so the canary's own users tell.  A canary within its limit
 * whose errors come ten of a user at once is not rolled back in its first two
 * hours, and one that fails for everybody is as fast as ever.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "driver/traffic.h"
#include "tap.h"


#define CELLS      64
#define LIMIT      0.01
#define TICKS      7200
#define RUNS       60
#define THRESHOLD  17.65        /* 90 days, ticks of 1 s, 6 gates */


typedef struct {
    double    rate;             /* all requests a second */
    double    share;
    double    errors;           /* of requests */
    unsigned  cluster;
} fresh_t;


typedef struct {
    uint64_t  bad[CELLS];
    uint64_t  requests[CELLS];
    uint64_t  sum;
} side_t;


static traffic_poisson_t  users[2], good[2];


static void
prepare(const fresh_t *f)
{
    double    rate;
    unsigned  i;

    for (i = 0; i < 2; i++) {
        rate = f->rate * (i ? f->share : 1 - f->share);

        traffic_poisson(&users[i], rate * f->errors / f->cluster);
        traffic_poisson(&good[i], rate * (1 - f->errors));
    }
}


/* a second of one side; returns its errors, and all requests in *n */
static uint64_t
second(side_t *side, unsigned which, unsigned cluster, uint64_t *n,
    uint64_t *seed)
{
    uint64_t  i, k, bad, failing, fine;

    failing = traffic_draw(&users[which], seed);
    fine = traffic_draw(&good[which], seed);
    bad = failing * cluster;

    for (i = 0; i < failing; i++) {
        k = (uint64_t) (sample_unit(seed) * CELLS);
        side->bad[k] += cluster;
        side->requests[k] += cluster;
    }

    for (i = 0; i < fine; i++) {
        side->requests[(uint64_t) (sample_unit(seed) * CELLS)]++;
    }

    side->sum += bad;
    *n = bad + fine;

    return bad;
}


/* the tick of the alarm, or 0 if there is none */
static unsigned
run(const fresh_t *f, uint64_t *seed)
{
    double                 phi;
    side_t                 sides[2];
    unsigned               i;
    uint64_t               bad, n, unused;
    ngx_canary_detector_t  d;

    memset(sides, 0, sizeof(sides));
    memset(&d, 0, sizeof(d));

    for (i = 1; i <= TICKS; i++) {
        (void) second(&sides[0], 0, f->cluster, &unused, seed);
        bad = second(&sides[1], 1, f->cluster, &n, seed);

        phi = sides[0].sum >= NGX_CANARY_DISPERSION_EVENTS
              ? ngx_canary_dispersion(sides[0].bad, sides[0].requests, CELLS)
              : ngx_canary_dispersion_early(sides[1].bad, sides[1].requests,
                                            CELLS);

        ngx_canary_detector_trials(&d, bad, n, LIMIT, phi);

        if (ngx_canary_detector_evidence(&d) >= THRESHOLD) {
            return i;
        }
    }

    return 0;
}


static void
within(double rate, double share, unsigned cluster)
{
    fresh_t   f;
    unsigned  i, alarms;
    uint64_t  seed;

    f.rate = rate;
    f.share = share;
    f.errors = 0.003;
    f.cluster = cluster;

    prepare(&f);

    alarms = 0;
    seed = (uint64_t) (rate * 1000 + share * 100 + cluster);

    for (i = 0; i < RUNS; i++) {
        alarms += (run(&f, &seed) != 0);
    }

    ok(alarms == 0, "%g requests/s, share %g%%, clusters of %u: %u of %u runs",
       rate, share * 100, cluster, alarms, RUNS);
}


int
main(void)
{
    fresh_t   f;
    unsigned  i, at, slowest;
    uint64_t  seed;

    within(10, 0.05, 10);
    within(10, 0.5, 10);
    within(10, 0.5, 3);
    within(30, 0.5, 10);

    /* 40% of the requests fail, each of another user */

    f.rate = 100;
    f.share = 0.05;
    f.errors = 0.4;
    f.cluster = 1;

    prepare(&f);

    /* the baseline does not fail */
    traffic_poisson(&users[0], 0);

    seed = 7;
    slowest = 0;

    for (i = 0; i < 200; i++) {
        at = run(&f, &seed);

        if (at == 0 || at > slowest) {
            slowest = at ? at : TICKS;
        }
    }

    ok(slowest <= 15, "40%% of 5 requests/s fail: at most 15 s in 200 runs, %u",
       slowest);

    return tap_done();
}
