/*
 * A series of history as so many points as are drawn.  Neighbours are added up
 * by the clock, not by their place in the series: a point that is drawn is the
 * same one each time the page is looked at.
 */

#include <math.h>
#include <string.h>

#include "ngx_canary_times.h"
#include "../pure/ngx_canary_interval.h"


#define NGX_CANARY_TIMES_LEAST   60000  /* ms: the shortest axis */


static void ngx_canary_times_sum(const ngx_canary_times_t *times,
    size_t variant, size_t i, ngx_canary_point_counts_t *sum,
    uint64_t *limits_us);
static int ngx_canary_times_errors(const ngx_canary_lines_t *lines,
    size_t variant, size_t i, ngx_canary_point_counts_t *sum);


int
ngx_canary_times_open(ngx_canary_times_t *times, size_t most)
{
    size_t                     i;
    uint64_t                   whole_ms, group, last, end_ms;
    const ngx_canary_point_t  *p;

    times->history = &times->split->history[times->series];
    times->n = 0;

    p = times->history->points;

    if (times->history->npoints == 0 || times->history->stretch_ms == 0) {
        return 0;
    }

    whole_ms = times->history->stretch_ms
               * ((times->history->npoints + most - 1) / most);
    last = 0;

    for (i = 0; i < times->history->npoints; i++) {
        group = p[i].start_ms / whole_ms + 1;

        if (group != last) {
            times->first[times->n++] = (uint16_t) i;
            last = group;
        }
    }

    times->first[times->n] = (uint16_t) times->history->npoints;

    times->from_ms = p[0].start_ms;
    times->to_ms = 0;

    /* the last one may be earlier, where the clock was set back */

    for (i = 0; i < times->history->npoints; i++) {
        end_ms = p[i].start_ms + p[i].length_ms;

        if (p[i].start_ms < times->from_ms) {
            times->from_ms = p[i].start_ms;
        }

        if (end_ms > times->to_ms) {
            times->to_ms = end_ms;
        }
    }

    if (times->to_ms < times->from_ms + NGX_CANARY_TIMES_LEAST) {
        times->to_ms = times->from_ms + NGX_CANARY_TIMES_LEAST;
    }

    return 1;
}


double
ngx_canary_times_at(const ngx_canary_times_t *times, uint64_t ms)
{
    return ((double) ms - (double) times->from_ms)
           / (double) (times->to_ms - times->from_ms);
}


double
ngx_canary_times_middle(const ngx_canary_times_t *times, size_t i)
{
    return ngx_canary_times_at(times, ngx_canary_times_moment(times, i));
}


uint64_t
ngx_canary_times_moment(const ngx_canary_times_t *times, size_t i)
{
    uint64_t                   end_ms;
    const ngx_canary_point_t  *first, *last;

    first = &times->history->points[times->first[i]];
    last = &times->history->points[times->first[i + 1] - 1];

    end_ms = last->start_ms + last->length_ms;

    if (end_ms < first->start_ms) {
        return end_ms;
    }

    return first->start_ms + (end_ms - first->start_ms) / 2;
}


static void
ngx_canary_times_sum(const ngx_canary_times_t *times, size_t variant, size_t i,
    ngx_canary_point_counts_t *sum, uint64_t *limits_us)
{
    size_t                            k;
    const ngx_canary_point_t         *points;
    const ngx_canary_point_counts_t  *counts;

    k = times->first[i];
    points = times->history->points;
    counts = times->history->counts[variant];

    *sum = counts[k];
    memcpy(limits_us, points[k].limits_us, sizeof(points[k].limits_us));

    for (k++; k < times->first[i + 1]; k++) {
        ngx_canary_history_add(sum, limits_us, &counts[k],
                               points[k].limits_us);
        ngx_canary_history_limits(limits_us, limits_us, points[k].limits_us);
    }
}


double
ngx_canary_times_part(const ngx_canary_lines_t *lines, size_t variant,
    size_t i)
{
    ngx_canary_point_counts_t  sum;

    if (!ngx_canary_times_errors(lines, variant, i, &sum)) {
        return (double) NAN;
    }

    return (double) sum.errors / (double) sum.samples;
}


int
ngx_canary_times_interval(const ngx_canary_lines_t *lines, size_t variant,
    size_t i, double *low, double *high)
{
    ngx_canary_point_counts_t  sum;

    if (!ngx_canary_times_errors(lines, variant, i, &sum)) {
        return 0;
    }

    ngx_canary_interval_part(sum.errors, sum.samples, low, high);

    return 1;
}


static int
ngx_canary_times_errors(const ngx_canary_lines_t *lines, size_t variant,
    size_t i, ngx_canary_point_counts_t *sum)
{
    uint64_t  limits_us[NGX_CANARY_HISTORY_LIMITS];

    ngx_canary_times_sum(lines->times, variant, i, sum, limits_us);

    return sum->samples && sum->errors <= sum->samples;
}


double
ngx_canary_times_quantile(const ngx_canary_lines_t *lines, size_t variant,
    size_t i)
{
    uint64_t                   us, limits_us[NGX_CANARY_HISTORY_LIMITS];
    ngx_canary_point_counts_t  sum;

    ngx_canary_times_sum(lines->times, variant, i, &sum, limits_us);

    if (ngx_canary_history_quantiles(&sum, limits_us, &lines->ppm, &us, 1)
        == 0)
    {
        return (double) NAN;
    }

    return (double) us;
}


double
ngx_canary_times_power(const ngx_canary_lines_t *lines, size_t variant,
    size_t i)
{
    size_t                          k;
    const ngx_canary_times_t       *times;
    ngx_canary_point_gate_t         most;
    const ngx_canary_point_gate_t  *gates;

    (void) variant;

    times = lines->times;
    gates = times->history->gates[times->worst];
    k = times->first[i];
    most = gates[k];

    for (k++; k < times->first[i + 1]; k++) {
        ngx_canary_history_raise(&most, gates[k]);
    }

    if (most.threshold == 0) {
        return (double) NAN;
    }

    return most.evidence / 100.0;
}
