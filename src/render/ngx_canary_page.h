/*
 * What the page is made of, from top to bottom, and figures as people read
 * them.  Nothing in it is inline, neither style nor script, and nothing comes
 * from elsewhere; links are relative.
 */

#ifndef NGX_CANARY_PAGE_H_INCLUDED
#define NGX_CANARY_PAGE_H_INCLUDED


#include "ngx_canary_metrics.h"


#pragma GCC visibility push(hidden)


/* how a split does, the worst at last */
typedef enum {
    NGX_CANARY_MOOD_NONE = 0,           /* no canary */
    NGX_CANARY_MOOD_OFF,
    NGX_CANARY_MOOD_GO,                 /* all gates pass */
    NGX_CANARY_MOOD_IDLE,               /* none to judge, or no share */
    NGX_CANARY_MOOD_YOUNG,              /* samples are missing, no more */
    NGX_CANARY_MOOD_DOUBT,              /* a figure is beyond its limit */
    NGX_CANARY_MOOD_HELD,               /* clients give up */
    NGX_CANARY_MOOD_FAILS,              /* a gate fails, with no rollback */
    NGX_CANARY_MOOD_ROLLED_BACK
} ngx_canary_mood_e;


typedef struct {
    ngx_canary_str_t      class;        /* good, wait, warn, bad or idle */
    ngx_canary_str_t      icon;         /* one character */
    ngx_canary_str_t      word;
    ngx_canary_str_t      colour;       /* of the icon of the page, in hex */
} ngx_canary_look_t;


ngx_canary_mood_e ngx_canary_page_mood(const ngx_canary_split_t *split);
const ngx_canary_look_t *ngx_canary_page_look(ngx_canary_mood_e mood);

/*
 * 1 for a gate that waits for requests, 0 for one whose figure is beyond its
 * limit
 */
int ngx_canary_page_missing(const ngx_canary_gate_t *gate);

/*
 * In this order, each with its heading, nothing where there is nothing.
 * "now_ms" is the snapshot's time.
 */
void ngx_canary_page_sentence(const ngx_canary_split_t *split, uint64_t now_ms,
    ngx_canary_out_t *out);
void ngx_canary_page_share(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
void ngx_canary_page_tiles(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
void ngx_canary_page_times(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
void ngx_canary_page_tail(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
void ngx_canary_page_events(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
void ngx_canary_page_tables(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
void ngx_canary_page_journal(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);

/* the sentence as a string of JSON */
void ngx_canary_json_sentence(const ngx_canary_split_t *split, uint64_t now_ms,
    ngx_canary_out_t *out);

/* a line for each split, the worst on top */
void ngx_canary_page_overview(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);

/* 1e-6 as a percentage; us as a time or an age */
void ngx_canary_page_percent(uint64_t ppm, ngx_canary_out_t *out);
void ngx_canary_page_time(uint64_t us, ngx_canary_out_t *out);
void ngx_canary_page_age(uint64_t us, ngx_canary_out_t *out);
void ngx_canary_page_rate(uint64_t micro, ngx_canary_out_t *out);

/* ms since the epoch in UTC: 2025-11-22 21:10:12, 21:10:12 and 21:10 */
void ngx_canary_page_moment(uint64_t ms, ngx_canary_out_t *out);
void ngx_canary_page_clock(uint64_t ms, ngx_canary_out_t *out);
void ngx_canary_page_minute(uint64_t ms, ngx_canary_out_t *out);

/* a gate's figure in 1e-6, in the unit of its metric */
void ngx_canary_page_figure(const ngx_canary_rule_t *rule, uint64_t micro,
    ngx_canary_out_t *out);

/* to three significant digits */
uint64_t ngx_canary_page_round(uint64_t n);

/* "1 gate", "2 gates" */
void ngx_canary_page_number(uint64_t n, const char *one, const char *many,
    ngx_canary_out_t *out);


#pragma GCC visibility pop

#endif /* NGX_CANARY_PAGE_H_INCLUDED */
