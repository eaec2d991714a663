/*
 * Charts in SVG: scales and their ticks, and curves whose points are whole
 * units of the plot, each written as the way from the last one, so that a
 * point takes some five bytes.
 */

#include <math.h>
#include <string.h>

#include "ngx_canary_chart.h"


static size_t ngx_canary_scale_steps(const ngx_canary_scale_t *scale,
    double *ticks, size_t max);
static size_t ngx_canary_scale_powers(const ngx_canary_scale_t *scale,
    double *ticks, size_t max);
static void ngx_canary_curve_number(ngx_canary_curve_t *curve, long n);
static long ngx_canary_curve_unit(double part, long units);


double
ngx_canary_scale_at(const ngx_canary_scale_t *scale, double value)
{
    double  part;

    if (scale->log) {
        value = fmax(value, scale->from);
        part = log(value / scale->from) / log(scale->to / scale->from);

    } else {
        part = (value - scale->from) / (scale->to - scale->from);
    }

    return fmin(fmax(part, 0), 1);
}


size_t
ngx_canary_scale_ticks(const ngx_canary_scale_t *scale, double *ticks,
    size_t max)
{
    max = max < NGX_CANARY_MAX_TICKS ? max : NGX_CANARY_MAX_TICKS;

    return scale->log ? ngx_canary_scale_powers(scale, ticks, max)
                      : ngx_canary_scale_steps(scale, ticks, max);
}


static size_t
ngx_canary_scale_steps(const ngx_canary_scale_t *scale, double *ticks,
    size_t max)
{
    size_t  n;
    double  step, first, value;

    if (max < 2) {
        return 0;
    }

    step = ngx_canary_round_up((scale->to - scale->from) / (double) (max - 1));
    first = ceil(scale->from / step - 1e-9);

    for (n = 0; n < max; n++) {
        value = (first + (double) n) * step;

        if (value > scale->to + step * 1e-9) {
            break;
        }

        ticks[n] = value;
    }

    return n;
}


/* as close as they fit: 1, 2 and 5, or every power, or each second one .. */
static size_t
ngx_canary_scale_powers(const ngx_canary_scale_t *scale, double *ticks,
    size_t max)
{
    int     low, high, every, power, digit;
    size_t  n;
    double  value;

    static const double  digits[] = { 1, 2, 5 };

    low = (int) floor(log10(scale->from) + 1e-9);
    high = (int) floor(log10(scale->to) + 1e-9);

    for (every = 0; /* void */ ; every++) {
        n = 0;

        for (power = low; power <= high && n <= max; power++) {

            if (every > 1 && power % every != 0) {
                continue;
            }

            for (digit = 0; digit < (every ? 1 : 3) && n <= max; digit++) {
                value = digits[digit] * pow(10, power);

                if (value < scale->from * (1 - 1e-9)
                    || value > scale->to * (1 + 1e-9))
                {
                    continue;
                }

                if (n < max) {
                    ticks[n] = value;
                }

                n++;
            }
        }

        if (n <= max) {
            return n;
        }
    }
}


void
ngx_canary_scale_round(ngx_canary_scale_t *scale)
{
    scale->to = scale->from + ngx_canary_round_up(scale->to - scale->from);
}


double
ngx_canary_round_up(double value)
{
    size_t  i;
    double  power;

    static const double  digits[] = { 1, 2, 2.5, 5 };

    power = pow(10, floor(log10(value)));

    for (i = 0; i < sizeof(digits) / sizeof(digits[0]); i++) {
        if (digits[i] * power >= value * (1 - 1e-9)) {
            return digits[i] * power;
        }
    }

    return 10 * power;
}


void
ngx_canary_out_part(ngx_canary_out_t *out, double part)
{
    part = fmin(fmax(part, 0), 1);

    ngx_canary_out_decimal(out, (uint64_t) (part * 10000 + 0.5), 2);
    ngx_canary_out_lit(out, "%");
}


