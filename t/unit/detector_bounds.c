/* The ends of every range, and what must leave a detector as it is. */

#include "../../src/pure/ngx_canary_detector.h"

#include "sample.h"
#include "tap.h"

#include <string.h>


static ngx_canary_detector_t  d;


static double
evidence(void)
{
    return ngx_canary_detector_evidence(&d);
}


static void
reset(void)
{
    memset(&d, 0, sizeof(d));
}


static int
is_sound(void)
{
    size_t  i;

    for (i = 0; i < NGX_CANARY_DETECTOR_ALTERNATIVES; i++) {
        if (!(d.ln1p[i] >= 0 && d.ln1p[i] <= NGX_CANARY_DETECTOR_CERTAIN)) {
            return 0;
        }
    }

    return evidence() >= NGX_CANARY_DETECTOR_NONE
           && evidence() <= NGX_CANARY_DETECTOR_CERTAIN;
}


/* a tick that says nothing is no tick: by ticks alone R would grow to any */

static void
nothing(void)
{
    ngx_canary_detector_t  before;

    reset();
    ok(evidence() == NGX_CANARY_DETECTOR_NONE, "zeroed: nothing seen");

    ngx_canary_detector_trials(&d, 2, 50, 0.01, 1);
    before = d;

    ngx_canary_detector_trials(&d, 0, 0, 0.01, 1);
    ngx_canary_detector_trials(&d, 5, 0, 0.01, 1);
    ok(!memcmp(&d, &before, sizeof(d)), "no trials change nothing");

    ngx_canary_detector_trials(&d, 9, 9, 1, 1);
    ngx_canary_detector_trials(&d, 9, 9, 1.5, 1);
    ok(!memcmp(&d, &before, sizeof(d)), "at most 100%%: nor do any");

    ngx_canary_detector_pair(&d, 0, 0, 0.05, 0.5, 1);
    ok(!memcmp(&d, &before, sizeof(d)), "nor a pair without anything bad");

    ngx_canary_detector_pair(&d, 9, 0, 1, 0.5, 1);
    ngx_canary_detector_pair(&d, 0, 9, 0, 0.5, 1);
    ok(!memcmp(&d, &before, sizeof(d)), "nor with one that had no requests");

    ngx_canary_detector_rate(&d, 5, 0, 1, 1);
    ok(!memcmp(&d, &before, sizeof(d)), "nor no time");

    ngx_canary_detector_trials(&d, 5, 9, NAN, 1);
    ngx_canary_detector_pair(&d, 5, 9, NAN, 0.5, 1);
    ngx_canary_detector_pair(&d, 5, 9, 0.05, NAN, 1);
    ngx_canary_detector_pair(&d, 5, 9, 0.05, INFINITY, 1);
    ngx_canary_detector_rate(&d, 5, NAN, 1, 1);
    ngx_canary_detector_rate(&d, 5, 1, NAN, 1);
    ok(!memcmp(&d, &before, sizeof(d)), "nor what is not a number");
}


static void
ends(void)
{
    uint64_t  i;

    reset();
    ngx_canary_detector_trials(&d, 0, 1000, 0, 1);
    ok(evidence() == NGX_CANARY_DETECTOR_NONE, "at most 0%%: good ones say no");
    ngx_canary_detector_trials(&d, 1, 1000, 0, 1);
    ok(evidence() == NGX_CANARY_DETECTOR_CERTAIN, "a single bad one is enough");

    reset();
    ngx_canary_detector_rate(&d, 0, 3600, 0, 1);
    ok(evidence() == NGX_CANARY_DETECTOR_NONE, "no event allowed: none came");
    ngx_canary_detector_rate(&d, 1, 1, 0, 1);
    ok(evidence() == NGX_CANARY_DETECTOR_CERTAIN, "a single one is enough");

    reset();
    for (i = 0; i < 1000; i++) {
        ngx_canary_detector_trials(&d, UINT64_MAX, UINT64_MAX, 0.01, 1);
    }
    ok(is_sound() && evidence() == NGX_CANARY_DETECTOR_CERTAIN,
       "all bad, in any number: certain, never more");

    ngx_canary_detector_trials(&d, 0, UINT64_MAX, 0.01, 1);
    ok(is_sound() && evidence() == NGX_CANARY_DETECTOR_NONE,
       "all good, in any number: forgotten");

    ngx_canary_detector_trials(&d, 7, 5, 0.01, 1);
    reset();
    ngx_canary_detector_trials(&d, 5, 5, 0.01, 1);
    ok(is_sound(), "more bad ones than trials count as all");

    reset();
    for (i = 0; i < 100; i++) {
        ngx_canary_detector_trials(&d, 1000, 1000, 1 - 1e-12, 1);
        ngx_canary_detector_trials(&d, 1, 1000, 1e-300, 1);
        ngx_canary_detector_pair(&d, UINT64_MAX, UINT64_MAX, 1e-12, 1e8, 1);
        ngx_canary_detector_pair(&d, 0, UINT64_MAX, 1 - 1e-12, 0, 1);
        ngx_canary_detector_rate(&d, UINT64_MAX, 1e9, 1e-300, 1);
        ngx_canary_detector_rate(&d, 0, 1e300, 1e300, 1);
        ngx_canary_detector_rate(&d, 1, INFINITY, INFINITY, 1);
        if (!is_sound()) {
            break;
        }
    }
    ok(i == 100, "finite at both ends of everything");
}


