/*
 * Simulated traffic, tick by tick of a second, for the detector: a canary and
 * its baseline, each with requests that come at random and are bad for one of
 * several reasons at once: by chance, in sessions, in pauses, in slow minutes.
 * Nothing in here is derived from the code under test.
 */

#ifndef TRAFFIC_H_INCLUDED
#define TRAFFIC_H_INCLUDED


#include "../../../src/pure/ngx_canary_detector.h"

#include "../sample.h"

#include <string.h>


#define TRAFFIC_AHEAD    1024           /* ticks a session may last, at most */


/* what both sides have; shares are of all requests, over a long time */
typedef struct {
    double    bad;                      /* share of bad ones altogether */

    /* sessions: all of what is bad but in pauses, "size" over "span" ticks */
    double    session_size;             /* 0: each one comes alone */
    double    session_span;
    int       session_random;           /* sizes are geometric */

    /* pauses: every "every" ticks, for "pause" ticks, all is bad */
    double    pause;                    /* 0: none */
    double    every;
    int       together;                 /* both sides at once */

    /* a minute of every "slow_every" ticks at "bad", else 0.3 of it */
    double    slow_every;

    double    night;                    /* requests at night, of a day's */
} traffic_kind_t;


/* one side */
typedef struct {
    double    rate;                     /* requests a tick by day */
    double    bad;                      /* share, by chance or in sessions */
    double    next;                     /* pause: when it begins */
    double    until;                    /* .. and ends */
    int       pauses;
    uint64_t  ahead[TRAFFIC_AHEAD];     /* failures of open sessions */
} traffic_side_t;


typedef struct {
    const traffic_kind_t  *kind;
    uint64_t               tick;
    uint64_t               seed;
    traffic_side_t         sides[2];    /* the canary, the baseline */
} traffic_t;


typedef struct {
    double    n;
    double    bad;
} traffic_count_t;


/*
 * Poisson: by multiplication below 30, else PTRS (W. Hoermann, "The transformed
 * rejection method for generating Poisson random variables", 1993).
 */

static inline uint64_t
traffic_poisson(double mean, uint64_t *seed)
{
    double    a, b, u, us, v, k, p, limit;
    uint64_t  n;

    if (mean <= 0) {
        return 0;
    }

    if (mean < 30) {
        limit = exp(-mean);

        for (n = 0, p = sample_unit(seed); p > limit; n++) {
            p *= sample_unit(seed);
        }

        return n;
    }

    b = 0.931 + 2.53 * sqrt(mean);
    a = -0.059 + 0.02483 * b;

    for ( ;; ) {
        u = sample_unit(seed) - 0.5;
        v = sample_unit(seed);
        us = 0.5 - fabs(u);
        k = floor((2 * a / us + b) * u + mean + 0.43);

        if (us >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2)) {
            return (uint64_t) k;
        }

        if (k < 0 || (us < 0.013 && v > us)) {
            continue;
        }

        if (log(v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (us * us) + b))
            <= k * log(mean) - mean - lgamma(k + 1))
        {
            return (uint64_t) k;
        }
    }
}


static inline void
traffic_begin(traffic_t *t, const traffic_kind_t *kind, double canary,
    double baseline, uint64_t seed)
{
    size_t           i;
    traffic_side_t  *side;

    memset(t, 0, sizeof(*t));

    t->kind = kind;
    t->seed = seed;
    t->sides[0].rate = canary;
    t->sides[1].rate = baseline;

    for (i = 0; i < 2; i++) {
        side = &t->sides[i];
        side->pauses = (kind->pause > 0);
        side->bad = kind->bad;

        if (side->pauses) {
            side->bad -= kind->pause / kind->every;
            side->next = kind->every * sample_unit(&t->seed);
            side->until = -1;
        }
    }
}


/* the part of a tick in which the side pauses */

static inline double
traffic_paused(traffic_t *t, traffic_side_t *side)
{
    double                 from, to, part;
    const traffic_kind_t  *kind;

    kind = t->kind;

    if (!side->pauses) {
        return 0;
    }

    from = (double) t->tick;
    to = from + 1;
    part = 0;

    if (side->until > from) {
        part += fmin(side->until, to) - from;
    }

    while (side->next < to) {
        side->until = side->next + kind->pause;
        part += fmin(side->until, to) - fmax(side->next, from);

        /* half of the time is regular, half is not */

        side->next += kind->every * (0.5 + sample_unit(&t->seed));
    }

    return fmin(part, 1);
}


static inline void
traffic_sessions(traffic_t *t, traffic_side_t *side, double expected)
{
    double                 size, at;
    uint64_t               n;
    const traffic_kind_t  *kind;

    kind = t->kind;

    for (n = traffic_poisson(expected / kind->session_size, &t->seed);
         n;
         n--)
    {
        size = kind->session_size;

        if (kind->session_random) {
            size = ceil(log(sample_unit(&t->seed)) / log(1 - 1 / size));
        }

        for ( ; size > 0; size--) {
            at = kind->session_span * sample_unit(&t->seed);
            side->ahead[(t->tick + (uint64_t) at) % TRAFFIC_AHEAD]++;
        }
    }
}


static inline traffic_count_t
traffic_side(traffic_t *t, traffic_side_t *side, double part)
{
    double                 rate, bad;
    uint64_t              *ahead;
    traffic_count_t        c;
    const traffic_kind_t  *kind;

    kind = t->kind;
    rate = side->rate;
    bad = side->bad;

    if (kind->night > 0) {
        rate *= 0.5 * (1 + kind->night)
                + 0.5 * (1 - kind->night)
                      * sin(6.283185307179586 * (double) t->tick / 86400);
    }

    if (kind->slow_every > 0
        && fmod((double) t->tick, kind->slow_every) >= 60)
    {
        bad *= 0.3;
    }

    if (kind->session_size > 0) {
        traffic_sessions(t, side, rate * bad);

        ahead = &side->ahead[t->tick % TRAFFIC_AHEAD];
        c.bad = (double) *ahead;
        *ahead = 0;

    } else {
        c.bad = (double) traffic_poisson(rate * bad * (1 - part), &t->seed);
    }

    c.n = c.bad + (double) traffic_poisson(rate * (1 - bad) * (1 - part),
                                           &t->seed);

    if (part > 0) {
        bad = (double) traffic_poisson(rate * part, &t->seed);
        c.bad += bad;
        c.n += bad;
    }

    return c;
}


static inline void
traffic_tick(traffic_t *t, traffic_count_t counts[2])
{
    double  part[2];

    part[0] = traffic_paused(t, &t->sides[0]);
    part[1] = t->kind->together ? part[0] : traffic_paused(t, &t->sides[1]);

    counts[0] = traffic_side(t, &t->sides[0], part[0]);
    counts[1] = traffic_side(t, &t->sides[1], part[1]);
    t->tick++;
}


#endif /* TRAFFIC_H_INCLUDED */
