/*
 * The Shiryaev-Roberts e-detector: J. Shin, A. Ramdas, A. Rinaldo,
 * "E-detectors: a nonparametric framework for sequential change detection",
 * arXiv 2203.03532 (2022), New England Journal of Statistics in Data Science
 * (2024).
 *
 * For each of a few alternatives, a tick has the likelihood ratio L of what was
 * counted, under the alternative to under the limit, and
 *
 *     R = (1 + R before) L
 *
 * Invariant: as long as the limit holds, L is at most 1 in the mean, so R less
 * the number of ticks never rises in the mean, and so neither does the sum of R
 * over gates (each a mean over alternatives) less ticks times gates.  Hence the
 * mean time until one of them reaches c * gates is at least c ticks.  Once the
 * limit is broken, ln R grows by the divergence of the truth from the limit in
 * every tick.  It never falls below 0 for long, however good the time before
 * was: a late fault is caught as fast as an early one.
 *
 * All is kept and computed as ln(1 + R), so that nothing overflows and zeroed
 * memory is R = 0.
 */

#include "ngx_canary_detector.h"

#include <math.h>


/*
 * Silence speaks for the limit.  Still R grows by nearly 1 in a tick that says
 * almost nothing, so that by ticks alone it could get anywhere in the end: a
 * tick that does not speak against the limit lifts ln(1 + R) no further than
 * this.  R is only ever made smaller by it, which keeps the promise.
 */
#define NGX_CANARY_DETECTOR_SILENT        6.9   /* R = 1000 */


static void ngx_canary_detector_update(double *ln1p, double ln_l);
static void ngx_canary_detector_certain(ngx_canary_detector_t *d);
static void ngx_canary_detector_binomial(ngx_canary_detector_t *d, double bad,
    double n, double theta0, double phi);
static double ngx_canary_detector_phi(double phi);
static double ngx_canary_dispersion_from(const uint64_t *bad,
    const uint64_t *requests, size_t cells, double least);


/* how many times the odds, or the rate, of the limit; ascending */
static const double
ngx_canary_detector_ratios[NGX_CANARY_DETECTOR_ALTERNATIVES] = {
    1.25, 1.5, 2, 4, 8, 32
};


void
ngx_canary_detector_trials(ngx_canary_detector_t *d, uint64_t bad, uint64_t n,
    double theta0, double phi)
{
    if (n == 0 || isnan(theta0) || theta0 >= 1) {
        return;
    }

    if (theta0 <= 0) {

        if (bad > 0) {
            ngx_canary_detector_certain(d);
        }

        return;
    }

    ngx_canary_detector_binomial(d, (double) (bad < n ? bad : n), (double) n,
                                 theta0, phi);
}


/*
 * Given how many were bad on both, each was the canary's with the probability
 * r rho / (1 - rho + r rho) at the limit, where r = 1 + margin.
 */

void
ngx_canary_detector_pair(ngx_canary_detector_t *d, uint64_t bad_canary,
    uint64_t bad_baseline, double rho, double margin, double phi)
{
    double  bad, all, weight;

    bad = (double) bad_canary;
    all = bad + (double) bad_baseline;
    weight = (1 + margin) * rho;

    if (all < 1 || !(rho > 0 && rho < 1) || !(margin > -1 && margin < 1e9)) {
        return;
    }

    ngx_canary_detector_binomial(d, bad, all, weight / (1 - rho + weight), phi);
}


void
ngx_canary_detector_rate(ngx_canary_detector_t *d, uint64_t events,
    double seconds, double rate0, double phi)
{
    size_t  i;
    double  ratio, mean;

    if (!(seconds > 0) || isnan(rate0)) {
        return;
    }

    if (rate0 <= 0) {

        if (events > 0) {
            ngx_canary_detector_certain(d);
        }

        return;
    }

    phi = ngx_canary_detector_phi(phi);
    mean = seconds * rate0;

    for (i = 0; i < NGX_CANARY_DETECTOR_ALTERNATIVES; i++) {
        ratio = ngx_canary_detector_ratios[i];

        ngx_canary_detector_update(&d->ln1p[i],
                                   ((double) events * log(ratio)
                                    - mean * (ratio - 1)) / phi);
    }
}


double
ngx_canary_detector_evidence(const ngx_canary_detector_t *d)
{
    size_t  i;
    double  sum, ln;

    sum = 0;

    for (i = 0; i < NGX_CANARY_DETECTOR_ALTERNATIVES; i++) {
        sum += expm1(d->ln1p[i]);
    }

    ln = log(sum / NGX_CANARY_DETECTOR_ALTERNATIVES);

    return (ln > NGX_CANARY_DETECTOR_NONE) ? ln : NGX_CANARY_DETECTOR_NONE;
}


