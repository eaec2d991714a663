/*
 * What a chart draws, read back: the points of a curve in parts of 1, and what
 * stands in an attribute or a text.
 */

#ifndef SVG_H_INCLUDED
#define SVG_H_INCLUDED


#include <stdlib.h>
#include <string.h>

#include "../../src/render/ngx_canary_chart.h"


#define SVG_POINTS  1024


typedef struct {
    size_t   n;
    double   x[SVG_POINTS];             /* from the left */
    double   y[SVG_POINTS];             /* from the bottom */
    int      begins[SVG_POINTS];        /* 1: after a gap */
    size_t   dots;                      /* points by themselves */
    size_t   areas;
} svg_curve_t;


/* the n-th path of a class, from 0; 0 if there is none, or it is not one */

static inline int
svg_curve(const char *text, const char *class, size_t n, svg_curve_t *curve)
{
    long         x, y, dx, dy;
    char         head[64], *end;
    const char  *p;

    memset(curve, 0, sizeof(*curve));
    (void) snprintf(head, sizeof(head), "<path class=\"%s\" d=\"", class);

    for (p = strstr(text, head); p && n; n--) {
        p = strstr(p + 1, head);
    }

    if (p == NULL) {
        return 0;
    }

    x = 0;
    y = 0;

    for (p += strlen(head); *p != '"'; /* void */ ) {

        if (curve->n == SVG_POINTS) {
            return 0;
        }

        if (p[0] == 'h' && p[1] == '0') {
            curve->dots++;
            p += 2;
            continue;
        }

        if (*p == 'z') {
            curve->areas++;
            p++;
            continue;
        }

        curve->begins[curve->n] = (*p == 'M');

        if (*p == 'M') {
            x = 0;
            y = 0;
        }

        p += (*p == 'M' || *p == 'l');

        dx = strtol(p, &end, 10);
        dy = end == p ? 0 : strtol(end, &end, 10);

        if (end == p) {
            return 0;
        }

        x += dx;
        y += dy;
        p = end;

        curve->x[curve->n] = (double) x / NGX_CANARY_PLOT_WIDTH;
        curve->y[curve->n] = 1 - (double) y / NGX_CANARY_PLOT_HEIGHT;
        curve->n++;
    }

    return 1;
}


/* 1 if "wanted" stands behind "before", up to "after" */

static inline int
svg_says(const char *text, const char *before, const char *wanted,
    const char *after)
{
    const char  *p;

    p = strstr(text, before);

    if (p == NULL) {
        return 0;
    }

    p += strlen(before);

    return strncmp(p, wanted, strlen(wanted)) == 0
           && strncmp(p + strlen(wanted), after, strlen(after)) == 0;
}


#endif /* SVG_H_INCLUDED */
