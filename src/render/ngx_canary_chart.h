/*
 * A small toolkit for charts in SVG that fit any width: places across are
 * percentages, those down are pixels, and curves are drawn in a plot of its
 * own, NGX_CANARY_PLOT_WIDTH by NGX_CANARY_PLOT_HEIGHT units whatever its size
 * on the screen.  Text is never stretched.
 */

#ifndef NGX_CANARY_CHART_H_INCLUDED
#define NGX_CANARY_CHART_H_INCLUDED


#include "ngx_canary_out.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_PLOT_WIDTH     3600
#define NGX_CANARY_PLOT_HEIGHT    1000
#define NGX_CANARY_MAX_TICKS      12


/* "from" is at the left or at the bottom, "to" at the other end */
typedef struct {
    double                from;
    double                to;           /* greater than "from" */
    unsigned              log:1;        /* both are above 0 */
} ngx_canary_scale_t;


/* one line of a chart; it has gaps where there is no value */
typedef struct {
    ngx_canary_out_t     *out;
    long                  x;            /* the last point, in units */
    long                  y;
    unsigned              open:1;       /* a point was written */
    unsigned              line:1;       /* it goes on from that one */
} ngx_canary_curve_t;


/* 0 to 1; values beyond the ends are at the ends */
double ngx_canary_scale_at(const ngx_canary_scale_t *scale, double value);

/*
 * Ascending round values within the scale, at most "max" (not above
 * NGX_CANARY_MAX_TICKS): 1, 2 and 5 times a power of ten, or powers of ten
 * where a logarithmic scale spans several.  Returns how many.
 */
size_t ngx_canary_scale_ticks(const ngx_canary_scale_t *scale, double *ticks,
    size_t max);

/* raises "to" of a linear scale to the next round value */
void ngx_canary_scale_round(ngx_canary_scale_t *scale);

/* the next one of 1, 2, 2.5 and 5 times a power of ten; value > 0 */
double ngx_canary_round_up(double value);

/* a part of 1 as a percentage with at most two decimals: 0 to 100 */
void ngx_canary_out_part(ngx_canary_out_t *out, double part);

/* <svg> of a plot "height" pixels high, "top" below the chart's top; its end */
void ngx_canary_plot_open(ngx_canary_out_t *out, unsigned top,
    unsigned height);
void ngx_canary_plot_close(ngx_canary_out_t *out);

/* lines across, at the ticks of the scale, of which there are at most "max" */
void ngx_canary_plot_grid(const ngx_canary_scale_t *scale, size_t max,
    ngx_canary_out_t *out);

/* <path class="CLASS" d="; x and y are parts of 1 from left and bottom; "/> */
void ngx_canary_curve_open(ngx_canary_curve_t *curve, const char *class,
    ngx_canary_out_t *out);
void ngx_canary_curve_to(ngx_canary_curve_t *curve, double x, double y);
void ngx_canary_curve_gap(ngx_canary_curve_t *curve);
void ngx_canary_curve_fill(ngx_canary_curve_t *curve);
void ngx_canary_curve_close(ngx_canary_curve_t *curve);


#pragma GCC visibility pop

#endif /* NGX_CANARY_CHART_H_INCLUDED */