void
ngx_canary_plot_open(ngx_canary_out_t *out, unsigned top, unsigned height)
{
    ngx_canary_print(out, "<svg y=\"%z\" height=\"%z\" viewBox=\"0 0 %z %z\" "
                          "preserveAspectRatio=\"none\">",
                     (size_t) top, (size_t) height,
                     (size_t) NGX_CANARY_PLOT_WIDTH,
                     (size_t) NGX_CANARY_PLOT_HEIGHT);
}


void
ngx_canary_plot_close(ngx_canary_out_t *out)
{
    ngx_canary_out_lit(out, "</svg>");
}


void
ngx_canary_plot_grid(const ngx_canary_scale_t *scale, size_t max,
    ngx_canary_out_t *out)
{
    size_t              i, n;
    double              y, ticks[NGX_CANARY_MAX_TICKS];
    ngx_canary_curve_t  curve;

    n = ngx_canary_scale_ticks(scale, ticks, max);

    ngx_canary_curve_open(&curve, "grid", out);

    for (i = 0; i < n; i++) {
        y = ngx_canary_scale_at(scale, ticks[i]);
        ngx_canary_curve_to(&curve, 0, y);
        ngx_canary_curve_to(&curve, 1, y);
        ngx_canary_curve_gap(&curve);
    }

    ngx_canary_curve_close(&curve);
}


void
ngx_canary_curve_open(ngx_canary_curve_t *curve, const char *class,
    ngx_canary_out_t *out)
{
    memset(curve, 0, sizeof(ngx_canary_curve_t));

    curve->out = out;

    ngx_canary_print(out, "<path class=\"%s\" d=\"", class);
}


void
ngx_canary_curve_to(ngx_canary_curve_t *curve, double x, double y)
{
    long               to_x, to_y;
    ngx_canary_out_t  *out;

    out = curve->out;
    to_x = ngx_canary_curve_unit(x, NGX_CANARY_PLOT_WIDTH);
    to_y = ngx_canary_curve_unit(1 - y, NGX_CANARY_PLOT_HEIGHT);

    if (!curve->open) {
        ngx_canary_print(out, "M%u %u", (uint64_t) to_x, (uint64_t) to_y);

    } else {
        if (!curve->line) {
            ngx_canary_out_lit(out, "l");

        } else if (to_x >= curve->x) {
            ngx_canary_out_lit(out, " ");
        }

        ngx_canary_curve_number(curve, to_x - curve->x);

        if (to_y >= curve->y) {
            ngx_canary_out_lit(out, " ");
        }

        ngx_canary_curve_number(curve, to_y - curve->y);
        curve->line = 1;
    }

    curve->open = 1;
    curve->x = to_x;
    curve->y = to_y;
}


static long
ngx_canary_curve_unit(double part, long units)
{
    return lround(fmin(fmax(part, 0), 1) * (double) units);
}


static void
ngx_canary_curve_number(ngx_canary_curve_t *curve, long n)
{
    if (n < 0) {
        ngx_canary_out_lit(curve->out, "-");
        n = -n;
    }

    ngx_canary_out_u64(curve->out, (uint64_t) n);
}


/* a point by itself is a dot, as its line has round ends */
void
ngx_canary_curve_gap(ngx_canary_curve_t *curve)
{
    if (curve->open && !curve->line) {
        ngx_canary_out_lit(curve->out, "h0");
    }

    curve->open = 0;
    curve->line = 0;
}


/* closes an area */
void
ngx_canary_curve_fill(ngx_canary_curve_t *curve)
{
    if (curve->open) {
        ngx_canary_out_lit(curve->out, "z");
    }

    curve->open = 0;
    curve->line = 0;
}


void
ngx_canary_curve_close(ngx_canary_curve_t *curve)
{
    ngx_canary_curve_gap(curve);
    ngx_canary_out_lit(curve->out, "\"/>");
}
