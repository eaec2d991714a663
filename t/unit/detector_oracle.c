/*
 * R against its definition, the sum over all possible beginnings of the product
 * of the likelihood ratios since, each ratio one of plain probabilities.
 */

#include "../../src/pure/ngx_canary_detector.h"

#include "sample.h"
#include "tap.h"

#include <string.h>


#define TICKS         200
#define ALTERNATIVES  6


typedef enum {
    TRIALS = 0,
    PAIR,
    RATE,
    KINDS
} kind_e;


typedef struct {
    uint64_t  bad;
    uint64_t  n;                        /* or those of the baseline */
    double    value;                    /* or rho, or seconds */
} tick_t;


static const double  ratios[ALTERNATIVES] = { 1.25, 1.5, 2, 4, 8, 32 };

static const char  *names[KINDS] = { "trials", "pair", "rate" };


/* under the alternative to under the limit; "odds" are those of the limit */

static double
likelihood(kind_e kind, const tick_t *t, double limit, size_t k)
{
    double  p0, p1, mean, x;

    switch (kind) {

    case TRIALS:
        p0 = limit;
        p1 = ratios[k] * p0 / (1 - p0) / (1 + ratios[k] * p0 / (1 - p0));

        return pow(p1 / p0, (double) t->bad)
               * pow((1 - p1) / (1 - p0), (double) (t->n - t->bad));

    case PAIR:
        if (t->bad + t->n == 0) {
            return 1;
        }

        x = (1 + limit) * t->value / (1 - t->value);
        p0 = x / (1 + x);
        p1 = ratios[k] * x / (1 + ratios[k] * x);

        return pow(p1 / p0, (double) t->bad)
               * pow((1 - p1) / (1 - p0), (double) t->n);

    default:
        mean = limit * t->value;

        return pow(ratios[k], (double) t->bad) * exp(-mean * ratios[k])
               / exp(-mean);
    }
}


static tick_t
draw(kind_e kind, uint64_t *seed)
{
    tick_t    t;
    uint64_t  most;

    most = (sample_u64(seed) % 4 == 0) ? 8 : 2;
    t.bad = sample_u64(seed) % most;
    t.n = t.bad + 20 + sample_u64(seed) % 60;
    t.value = 0;

    if (kind == PAIR) {
        t.n = sample_u64(seed) % 6;
        t.value = 0.05 + 0.5 * sample_unit(seed);

    } else if (kind == RATE) {
        t.value = 0.2 + 2 * sample_unit(seed);
    }

    return t;
}


static void
add(ngx_canary_detector_t *d, kind_e kind, const tick_t *t, double limit,
    double phi)
{
    switch (kind) {

    case TRIALS:
        ngx_canary_detector_trials(d, t->bad, t->n, limit, phi);
        break;

    case PAIR:
        ngx_canary_detector_pair(d, t->bad, t->n, t->value, limit, phi);
        break;

    default:
        ngx_canary_detector_rate(d, t->bad, t->value, limit, phi);
    }
}


/* ln of the mean R after the first "n" ticks */

static double
oracle(kind_e kind, const tick_t *ticks, size_t n, double limit, double phi)
{
    size_t       k, from;
    long double  sum, product;

    sum = 0;

    for (k = 0; k < ALTERNATIVES; k++) {
        product = 1;

        for (from = n; from-- > 0; /* void */ ) {
            product *= pow(likelihood(kind, &ticks[from], limit, k), 1 / phi);

            /* a tick that says nothing is no beginning */

            if (kind != PAIR || ticks[from].bad + ticks[from].n > 0) {
                sum += product;
            }
        }
    }

    return (double) logl(sum / ALTERNATIVES);
}


static void
compare(kind_e kind, double limit, double phi)
{
    size_t                 i, wrong, compared;
    double                 expected, got, worst;
    tick_t                 ticks[TICKS];
    uint64_t               seed;
    ngx_canary_detector_t  d;

    seed = (uint64_t) kind + 1;
    memset(&d, 0, sizeof(d));
    wrong = compared = 0;
    worst = 0;

    for (i = 0; i < TICKS; i++) {
        ticks[i] = draw(kind, &seed);
        add(&d, kind, &ticks[i], limit, phi);

        expected = oracle(kind, ticks, i + 1, limit, phi);
        got = ngx_canary_detector_evidence(&d);

        if (expected < -700 || expected > 60) {
            continue;
        }

        compared++;
        worst = fmax(worst, fabs(got - expected));
        wrong += !(fabs(got - expected) <= 1e-9 * (1 + fabs(expected)));
    }

    ok(wrong == 0 && compared > TICKS / 4,
       "%s, limit %g, phi %g: as defined in %u ticks, within %.1g",
       names[kind], limit, phi, (unsigned) compared, worst);
}


int
main(void)
{
    compare(TRIALS, 0.01, 1);
    compare(TRIALS, 0.05, 1);
    compare(TRIALS, 0.5, 1);
    compare(TRIALS, 0.02, 3.7);
    compare(PAIR, 0, 1);
    compare(PAIR, 0.5, 1);
    compare(PAIR, 0.5, 3);
    compare(RATE, 0.5, 1);
    compare(RATE, 2, 2.5);

    return tap_done();
}
