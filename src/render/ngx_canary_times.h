/*
 * Charts over time: a series of a split's history, in so many points as a
 * chart has room for, and how one of them is drawn.
 */

#ifndef NGX_CANARY_TIMES_H_INCLUDED
#define NGX_CANARY_TIMES_H_INCLUDED


#include "ngx_canary_chart.h"
#include "ngx_canary_page.h"
#include "../pure/ngx_canary_history.h"


#pragma GCC visibility push(hidden)


typedef struct {
    const ngx_canary_split_t     *split;
    const ngx_canary_history_t   *history;
    ngx_canary_out_t             *out;
    ngx_canary_series_e           series;
    uint64_t                      from_ms;
    uint64_t                      to_ms;        /* later than from_ms */
    size_t                        worst;        /* ngates: none */
    const ngx_canary_gate_t      *quantile;     /* or NULL */
    /* what is drawn: points first[i] to first[i + 1] - 1 as one */
    size_t                        n;
    uint16_t                      first[NGX_CANARY_HISTORY_POINTS + 1];
} ngx_canary_times_t;


typedef struct ngx_canary_lines_s  ngx_canary_lines_t;

/* a variant's value at a point, or NAN */
typedef double (*ngx_canary_value_pt)(const ngx_canary_lines_t *lines,
    size_t variant, size_t i);

struct ngx_canary_lines_s {
    const ngx_canary_times_t     *times;
    const char                   *name;
    ngx_canary_value_pt           value;
    double                        least;        /* of what is at the top */
    double                        limit;        /* 0: none */
    ngx_canary_str_t              limit_text;
    uint32_t                      ppm;          /* of a quantile */
    size_t                        variant;      /* 0: all of them */
    unsigned                      band:1;
    unsigned                      percent:1;
    unsigned                      power:1;      /* of 10 */
    ngx_canary_scale_t            scale;
};


/* in at most some "most" points; 0 if the series has nothing to draw */
int ngx_canary_times_open(ngx_canary_times_t *times, size_t most);

/* where a moment is, and the middle of what a point covers: 0 to 1 */
double ngx_canary_times_at(const ngx_canary_times_t *times, uint64_t ms);
double ngx_canary_times_middle(const ngx_canary_times_t *times, size_t i);

/* the moment itself */
uint64_t ngx_canary_times_moment(const ngx_canary_times_t *times, size_t i);

/* of ngx_canary_value_pt: errors, us, and log10 of the evidence */
double ngx_canary_times_part(const ngx_canary_lines_t *lines, size_t variant,
    size_t i);
double ngx_canary_times_quantile(const ngx_canary_lines_t *lines,
    size_t variant, size_t i);
double ngx_canary_times_power(const ngx_canary_lines_t *lines, size_t variant,
    size_t i);

/* the interval of confidence of the first; 0 if there is no value */
int ngx_canary_times_interval(const ngx_canary_lines_t *lines, size_t variant,
    size_t i, double *low, double *high);

/* ngx_canary_lines.c: the rest of "lines" is 0 */
void ngx_canary_lines_init(ngx_canary_lines_t *lines,
    const ngx_canary_times_t *times, const char *name,
    ngx_canary_value_pt value);

/* between both, the caption */
void ngx_canary_lines_head(ngx_canary_lines_t *lines);
void ngx_canary_lines_draw(ngx_canary_lines_t *lines);

/* the curves of canaries alone, in a line of text */
void ngx_canary_lines_spark(ngx_canary_lines_t *lines);

/* ngx_canary_marks.c: what the journal knows of that time, and the time */
void ngx_canary_marks(const ngx_canary_times_t *times);
void ngx_canary_hours(const ngx_canary_times_t *times);


#pragma GCC visibility pop

#endif /* NGX_CANARY_TIMES_H_INCLUDED */
