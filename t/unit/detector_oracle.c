/*
 * Evidence against the definition: R of each alternative in long double, as the
 * papers have it, with what one tick may count and the dispersion that was
 * measured before the tick.
 */

#include "../../src/pure/ngx_canary_detector.h"

#include "sample.h"
#include "tap.h"

#include <string.h>


#define TICKS  4000
#define DRAWS  200


static const long double  ratios[] = { 1.25L, 1.5L, 2, 4, 8, 32 };
static const long double  stakes[] = { 0.03L, 0.08L, 0.2L, 0.4L, 0.7L, 0.95L };


typedef struct {
    long double  r[12];
    long double  rate;                  /* mean of trials, recent ones first */
} oracle_t;


static long double
next(long double r, long double ln_l, long double cap)
{
    long double  grown;

    ln_l = fminl(ln_l, cap);
    grown = (1 + r) * expl(ln_l);

    /* what does not speak against the limit adds up to 1,000 at most */

    if (ln_l <= 0 && grown > r && grown > expl(6.9L) - 1) {
        grown = fmaxl(r, expl(6.9L) - 1);
    }

    return grown;
}


static double
oracle_tick(oracle_t *o, ngx_canary_stream_e stream, ngx_canary_phi_t phi,
    long double cap, long double n, long double bad, long double limit)
{
    int          i, used;
    long double  l, sum, most;

    used = (stream == NGX_CANARY_STREAM_PAIR) ? 6 : 12;

    if (n > 0) {
        most = (stream == NGX_CANARY_STREAM_RATE) ? n : fmaxl(n, o->rate);

        for (i = 0; i < 6; i++) {
            l = bad * logl(ratios[i]);
            l -= (stream == NGX_CANARY_STREAM_RATE)
                 ? n * limit * (ratios[i] - 1)
                 : n * logl(1 + (ratios[i] - 1) * limit);
            o->r[i] = next(o->r[i], l / (long double) phi.phi, cap);

            l = logl(1 + stakes[i] * (bad / limit - n) / most);
            o->r[6 + i] = next(o->r[6 + i], l / (long double) phi.psi, cap);
        }
    }

    o->rate += 0.01L * (n - o->rate);

    sum = 0;

    for (i = 0; i < used; i++) {
        sum += o->r[i];
    }

    return (double) logl(sum / used);
}


static void
compare(ngx_canary_stream_e stream, double n, double limit, double part,
    double pause, const char *name)
{
    int                         i, far, cut, cuts;
    double                      trials, bad, expect, got;
    uint64_t                    seed, k;
    oracle_t                    o;
    ngx_canary_phi_t            phi;
    ngx_canary_detector_t       d;
    ngx_canary_detector_rule_t  rule;

    memset(&o, 0, sizeof(o));
    memset(&d, 0, sizeof(d));
    rule.stream = stream;
    rule.threshold = 17.6;
    rule.pause_ticks = pause;
    seed = 11;
    far = 0;
    cuts = 0;

    for (i = 0; i < TICKS; i++) {
        trials = (i % 7 == 3) ? 0 : n;
        bad = 0;

        /* more than there are trials, now and then */

        for (k = 0; k < DRAWS; k++) {
            bad += sample_unit(&seed) < trials * part / DRAWS;
        }

        phi = ngx_canary_dispersion_phi(&d.dispersion, NULL);
        expect = oracle_tick(&o, stream, phi,
                             pause > 0 ? 17.6L / (pause + 5) : 1e9L,
                             trials, stream == NGX_CANARY_STREAM_RATE
                             ? bad : fmin(bad, trials), limit);
        cut = ngx_canary_detector_tick(&d, &rule, NULL, trials, bad, limit,
                                       trials);
        cuts += cut;
        got = ngx_canary_detector_evidence(&d, stream);

        far += fabs(fmin(expect, 95) - fmin(got, 95)) > 1e-6;
    }

    ok(far == 0, "%s: %d of %d ticks differ, %d were cut", name, far, TICKS,
       cuts);
}


int
main(void)
{
    compare(NGX_CANARY_STREAM_LIMIT, 50, 0.01, 0.003, 1, "a limit, kept");
    compare(NGX_CANARY_STREAM_LIMIT, 50, 0.01, 0.012, 1, "a limit, broken");
    compare(NGX_CANARY_STREAM_LIMIT, 50, 0.05, 0.05, 0, "at it, no pause");
    compare(NGX_CANARY_STREAM_LIMIT, 3, 0.05, 0.2, 3, "far beyond, a pause");
    compare(NGX_CANARY_STREAM_PAIR, 12, 0.3, 0.28, 1, "a pair");
    compare(NGX_CANARY_STREAM_PAIR, 12, 0.3, 0.5, 1, "a pair, worse");
    compare(NGX_CANARY_STREAM_RATE, 1, 5, 5, 1, "events at their rate");
    compare(NGX_CANARY_STREAM_RATE, 1, 0.1, 0.15, 0, "events, more often");
    compare(NGX_CANARY_STREAM_RATE, 2.5, 3, 8, 3, "events, in long ticks");
    compare(NGX_CANARY_STREAM_LIMIT, 1, 0.0001, 0, 1, "nothing bad");
    compare(NGX_CANARY_STREAM_LIMIT, 1, 0.0001, 0.01, 0, "long silence");

    return tap_done();
}
