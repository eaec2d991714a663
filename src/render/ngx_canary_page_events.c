/* The part of the page that shows custom events. */

#include "ngx_canary_page.h"


static void ngx_canary_page_event(const ngx_canary_event_t *event,
    const ngx_canary_variant_t *variant,
    const ngx_canary_event_figures_t *figures, ngx_canary_out_t *out);
static void ngx_canary_page_milli(uint64_t there, uint64_t milli,
    ngx_canary_out_t *out);


void
ngx_canary_page_events(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t  i, v;

    if (split->nevents == 0) {
        return;
    }

    ngx_canary_out_lit(out, "<table class=\"text events\">\n"
                            "<tr><td>event</td><td>variant</td>"
                            "<td>stage</td><td>window</td><td>a minute</td>"
                            "<td>users</td><td>p50</td><td>p95</td>"
                            "<td>max</td></tr>\n");

    for (i = 0; i < split->nevents && !out->failed; i++) {
        for (v = 0; v < split->nvariants; v++) {
            ngx_canary_page_event(&split->events[i], &split->variants[v],
                                  split->events[i].figures[v], out);
        }
    }

    ngx_canary_out_lit(out, "</table>\n");
}


/* the count of the stage; all else of the window */
static void
ngx_canary_page_event(const ngx_canary_event_t *event,
    const ngx_canary_variant_t *variant,
    const ngx_canary_event_figures_t *figures, ngx_canary_out_t *out)
{
    uint64_t                           there;
    const ngx_canary_event_figures_t  *window;

    window = &figures[NGX_CANARY_WINDOW];
    there = event->value ? window->ncounted : 0;

    ngx_canary_out_lit(out, "<tr><td>");
    ngx_canary_out_html(out, event->name);
    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_out_html(out, variant->name);
    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_out_u64(out, figures[NGX_CANARY_STAGE].count);
    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_out_u64(out, window->count);
    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_page_milli(window->elapsed_us,
                          ngx_canary_rate_ppm(window->count * 60,
                                              window->elapsed_us) / 1000,
                          out);
    ngx_canary_out_lit(out, "</td><td>");

    if (event->unique) {
        ngx_canary_out_u64(out, window->unique);
    }

    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_page_milli(there, window->quantile[0], out);
    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_page_milli(there, window->quantile[2], out);
    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_page_milli(there, window->max, out);
    ngx_canary_out_lit(out, "</td></tr>\n");
}


static void
ngx_canary_page_milli(uint64_t there, uint64_t milli, ngx_canary_out_t *out)
{
    if (there == 0) {
        ngx_canary_out_lit(out, "&ndash;");
        return;
    }

    ngx_canary_out_decimal(out, milli, 3);
}