double
ngx_canary_detector_threshold(double false_alarm_s, double tick_s,
    unsigned gates)
{
    double  ln;

    ln = log(false_alarm_s / tick_s * (gates > 0 ? gates : 1));

    return (ln > 0) ? ln : 0;
}


/*
 * Pearson's chi-square over its degrees of freedom, in units of what users who
 * fail independently would give.  It is itself an estimate, with a standard
 * error of 18% where there are 64 cells: too small a phi takes the promised
 * time to a power below 1 (with the plain estimate, clusters of 3 and 10^6
 * ticks promised, 0.7 of them were simulated), too large a one only delays.  So
 * half as much again is taken, less what makes independent users pay no more
 * than the plain estimate would.
 */

double
ngx_canary_dispersion(const uint64_t *bad, const uint64_t *requests,
    size_t cells)
{
    return ngx_canary_dispersion_from(bad, requests, cells,
                                      NGX_CANARY_DISPERSION_EVENTS);
}


double
ngx_canary_dispersion_early(const uint64_t *bad, const uint64_t *requests,
    size_t cells)
{
    return ngx_canary_dispersion_from(bad, requests, cells, 2);
}


static double
ngx_canary_dispersion_from(const uint64_t *bad, const uint64_t *requests,
    size_t cells, double least)
{
    size_t  i, used;
    double  x, n, mean, p, chi, phi;

    x = 0;
    n = 0;
    used = 0;

    for (i = 0; i < cells; i++) {
        if (requests[i] > 0) {
            x += (double) bad[i];
            n += (double) requests[i];
            used++;
        }
    }

    if (used < 2 || x < least || x >= n) {
        return 1;
    }

    p = x / n;
    chi = 0;

    for (i = 0; i < cells; i++) {
        if (requests[i] > 0) {
            mean = (double) requests[i] * p;
            chi += ((double) bad[i] - mean) * ((double) bad[i] - mean) / mean;
        }
    }

    phi = chi / (1 - p) / (double) (used - 1);
    phi = 1.5 * phi - 0.6;

    if (phi > NGX_CANARY_DISPERSION_MAX) {
        return NGX_CANARY_DISPERSION_MAX;
    }

    return (phi > 1) ? phi : 1;
}


/*
 * The alternative multiplies the odds theta0 / (1 - theta0) by "ratio", which
 * leaves of the likelihood ratio
 *
 *     bad ln(ratio) - n ln(1 + (ratio - 1) theta0)
 *
 * The more is bad, the larger: a truth below the limit gives a smaller mean.
 */

static void
ngx_canary_detector_binomial(ngx_canary_detector_t *d, double bad, double n,
    double theta0, double phi)
{
    size_t  i;
    double  ratio;

    phi = ngx_canary_detector_phi(phi);

    for (i = 0; i < NGX_CANARY_DETECTOR_ALTERNATIVES; i++) {
        ratio = ngx_canary_detector_ratios[i];

        ngx_canary_detector_update(&d->ln1p[i],
                                   (bad * log(ratio)
                                    - n * log1p((ratio - 1) * theta0)) / phi);
    }
}


/* R = (1 + R) L, as ln(1 + R) */

static void
ngx_canary_detector_update(double *ln1p, double ln_l)
{
    double  ln_r, next;

    ln_r = *ln1p + ln_l;

    if (isnan(ln_r)) {
        return;
    }

    next = (ln_r > 40) ? ln_r : log1p(exp(ln_r));

    if (ln_l <= 0 && next > *ln1p && next > NGX_CANARY_DETECTOR_SILENT) {
        next = (*ln1p > NGX_CANARY_DETECTOR_SILENT)
               ? *ln1p : NGX_CANARY_DETECTOR_SILENT;
    }

    *ln1p = (next < NGX_CANARY_DETECTOR_CERTAIN)
            ? next : NGX_CANARY_DETECTOR_CERTAIN;
}


static void
ngx_canary_detector_certain(ngx_canary_detector_t *d)
{
    size_t  i;

    for (i = 0; i < NGX_CANARY_DETECTOR_ALTERNATIVES; i++) {
        d->ln1p[i] = NGX_CANARY_DETECTOR_CERTAIN;
    }
}


static double
ngx_canary_detector_phi(double phi)
{
    return (phi >= 1) ? phi : 1;
}
