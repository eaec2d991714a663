/*
 * What the page is made of, apart from the table of figures.
 */

#ifndef NGX_CANARY_PAGE_H_INCLUDED
#define NGX_CANARY_PAGE_H_INCLUDED


#include "ngx_canary_metrics.h"


#pragma GCC visibility push(hidden)


/* a table each, nothing where there is none; the newest entry first */
void ngx_canary_page_gates(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
void ngx_canary_page_events(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
void ngx_canary_page_journal(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);

/* 1e-6 as a percentage; us as a time or an age; ms since the epoch in UTC */
void ngx_canary_page_percent(uint64_t ppm, ngx_canary_out_t *out);
void ngx_canary_page_time(uint64_t us, ngx_canary_out_t *out);
void ngx_canary_page_age(uint64_t us, ngx_canary_out_t *out);
void ngx_canary_page_moment(uint64_t ms, ngx_canary_out_t *out);


#pragma GCC visibility pop

#endif /* NGX_CANARY_PAGE_H_INCLUDED */