/* half as much evidence of twice as many that come in pairs; and odd phis */

static void
overdispersion(void)
{
    double  one;

    reset();
    ngx_canary_detector_trials(&d, 4, 100, 0.01, 1);
    one = evidence();

    reset();
    ngx_canary_detector_trials(&d, 8, 200, 0.01, 2);
    ok(fabs(evidence() - one) < 1e-12, "phi 2 halves both counts");

    reset();
    ngx_canary_detector_trials(&d, 4, 100, 0.01, 0.25);
    ok(evidence() == one, "phi below 1 is 1");

    reset();
    ngx_canary_detector_trials(&d, 4, 100, 0.01, NAN);
    ok(evidence() == one, "nor is what is no number");

    reset();
    ngx_canary_detector_trials(&d, 4, 100, 0.01, INFINITY);
    ok(is_sound() && fabs(evidence()) < 1e-12, "no end of it: a tick of 1");
}


/* silence alone, however long and whatever it says, fails no gate */

static void
silence(void)
{
    double    most;
    uint64_t  i;

    reset();
    most = -1000;

    for (i = 0; i < 2000000; i++) {
        ngx_canary_detector_trials(&d, 0, 1, 1e-9, 1);
        most = fmax(most, evidence());
    }

    ok(most > 6.8 && most <= 6.9, "a strict limit, millions of good ticks:"
       " evidence stays at %.3f", most);

    ngx_canary_detector_trials(&d, 1, 1, 1e-9, 1);
    ok(evidence() > most, "a bad one raises it at once");
}


/* one tick from nothing, in closed form: on both sides of a threshold */

static void
boundary(void)
{
    size_t    k;
    double    r, threshold;
    uint64_t  x, first;

    static const double  ratios[] = { 1.25, 1.5, 2, 4, 8, 32 };

    threshold = ngx_canary_detector_threshold(90 * 86400.0, 1, 6);
    ok(fabs(threshold - log(46656000)) < 1e-12, "90 days of seconds, 6 gates");

    for (first = 0; first <= 100; first++) {
        r = 0;

        for (k = 0; k < 6; k++) {
            r += pow(ratios[k], (double) first)
                 / pow(1 + (ratios[k] - 1) * 0.01, 100) / 6;
        }

        if (r >= 46656000) {
            break;
        }
    }

    for (x = first - 1; x <= first; x++) {
        reset();
        ngx_canary_detector_trials(&d, x, 100, 0.01, 1);
        ok((evidence() >= threshold) == (x == first),
           "%u bad of 100, limit 1%%: %s", (unsigned) x,
           x == first ? "broken" : "not yet");
    }

    ok(fabs(ngx_canary_detector_threshold(3600, 2, 1) - log(1800)) < 1e-12,
       "an hour of ticks of 2 s, one gate");
    ok(ngx_canary_detector_threshold(3600, 2, 0) == log(1800),
       "no gate counts as one");
    ok(ngx_canary_detector_threshold(0.5, 1, 1) == 0, "never below 0");
    ok(ngx_canary_detector_threshold(1e12, 1e-3, 1000000)
       < NGX_CANARY_DETECTOR_CERTAIN, "certain is beyond any");
}


int
main(void)
{
    nothing();
    ends();
    overdispersion();
    silence();
    boundary();

    return tap_done();
}
