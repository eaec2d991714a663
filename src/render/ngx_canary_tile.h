/* What a tile shows of a gate, beside the gate's own figures. */

#ifndef NGX_CANARY_TILE_H_INCLUDED
#define NGX_CANARY_TILE_H_INCLUDED


#include "ngx_canary_page.h"


#pragma GCC visibility push(hidden)


/* figures in 1e-6 as those of the gate; "has" 0: not known */
typedef struct {
    const ngx_canary_split_t  *split;
    const ngx_canary_gate_t   *gate;
    ngx_canary_out_t          *out;
    unsigned                   has_limit:1;
    unsigned                   has_interval:1;
    unsigned                   open:1;      /* it has no upper end */
    double                     limit;
    double                     low;
    double                     high;
} ngx_canary_tile_t;


/* fills in what follows "out" */
void ngx_canary_tile_figures(ngx_canary_tile_t *tile);


#pragma GCC visibility pop

#endif /* NGX_CANARY_TILE_H_INCLUDED */
