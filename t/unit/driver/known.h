/*
 * Traffic that the method was chosen by, with the alarms that its design had:
 * limits are kept in all of it.
 */

#ifndef KNOWN_H_INCLUDED
#define KNOWN_H_INCLUDED


#include "alarms.h"


#define KNOWN_PROMISE   133333.0        /* ticks */
#define KNOWN_MILLION   1e6
#define KNOWN_RAMP      2400.0          /* four stages */


typedef struct {
    const char     *name;
    double          promise;            /* ticks; 0: 90 days of 6 gates */
    alarms_t        alarms;             /* but for the threshold */
    double          design;             /* alarms, "per" beginnings if any */
    int             covered;
} known_t;


static const alarms_ramp_t  known_up = { 0.05, 0.25, 0.5, 1, 0, 0 };
static const alarms_ramp_t  known_down = { 1, 0.5, 0.25, 0.05, 0, 0 };


#define KNOWN_KIND(...)  { __VA_ARGS__ }
#define KNOWN_ERRORS(pause)  { 0, 0.01, 0, (pause) }
#define KNOWN_P95(pause)     { 0, 0.05, 0, (pause) }
#define KNOWN_EQUAL(pause)   { 1, 0, 0, (pause) }

static const known_t  known[] = {
    { "error_rate, 0.3%, 50/s, 1 s an hour fails", 0,
      { KNOWN_KIND(.bad = 0.003 + 1 / 3600.0, .pause = 1, .every = 3600),
        KNOWN_ERRORS(1), 50, 0.05, NULL, 0, 2 * KNOWN_MILLION }, 0, 1 },

    { ".. 3 s an hour, pause=1s", 0,
      { KNOWN_KIND(.bad = 0.003 + 3 / 3600.0, .pause = 3, .every = 3600),
        KNOWN_ERRORS(1), 50, 0.05, NULL, 0, 2 * KNOWN_MILLION }, 5, 0 },

    { ".. 3 s an hour, pause=3s", 0,
      { KNOWN_KIND(.bad = 0.003 + 3 / 3600.0, .pause = 3, .every = 3600),
        KNOWN_ERRORS(3), 50, 0.05, NULL, 0, 2 * KNOWN_MILLION }, 0, 1 },

    { "p95, 1.5%, 50/s, 1 s in 600 s slow", 0,
      { KNOWN_KIND(.bad = 0.015 + 1 / 600.0, .pause = 1, .every = 600),
        KNOWN_P95(1), 50, 0.05, NULL, 0, 2 * KNOWN_MILLION }, 0, 1 },

    { "p95 at the limit, 50/s, 1 s in 60 s", KNOWN_PROMISE,
      { KNOWN_KIND(.bad = 0.05, .pause = 1, .every = 60),
        KNOWN_P95(1), 50, 0.05, NULL, 0, KNOWN_MILLION }, 0, 1 },

    { ".. all of it from 1 s in 20 s", KNOWN_PROMISE,
      { KNOWN_KIND(.bad = 0.05, .pause = 1, .every = 20),
        KNOWN_P95(1), 50, 0.05, NULL, 0, KNOWN_MILLION }, 0, 1 },

    { ".. 3 s in 600 s, pause=1s", KNOWN_PROMISE,
      { KNOWN_KIND(.bad = 0.05, .pause = 3, .every = 600),
        KNOWN_P95(1), 50, 0.05, NULL, 0, KNOWN_MILLION }, 30, 0 },

    { ".. 3 s in 600 s, pause=3s", KNOWN_PROMISE,
      { KNOWN_KIND(.bad = 0.05, .pause = 3, .every = 600),
        KNOWN_P95(3), 50, 0.05, NULL, 0, KNOWN_MILLION }, 13, 1 },

    { ".. 3 s in 600 s, pause=10s", KNOWN_PROMISE,
      { KNOWN_KIND(.bad = 0.05, .pause = 3, .every = 600),
        KNOWN_P95(10), 50, 0.05, NULL, 0, KNOWN_MILLION }, 1, 1 },

    { "error_rate at the limit, 5/s, 3 over 10 s", KNOWN_PROMISE,
      { KNOWN_KIND(.bad = 0.01, .session_size = 3, .session_span = 10),
        KNOWN_ERRORS(1), 5, 0.05, NULL, 0, KNOWN_MILLION }, 0, 1 },

    { ".. sessions of 10 over 30 s", KNOWN_PROMISE,
      { KNOWN_KIND(.bad = 0.01, .session_size = 10, .session_span = 30),
        KNOWN_ERRORS(1), 5, 0.05, NULL, 0, KNOWN_MILLION }, 1, 1 },

    { ".. sessions of 30 over 90 s", KNOWN_PROMISE,
      { KNOWN_KIND(.bad = 0.01, .session_size = 30, .session_span = 90),
        KNOWN_ERRORS(1), 5, 0.05, NULL, 0, KNOWN_MILLION }, 2, 1 },

    { "p95 not_worse, 1 s in 60 s, 5 of 100/s", KNOWN_PROMISE,
      { KNOWN_KIND(.bad = 0.05, .pause = 1, .every = 60),
        KNOWN_EQUAL(1), 5, 0.05, NULL, 0, KNOWN_MILLION }, 0, 1 },

    { ".. 50 of 1,000/s", KNOWN_PROMISE,
      { KNOWN_KIND(.bad = 0.05, .pause = 1, .every = 60),
        KNOWN_EQUAL(1), 50, 0.05, NULL, 0, KNOWN_MILLION }, 0, 1 },

    { "100 ramps, 5 to 100%, sessions of 10", KNOWN_PROMISE,
      { KNOWN_KIND(.bad = 0.01, .session_size = 10, .session_span = 30),
        KNOWN_ERRORS(1), 100, 0, &known_up, KNOWN_RAMP, 100 * KNOWN_RAMP },
      2, 1 },

    { ".. sessions of 30", KNOWN_PROMISE,
      { KNOWN_KIND(.bad = 0.01, .session_size = 30, .session_span = 90),
        KNOWN_ERRORS(1), 100, 0, &known_up, KNOWN_RAMP, 100 * KNOWN_RAMP },
      11, 0 },

    { "100 ramps, 100 to 5%, sessions of 10", KNOWN_PROMISE,
      { KNOWN_KIND(.bad = 0.01, .session_size = 10, .session_span = 30),
        KNOWN_ERRORS(1), 100, 0, &known_down, KNOWN_RAMP, 100 * KNOWN_RAMP },
      8, 0 },

    { ".. sessions of 30", KNOWN_PROMISE,
      { KNOWN_KIND(.bad = 0.01, .session_size = 30, .session_span = 90),
        KNOWN_ERRORS(1), 100, 0, &known_down, KNOWN_RAMP, 100 * KNOWN_RAMP },
      41, 0 }
};

#define KNOWN  (sizeof(known) / sizeof(known[0]))


static inline double
known_promised(const known_t *k)
{
    return k->alarms.ticks
           / (k->promise > 0 ? k->promise : SIM_DAYS_90 * SIM_GATES);
}


static inline unsigned
known_count(const known_t *k)
{
    char      name[128];
    alarms_t  a;

    a = k->alarms;
    a.rule.threshold = k->promise > 0
                       ? ngx_canary_detector_threshold(k->promise, 1, 1, 0)
                       : ngx_canary_detector_threshold(SIM_DAYS_90, 1,
                                                       SIM_GATES, 0);

    snprintf(name, sizeof(name), "%u %s", (unsigned) (k - known), k->name);

    return alarms_count(&a, alarms_seed(name));
}


#endif /* KNOWN_H_INCLUDED */
