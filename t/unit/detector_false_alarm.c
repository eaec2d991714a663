/*
 * The promise, at the limit itself: over a long time in which a gate is exactly
 * at its limit, it is called broken no more often than once in
 * false_alarm / tick * gates ticks, whatever the traffic.  A false_alarm of ten
 * minutes with six gates is the same mathematics as 90 days, in a time that can
 * be simulated.  A detector that was wrong starts again.
 */

#include "driver/traffic.h"

#include "tap.h"


#define FALSE_ALARM  600.0
#define GATES        6
#define PROMISE      (FALSE_ALARM * GATES)
#define TICKS        200000
#define LIMIT        0.01
#define MARGIN       0.5
#define BASELINE     0.005              /* errors, of the relative gate */
#define USERS        500                /* who met errors on the baseline */


/* one gate; what changes in a ramp is the share of its requests */

static unsigned
alarms(const traffic_t *stages, size_t n, const traffic_gate_t *gate,
    double promise, unsigned ticks, uint64_t seed)
{
    double                 phi, threshold;
    size_t                 i;
    unsigned               tick, found;
    ngx_canary_detector_t  d;
    static traffic_tick_t  prepared[8];

    for (i = 0; i < n; i++) {
        traffic_prepare(&prepared[i], &stages[i]);
    }

    threshold = ngx_canary_detector_threshold(promise / GATES, 1, GATES);
    memset(&d, 0, sizeof(d));
    found = 0;
    phi = 1;

    for (tick = 0; tick < ticks; tick++) {

        /* another installation, with its own estimate from its own users */

        if (stages[0].cluster > 1 && tick % (unsigned) promise == 0) {
            phi = traffic_dispersion(&stages[0], USERS, &seed);
            memset(&d, 0, sizeof(d));
        }

        i = (size_t) tick / 300 % n;

        if (traffic_step(&prepared[i], gate, &d, phi, &seed) >= threshold) {
            memset(&d, 0, sizeof(d));
            found++;
        }
    }

    return found;
}


static void
describe(traffic_t *t, double rate, double share, unsigned cluster,
    int relative)
{
    t->canary = rate * share;
    t->baseline = rate * (1 - share);
    t->baseline_bad = relative ? BASELINE : LIMIT;
    t->canary_bad = relative ? BASELINE * (1 + MARGIN) : LIMIT;
    t->cluster = cluster;
}


static void
judge(unsigned found, unsigned ticks, double promise, const char *what)
{
    ok(found * promise <= ticks, "%s: %u in %u ticks, %u promised", what,
       found, ticks, (unsigned) (ticks / promise));
}


static void
errors(int relative)
{
    char            what[128];
    size_t          r, s, c;
    uint64_t        seed;
    traffic_t       stages[4];
    traffic_gate_t  gate;

    static const double    rates[] = { 1, 10, 1000 };
    static const double    shares[] = { 0.01, 0.05, 0.25, 0.5 };
    static const unsigned  clusters[] = { 1, 3, 10 };

    gate.limit = relative ? 0 : LIMIT;
    gate.margin = MARGIN;

    seed = 100 + (uint64_t) relative;

    for (c = 0; c < 3; c++) {
        for (r = 0; r < 3; r++) {

            for (s = 0; s < 4; s++) {
                describe(&stages[s], rates[r], shares[s], clusters[c],
                         relative);

                snprintf(what, sizeof(what), "%s, %g r/s, %g%%, clusters of %u",
                         relative ? "relative" : "absolute", rates[r],
                         shares[s] * 100, clusters[c]);

                judge(alarms(&stages[s], 1, &gate, PROMISE, TICKS, seed++),
                      TICKS, PROMISE, what);
            }

            snprintf(what, sizeof(what), "%s, %g r/s, a ramp, clusters of %u",
                     relative ? "relative" : "absolute", rates[r],
                     clusters[c]);

            judge(alarms(stages, 4, &gate, PROMISE, TICKS, seed++), TICKS,
                  PROMISE, what);
        }
    }
}


/* as of latency gates: p50 is a limit of half, p999 of one in a thousand */

static void
quantiles(void)
{
    char            what[64];
    size_t          i;
    traffic_t       t;
    traffic_gate_t  gate;

    static const double  limits[] = { 0.5, 0.05, 0.001 };

    for (i = 0; i < 3; i++) {
        describe(&t, 100, 0.1, 1, 0);
        t.canary_bad = gate.limit = limits[i];
        gate.margin = 0;

        snprintf(what, sizeof(what), "at most %g%% beyond a latency",
                 limits[i] * 100);

        judge(alarms(&t, 1, &gate, PROMISE, TICKS, i + 1), TICKS, PROMISE,
              what);
    }
}


/* an order of magnitude and a half further, where a phi too small would tell */

static void
longer(unsigned cluster)
{
    char            what[64];
    traffic_t       t;
    traffic_gate_t  gate;

    describe(&t, 100, 0.05, cluster, 0);
    gate.limit = LIMIT;
    gate.margin = 0;

    snprintf(what, sizeof(what), "a promise of 100,000 ticks, clusters of %u",
             cluster);

    judge(alarms(&t, 1, &gate, 100000, 5000000, cluster), 5000000, 100000,
          what);
}


/*
 * As of gates on a mean: each value is a thousand trials, of which as many are
 * bad as it is of five times the limit.  These are exponential: long-tailed.
 */

static unsigned
capped(double threshold)
{
    double                 value;
    uint64_t               seed;
    unsigned               tick, found;
    ngx_canary_detector_t  d;

    memset(&d, 0, sizeof(d));
    found = 0;
    seed = 11;

    for (tick = 0; tick < TICKS; tick++) {
        value = -log(sample_unit(&seed)) / 5;

        ngx_canary_detector_trials(&d, (uint64_t) (1000 * fmin(value, 1)), 1000,
                                   0.2, 1000);

        if (ngx_canary_detector_evidence(&d) >= threshold) {
            memset(&d, 0, sizeof(d));
            found++;
        }
    }

    return found;
}


static void
events(void)
{
    double                 threshold;
    uint64_t               seed;
    unsigned               tick, rates;
    traffic_poisson_t      p;
    ngx_canary_detector_t  rate;

    threshold = ngx_canary_detector_threshold(FALSE_ALARM, 1, GATES);
    traffic_poisson(&p, 0.5);
    memset(&rate, 0, sizeof(rate));
    rates = 0;
    seed = 9;

    for (tick = 0; tick < TICKS; tick++) {
        ngx_canary_detector_rate(&rate, traffic_draw(&p, &seed), 1, 0.5, 1);

        if (ngx_canary_detector_evidence(&rate) >= threshold) {
            memset(&rate, 0, sizeof(rate));
            rates++;
        }
    }

    judge(capped(threshold), TICKS, PROMISE, "long-tailed values, capped");
    judge(rates, TICKS, PROMISE, "events at their rate");
}


int
main(void)
{
    errors(0);
    errors(1);
    quantiles();
    events();
    longer(1);
    longer(3);

    return tap_done();
}
