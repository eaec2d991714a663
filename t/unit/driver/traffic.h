/*
 * Simulated traffic, tick by tick of a second, for the detector: a canary and
 * its baseline, each with requests that come at random and are bad for one of
 * several reasons at once: by chance, in sessions, in pauses, in slow minutes.
 * Nothing in here is derived from the code under test.
 */

#ifndef TRAFFIC_H_INCLUDED
#define TRAFFIC_H_INCLUDED


#include "../sample.h"

#include <string.h>


#define TRAFFIC_AHEAD   1024            /* ticks a session may last, at most */
#define TRAFFIC_DAY     86400.0
#define TRAFFIC_CALM    0.3             /* of "bad", beside slow minutes */
#define TRAFFIC_HEAVY   5               /* times the failures of other users, */
#define TRAFFIC_SELDOM  0.05            /* of so many of them */


typedef enum {
    TRAFFIC_APART = 0,                  /* each side by itself */
    TRAFFIC_TOGETHER,                   /* both at once */
    TRAFFIC_ALONE                       /* the canary, the baseline never */
} traffic_pauses_e;


typedef enum {
    TRAFFIC_EQUAL = 0,                  /* as many failures in each session */
    TRAFFIC_USERS,                      /* as long as users stay: geometric */
    TRAFFIC_HEAVY_USERS                 /* the same, but a few stay longer */
} traffic_sessions_e;


/* what both sides have; shares are of all requests, over a long time */
typedef struct {
    double              bad;            /* share of bad ones altogether */
    double              margin;         /* so many more are the canary's */

    /* sessions: all of what is bad but in pauses, "size" over "span" ticks */
    double              session_size;   /* 0: each one comes alone */
    double              session_span;
    traffic_sessions_e  sessions;

    /* pauses: every "every" ticks, for "pause" ticks, all is bad */
    double              pause;          /* 0: none */
    double              every;
    traffic_pauses_e    pauses;

    /* a minute of every "slow_every" ticks has "bad", others a part of it */
    double              slow_every;

    double              night;          /* requests at night, of a day's */
    double              drift;          /* deviation of "bad" between hours */
} traffic_kind_t;


