/*
 * What the gates of a split have seen, tick by tick, in its shared memory; a
 * part of ngx_canary_zone.h.
 */

#ifndef NGX_CANARY_JUDGED_H_INCLUDED
#define NGX_CANARY_JUDGED_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>

#include "../pure/ngx_canary_detector.h"
#include "../pure/ngx_canary_snapshot.h"
#include "../pure/ngx_canary_split.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_MAX_GATES                                                  \
    (NGX_CANARY_MAX_RULES * NGX_CANARY_MAX_CANARIES)


/* what a rule has seen of the baseline up to the last tick */
typedef struct {
    uint64_t                  signature;    /* of the rule */
    uint64_t                  ref_us;       /* of a relative quantile, or 0 */
    uint64_t                  ready;        /* "seen" holds */
    ngx_canary_trial_t        seen;         /* trials that were judged */
    ngx_canary_dispersion_t   dispersion;
} ngx_canary_judged_t;


/* the same of a gate: a rule on one canary; see ngx_canary_gate_t */
typedef struct {
    uint64_t                  ready;        /* 1 + since_us of the slot */
    uint64_t                  failed;
    uint64_t                  stream;       /* 0: not begun */
    uint64_t                  held;
    uint64_t                  held_ms;
    double                    held_ln;
    double                    trials;
    double                    bad;
    double                    expected;
    ngx_canary_trial_t        seen;         /* trials that were judged, */
    ngx_canary_trial_t        base;         /* and those of the baseline */
    ngx_canary_detector_t     detector;
} ngx_canary_seen_t;


/* the tick itself */
typedef struct {
    uint64_t                  armed;        /* the zone's */
    uint64_t                  time_us;      /* monotonic */
    uint64_t                  streams;      /* numbers given out */
    uint64_t                  nrules;
    uint64_t                  ncanaries;
    uint64_t                  slots[NGX_CANARY_MAX_CANARIES];
    uint64_t                  shares_ppm[NGX_CANARY_MAX_VARIANTS]; /* by slot */
} ngx_canary_ticked_t;


/* the gates as in a picture: each rule for the first canary, and so on */
typedef struct {
    ngx_canary_ticked_t       tick;
    ngx_canary_judged_t       rules[NGX_CANARY_MAX_RULES];
    ngx_canary_seen_t         gates[NGX_CANARY_MAX_GATES];
} ngx_canary_judge_t;


#pragma GCC visibility pop

#endif /* NGX_CANARY_JUDGED_H_INCLUDED */
