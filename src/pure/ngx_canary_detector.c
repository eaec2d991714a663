/*
 * The Shiryaev-Roberts e-detector: J. Shin, A. Ramdas, A. Rinaldo,
 * "E-detectors: a nonparametric framework for sequential change detection",
 * arXiv 2203.03532 (2022), New England Journal of Statistics in Data Science
 * (2024).
 *
 * For each of a few alternatives, a tick has a factor L of what was counted,
 * whose mean is at most 1 as long as the limit holds, and
 *
 *     R = (1 + R before) L
 *
 * Invariant: R less the number of ticks never rises in the mean, and so neither
 * does the sum of R over gates (each a mean over alternatives) less ticks times
 * gates.  Hence the mean time until one of them reaches c * gates is at least c
 * ticks.  Once the limit is broken, ln R grows in every tick.  It never falls
 * below 0 for long, however good the time before was: a late fault is caught as
 * fast as an early one.
 *
 * L is either a likelihood ratio, to the power of 1 / phi where what is bad
 * comes in bursts; or a bet on the part of a tick that is bad, which holds
 * whatever depends on what inside of a tick (I. Waudby-Smith, A. Ramdas,
 * "Estimating means of bounded random variables by betting", arXiv 2010.09686),
 * to the power of 1 / psi for what goes beyond it.  Neither counts more than a
 * part of the threshold in one tick, so that no moment decides.
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

/* ticks beyond the pause that it takes to reach the threshold */
#define NGX_CANARY_DETECTOR_TICKS         5


/* what is bad, in a tick and at the limit */
typedef struct {
    double    n;
    double    bad;
    double    limit;        /* in one trial or second */
    double    most;         /* trials that a bet is laid on */
} ngx_canary_detector_seen_t;


static double ngx_canary_detector_ratio(ngx_canary_stream_e stream,
    const ngx_canary_detector_seen_t *seen, double ratio);
static double ngx_canary_detector_bet(const ngx_canary_detector_seen_t *seen,
    double stake);
static void ngx_canary_detector_update(double *ln1p, double ln_l);
static void ngx_canary_detector_certain(ngx_canary_detector_t *d);


/* how many times the odds, or the rate, of the limit; ascending */
static const double
ngx_canary_detector_ratios[NGX_CANARY_DETECTOR_RATIOS] = {
    1.25, 1.5, 2, 4, 8, 32
};


/* of what there is to lose; ascending */
static const double
ngx_canary_detector_stakes[NGX_CANARY_DETECTOR_STAKES] = {
    0.03, 0.08, 0.2, 0.4, 0.7, 0.95
};


int
ngx_canary_detector_tick(ngx_canary_detector_t *d,
    const ngx_canary_detector_rule_t *rule,
    const ngx_canary_dispersion_t *baseline, double n, double bad,
    double limit, double requests)
{
    int                         cut;
    size_t                      i;
    double                      trials, cap, ln_l;
    ngx_canary_phi_t            phi;
    ngx_canary_detector_seen_t  seen;

    if (!(n >= 0 && n < 1e15 && bad >= 0 && bad < 1e15) || isnan(limit)) {
        return 0;
    }

    /* events have any number of trials, of which each is hardly ever one */

    trials = n * NGX_CANARY_DISPERSION_SECOND;

    if (rule->stream != NGX_CANARY_STREAM_RATE) {
        trials = n;
        bad = fmin(bad, n);
    }

    if (rule->stream != NGX_CANARY_STREAM_PAIR) {
        requests = trials;
    }

    if (limit <= 0 && n > 0 && bad > 0) {
        ngx_canary_detector_certain(d);
    }

    if (limit <= 0 || n <= 0
        || (limit >= 1 && rule->stream != NGX_CANARY_STREAM_RATE))
    {
        ngx_canary_dispersion_tick(&d->dispersion, trials, bad, requests);
        return 0;
    }

    seen.n = n;
    seen.bad = bad;
    seen.limit = limit;
    seen.most = fmax(n, n / trials * d->dispersion.rate);

    phi = ngx_canary_dispersion_phi(&d->dispersion, baseline);
    cap = ngx_canary_detector_cap(rule);
    cut = 0;

    for (i = 0; i < NGX_CANARY_DETECTOR_RATIOS; i++) {
        ln_l = ngx_canary_detector_ratio(rule->stream, &seen,
                                         ngx_canary_detector_ratios[i])
               / phi.phi;

        cut |= (ln_l > cap);
        ngx_canary_detector_update(&d->ln1p[i], fmin(ln_l, cap));
    }

    if (rule->stream != NGX_CANARY_STREAM_PAIR) {

        for (i = 0; i < NGX_CANARY_DETECTOR_STAKES; i++) {
            ln_l = ngx_canary_detector_bet(&seen,
                                           ngx_canary_detector_stakes[i])
                   / phi.psi;

            cut |= (ln_l > cap);
            ngx_canary_detector_update(&d->ln1p[NGX_CANARY_DETECTOR_RATIOS + i],
                                       fmin(ln_l, cap));
        }
    }

    ngx_canary_dispersion_tick(&d->dispersion, trials, bad, requests);

    return cut;
}