/* one side */
typedef struct {
    double    rate;                     /* requests a tick by day */
    double    bad;                      /* share, by chance or in sessions */
    double    hour;                     /* .. in this hour, of the usual */
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


/* how many of n are, if each is with the probability p */

static inline uint64_t
traffic_binomial(uint64_t n, double p, uint64_t *seed)
{
    uint64_t  found;

    for (found = 0; n; n--) {
        found += (sample_unit(seed) < p);
    }

    return found;
}


/*
 * Requests a tick of both sides.  Users who change sides take with them what of
 * their sessions is left.
 */

static inline void
traffic_rates(traffic_t *t, double canary, double baseline)
{
    double           before, now, p;
    size_t           i;
    uint64_t         moved;
    traffic_side_t  *from, *to;

    before = t->sides[0].rate / (t->sides[0].rate + t->sides[1].rate);
    now = canary / (canary + baseline);

    t->sides[0].rate = canary;
    t->sides[1].rate = baseline;

    from = &t->sides[now > before ? 1 : 0];
    to = &t->sides[now > before ? 0 : 1];
    p = now > before ? (now - before) / (1 - before) : 1 - now / before;

    for (i = 0; i < TRAFFIC_AHEAD; i++) {
        moved = traffic_binomial(from->ahead[i], p, &t->seed);
        from->ahead[i] -= moved;
        to->ahead[i] += moved;
    }
}


/* what pauses leave of "bad" is by chance: together they are exactly that */

static inline void
traffic_begin(traffic_t *t, const traffic_kind_t *kind, double canary,
    double baseline, uint64_t seed)
{
    size_t           i;
    double           paused;
    traffic_side_t  *side;

    memset(t, 0, sizeof(*t));

    t->kind = kind;
    t->seed = seed;
    t->sides[0].rate = canary;
    t->sides[1].rate = baseline;

    for (i = 0; i < 2; i++) {
        side = &t->sides[i];
        side->pauses = (kind->pause > 0
                        && (i == 0 || kind->pauses != TRAFFIC_ALONE));
        side->bad = kind->bad * (i == 0 ? 1 + kind->margin : 1);
        side->hour = 1;

        if (side->pauses) {
            paused = kind->pause / kind->every;
            side->bad = fmax(side->bad - paused, 0) / (1 - paused);
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


static inline uint64_t
traffic_size(const traffic_kind_t *kind, uint64_t *seed)
{
    double  size;

    size = kind->session_size;

    if (kind->sessions == TRAFFIC_EQUAL) {
        return (uint64_t) size;
    }

    if (kind->sessions == TRAFFIC_HEAVY_USERS
        && sample_unit(seed) < TRAFFIC_SELDOM)
    {
        size *= TRAFFIC_HEAVY;
    }

    return (uint64_t) ceil(log(sample_unit(seed)) / log1p(-1 / size));
}


/* a session begins at any time of a tick and fails at any times of its own */

static inline void
traffic_sessions(traffic_t *t, traffic_side_t *side, double expected)
{
    double                 mean, begin, part;
    uint64_t               n, size, at, bits;
    const traffic_kind_t  *kind;

    kind = t->kind;
    mean = kind->session_size;

    if (kind->sessions == TRAFFIC_HEAVY_USERS) {
        mean *= 1 + (TRAFFIC_HEAVY - 1) * TRAFFIC_SELDOM;
    }

    part = kind->session_span / 65536;

    for (n = traffic_poisson(expected / mean, &t->seed); n; n--) {
        bits = sample_u64(&t->seed);
        begin = (double) (bits & 65535) / 65536;

        for (size = traffic_size(kind, &t->seed); size; size--) {

            /* four times out of one number */

            bits = size & 3 ? bits >> 16 : sample_u64(&t->seed);
            at = t->tick + (uint64_t) (begin + part * (double) (bits & 65535));
            side->ahead[at % TRAFFIC_AHEAD]++;
        }
    }
}


/* of a side's requests and of what is bad by day and hour: by how much */

static inline void
traffic_time(traffic_t *t, traffic_side_t *side, double *rate, double *bad)
{
    const traffic_kind_t  *kind;

    kind = t->kind;

    if (kind->night > 0) {
        *rate *= 0.5 * (1 + kind->night)
                 + 0.5 * (1 - kind->night)
                       * sin(6.283185307179586 * (double) t->tick
                             / TRAFFIC_DAY);
    }

    if (kind->slow_every > 0
        && fmod((double) t->tick, kind->slow_every) >= 60)
    {
        *bad *= TRAFFIC_CALM;
    }

    if (kind->drift > 0) {
        if (t->tick % 3600 == 0) {
            side->hour = 1 + kind->drift * sqrt(3)
                             * (2 * sample_unit(&t->seed) - 1);
        }

        *bad *= side->hour;
    }
}


static inline traffic_count_t
traffic_side(traffic_t *t, traffic_side_t *side, double part)
{
    double            rate, bad;
    uint64_t         *ahead;
    traffic_count_t   c;

    rate = side->rate;
    bad = side->bad;
    traffic_time(t, side, &rate, &bad);

    if (t->kind->session_size > 0) {
        traffic_sessions(t, side, rate * bad * (1 - part));

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
    part[1] = (t->kind->pauses == TRAFFIC_TOGETHER)
              ? part[0] : traffic_paused(t, &t->sides[1]);

    counts[0] = traffic_side(t, &t->sides[0], part[0]);
    counts[1] = traffic_side(t, &t->sides[1], part[1]);
    t->tick++;
}


#endif /* TRAFFIC_H_INCLUDED */
