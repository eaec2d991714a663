/*
 * What the promise rests on, by the sum over everything that a tick can bring:
 * from R = 0 the mean of R after one tick is 1 at the limit, less below it and
 * more beyond; from any R it is 1 + R.
 */

#include "../../src/pure/ngx_canary_detector.h"

#include "sample.h"
#include "tap.h"

#include <string.h>


#define MOST  400


static double
binomial(unsigned x, unsigned n, double p)
{
    return exp(lgamma(n + 1.0) - lgamma(x + 1.0) - lgamma(n - x + 1.0)
               + x * log(p) + (n - x) * log1p(-p));
}


static double
poisson(unsigned x, double mean)
{
    return exp(x * log(mean) - mean - lgamma(x + 1.0));
}


/* the mean of R when the truth is p and the limit theta0 */

static double
trials(const ngx_canary_detector_t *from, unsigned n, double p, double theta0,
    double phi)
{
    double                 mean;
    unsigned               x;
    ngx_canary_detector_t  d;

    mean = 0;

    for (x = 0; x <= n; x++) {
        d = *from;
        ngx_canary_detector_trials(&d, x, n, theta0, phi);
        mean += binomial(x, n, p) * exp(ngx_canary_detector_evidence(&d));
    }

    return mean;
}


static double
rate(const ngx_canary_detector_t *from, double truth, double rate0)
{
    double                 mean;
    unsigned               x;
    ngx_canary_detector_t  d;

    mean = 0;

    for (x = 0; x <= MOST; x++) {
        d = *from;
        ngx_canary_detector_rate(&d, x, 1, rate0, 1);
        mean += poisson(x, truth) * exp(ngx_canary_detector_evidence(&d));
    }

    return mean;
}


/* n bad requests of both; the canary's are r times as likely to be bad */

static double
pair(const ngx_canary_detector_t *from, unsigned n, double rho, double r,
    double margin)
{
    double                 mean, p;
    unsigned               x;
    ngx_canary_detector_t  d;

    mean = 0;
    p = r * rho / (1 - rho + r * rho);

    for (x = 0; x <= n; x++) {
        d = *from;
        ngx_canary_detector_pair(&d, x, n - x, rho, margin, 1);
        mean += binomial(x, n, p) * exp(ngx_canary_detector_evidence(&d));
    }

    return mean;
}


static void
is_near(double got, double expected, const char *name)
{
    ok(fabs(got - expected) < 1e-7 * expected, "%s: %.9g", name, got);
}


int
main(void)
{
    size_t                 i;
    double                 r;
    ngx_canary_detector_t  none, some;

    memset(&none, 0, sizeof(none));
    memset(&some, 0, sizeof(some));

    ngx_canary_detector_trials(&some, 3, 100, 0.02, 1);
    ngx_canary_detector_trials(&some, 1, 100, 0.02, 1);
    r = exp(ngx_canary_detector_evidence(&some));

    for (i = 0; i < 4; i++) {
        static const double    limits[] = { 0.001, 0.01, 0.05, 0.5 };
        static const unsigned  counts[] = { 1, 40, 7, 35 };

        ok(fabs(trials(&none, counts[i], limits[i], limits[i], 1) - 1) < 1e-7,
           "%u trials at a limit of %g: 1", counts[i], limits[i]);
        ok(trials(&none, counts[i], limits[i] * 0.99, limits[i], 1) < 1,
           "a hundredth below it: less");
        ok(trials(&none, counts[i], limits[i] * 1.01, limits[i], 1) > 1,
           "a hundredth beyond it: more");
        ok(trials(&none, counts[i], limits[i], limits[i], 3) < 1,
           "divided by an overdispersion that is not there: less");
    }

    is_near(trials(&some, 30, 0.02, 0.02, 1), 1 + r, "from R: 1 + R");

    is_near(rate(&none, 0.2, 0.2), 1, "events at their rate");
    ok(rate(&none, 0.198, 0.2) < 1, "a hundredth below it: less");
    ok(rate(&none, 0.202, 0.2) > 1, "a hundredth beyond it: more");
    is_near(rate(&some, 0.1, 0.1), 1 + r, "from R: 1 + R");

    is_near(pair(&none, 12, 0.05, 1.5, 0.5), 1, "a pair at its margin");
    ok(pair(&none, 12, 0.05, 1.49, 0.5) < 1, "below it: less");
    ok(pair(&none, 12, 0.05, 1.51, 0.5) > 1, "beyond it: more");
    is_near(pair(&none, 3, 0.5, 1, 0), 1, "a pair without a margin");
    is_near(pair(&some, 12, 0.25, 1.5, 0.5), 1 + r, "from R: 1 + R");

    return tap_done();
}