double
ngx_canary_detector_cap(const ngx_canary_detector_rule_t *rule)
{
    if (!(rule->pause_ticks > 0)) {
        return HUGE_VAL;
    }

    return rule->threshold / (rule->pause_ticks + NGX_CANARY_DETECTOR_TICKS);
}


/*
 * Given how many were bad on both, each was the canary's with the probability
 * r rho / (1 - rho + r rho) at the limit, where r = 1 + margin.
 */

double
ngx_canary_detector_pair_limit(double rho, double margin)
{
    double  weight;

    if (!(rho > 0 && rho < 1) || !(margin > -1 && margin < 1e9)) {
        return NAN;
    }

    weight = (1 + margin) * rho;

    return weight / (1 - rho + weight);
}


double
ngx_canary_detector_evidence(const ngx_canary_detector_t *d,
    ngx_canary_stream_e stream)
{
    size_t  i, n;
    double  sum, ln;

    n = (stream == NGX_CANARY_STREAM_PAIR) ? NGX_CANARY_DETECTOR_RATIOS
                                           : NGX_CANARY_DETECTOR_ALTERNATIVES;
    sum = 0;

    for (i = 0; i < n; i++) {
        sum += expm1(d->ln1p[i]);
    }

    if (sum <= 0) {
        return NGX_CANARY_DETECTOR_NONE;
    }

    ln = log(sum / (double) n);

    return (ln > NGX_CANARY_DETECTOR_NONE) ? ln : NGX_CANARY_DETECTOR_NONE;
}


double
ngx_canary_detector_threshold(double false_alarm_s, double tick_s,
    unsigned gates, unsigned fleet)
{
    double  ln;

    ln = log(false_alarm_s / tick_s * (gates > 0 ? gates : 1));

    if (fleet > 0) {
        ln += log(fleet + 1.0);
    }

    return (ln > 0) ? ln : 0;
}


/*
 * The alternative multiplies the odds of the limit, or its rate, by "ratio".
 * The more is bad, the larger: a truth below the limit gives a smaller mean.
 */

static double
ngx_canary_detector_ratio(ngx_canary_stream_e stream,
    const ngx_canary_detector_seen_t *seen, double ratio)
{
    double  expected;

    expected = (stream == NGX_CANARY_STREAM_RATE)
               ? (ratio - 1) * seen->limit
               : log1p((ratio - 1) * seen->limit);

    return seen->bad * log(ratio) - seen->n * expected;
}


/*
 * 1 + stake (bad / limit - n) / most: never below 1 - stake, and 1 in the mean
 * at the limit.  A tick with fewer trials than usual stakes less.
 */

static double
ngx_canary_detector_bet(const ngx_canary_detector_seen_t *seen, double stake)
{
    return log1p(stake * (seen->bad / seen->limit - seen->n) / seen->most);
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
