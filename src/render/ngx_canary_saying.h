/* The sentence of a split, part by part, in HTML or in JSON. */

#ifndef NGX_CANARY_SAYING_H_INCLUDED
#define NGX_CANARY_SAYING_H_INCLUDED


#include "ngx_canary_page.h"


#pragma GCC visibility push(hidden)


typedef struct {
    const ngx_canary_split_t  *split;
    uint64_t                   now_ms;
    ngx_canary_out_t          *out;
    int                        html;    /* or else within a string of JSON */
} ngx_canary_saying_t;


/* how many gates pass, and what the others wait for */
void ngx_canary_page_go(const ngx_canary_saying_t *s);

/* text of others, escaped */
void ngx_canary_page_text(const ngx_canary_saying_t *s, ngx_canary_str_t str);
void ngx_canary_page_gate_name(const ngx_canary_saying_t *s,
    const ngx_canary_gate_t *gate);


#pragma GCC visibility pop

#endif /* NGX_CANARY_SAYING_H_INCLUDED */
