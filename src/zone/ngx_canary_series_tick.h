/*
 * What a tick of the history knows (ngx_canary_series.c), and the points that
 * it writes (ngx_canary_series_point.c).
 */

#ifndef NGX_CANARY_SERIES_TICK_H_INCLUDED
#define NGX_CANARY_SERIES_TICK_H_INCLUDED


#include "ngx_canary_series.h"


#pragma GCC visibility push(hidden)


typedef struct {
    ngx_canary_series_zone_t         *history;
    ngx_canary_split_t               *split;
    uint64_t                          now_us;
    ngx_canary_stage_t               *stage;    /* NULL: it changes just now */
    ngx_canary_base_cell_t           *cells;    /* totals when that began */
    ngx_uint_t                        idle;     /* no canary has a share */
    ngx_uint_t                        rules[NGX_CANARY_MAX_RULES];
    /* by slot; NULL if no variant of the split has it */
    const ngx_canary_variant_t       *variants[NGX_CANARY_MAX_VARIANTS];
} ngx_canary_series_tick_t;


/* what the word of a series names, and what it will */
typedef struct {
    ngx_canary_series_t              *series;
    uint64_t                          stretch_us;
    uint64_t                          shift;
    uint64_t                          row;
    uint64_t                          base;
    uint64_t                          count;
} ngx_canary_series_place_t;


void ngx_canary_series_place(ngx_canary_series_zone_t *history,
    ngx_canary_series_e s, ngx_canary_series_place_t *place);

/* the last point, from its base up to now; returns its length */
uint64_t ngx_canary_series_fill(ngx_canary_series_tick_t *tick,
    ngx_canary_series_place_t *place);

/*
 * Into the base that is not in use: what the next point begins with, here and
 * now, or with the stage.
 */
void ngx_canary_series_from_now(ngx_canary_series_tick_t *tick,
    ngx_canary_series_place_t *place);
void ngx_canary_series_from_stage(ngx_canary_series_tick_t *tick,
    ngx_canary_series_place_t *place);

/* the next point is the last one, with the base that was not in use */
void ngx_canary_series_next(ngx_canary_series_tick_t *tick,
    ngx_canary_series_place_t *place);

/* half as many points, in the row that is not in use */
void ngx_canary_series_double(ngx_canary_series_tick_t *tick,
    ngx_canary_series_place_t *place);


#pragma GCC visibility pop

#endif /* NGX_CANARY_SERIES_TICK_H_INCLUDED */
