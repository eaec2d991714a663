/*
 * A tick of the gates: what its parts share; the judge that it works out
 * (ngx_canary_judge.c), the trials that it feeds (ngx_canary_feed.c), and the
 * limits of requests that are given up (ngx_canary_late.c).
 */

#ifndef NGX_CANARY_JUDGE_H_INCLUDED
#define NGX_CANARY_JUDGE_H_INCLUDED


#include "ngx_canary_zone.h"


#pragma GCC visibility push(hidden)


/* private to the process until it is complete */
typedef struct {
    ngx_canary_zone_t    *zone;
    ngx_canary_split_t   *split;
    ngx_canary_judge_t   *last;
    ngx_uint_t            gap;          /* ticks are missing before this one */
    ngx_canary_ticked_t   now;
    ngx_canary_judged_t  *rules;        /* by rule of the split */
    ngx_canary_seen_t    *gates;        /* by gate of the split */
} ngx_canary_tick_t;


/* how the trials of a rule are to be judged */
ngx_canary_stream_e ngx_canary_feed_stream(const ngx_canary_rule_t *rule);

/* feeds a gate what was counted since the last tick */
void ngx_canary_feed_gate(ngx_canary_tick_t *tick, ngx_canary_gate_t *gate,
    ngx_canary_judged_t *judged, ngx_canary_seen_t *seen);

/* the baseline of a rule, after its gates; "gate" is one of them */
void ngx_canary_feed_baseline(ngx_canary_tick_t *tick,
    ngx_canary_gate_t *gate, ngx_canary_judged_t *judged);


/*
 * ngx_canary_late.c: sets the limits of requests that are given up, by what the
 * tick has found
 */
void ngx_canary_late_limits(ngx_canary_tick_t *tick);


#pragma GCC visibility pop

#endif /* NGX_CANARY_JUDGE_H_INCLUDED */
