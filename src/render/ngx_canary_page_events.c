/*
 * Custom events: bars of how often each came for each request, variants side
 * by side, and of one event for each other one where a gate judges that.
 */

#include "ngx_canary_chart.h"
#include "ngx_canary_page.h"


typedef struct {
    const ngx_canary_split_t  *split;
    ngx_canary_out_t          *out;
    const ngx_canary_event_t  *event;
    const ngx_canary_event_t  *per;     /* NULL: for each request */
} ngx_canary_bars_t;


static void ngx_canary_page_bars(const ngx_canary_bars_t *bars);
static void ngx_canary_page_bar(const ngx_canary_bars_t *bars, size_t v,
    uint64_t most);
static uint64_t ngx_canary_page_part(const ngx_canary_bars_t *bars, size_t v,
    uint64_t *of);


void
ngx_canary_page_events(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t                    i;
    ngx_canary_bars_t         bars;
    const ngx_canary_rule_t  *rule;

    if (split->nevents == 0) {
        return;
    }

    ngx_canary_out_lit(out, "<h2>Events of this stage</h2>\n"
                            "<table class=\"bars\">\n");

    bars.split = split;
    bars.out = out;
    bars.per = NULL;

    for (i = 0; i < split->nevents && !out->failed; i++) {
        bars.event = &split->events[i];
        ngx_canary_page_bars(&bars);
    }

    for (i = 0; i < split->nrules && !out->failed; i++) {
        rule = &split->rules[i];

        if (rule->metric == NGX_CANARY_METRIC_EVENT_RATIO
            && rule->event < split->nevents && rule->per < split->nevents)
        {
            bars.event = &split->events[rule->event];
            bars.per = &split->events[rule->per];
            ngx_canary_page_bars(&bars);
        }
    }

    ngx_canary_out_lit(out, "</table>\n");
}


static void
ngx_canary_page_bars(const ngx_canary_bars_t *bars)
{
    size_t             v;
    uint64_t           part, of, most;
    ngx_canary_out_t  *out;

    out = bars->out;
    most = 1000000;

    for (v = 0; v < bars->split->nvariants; v++) {
        part = ngx_canary_page_part(bars, v, &of);
        most = part > most ? part : most;
    }

    ngx_canary_out_lit(out, "<tbody><tr><th colspan=\"4\" "
                            "scope=\"rowgroup\">");
    ngx_canary_out_html(out, bars->event->name);
    ngx_canary_out_lit(out, " <span>for each ");

    if (bars->per) {
        ngx_canary_out_html(out, bars->per->name);

    } else {
        ngx_canary_out_lit(out, "request");
    }

    ngx_canary_out_lit(out, "</span></th></tr>\n");

    for (v = 0; v < bars->split->nvariants; v++) {
        ngx_canary_page_bar(bars, v, most);
    }

    ngx_canary_out_lit(out, "</tbody>\n");
}


static void
ngx_canary_page_bar(const ngx_canary_bars_t *bars, size_t v, uint64_t most)
{
    uint64_t           part, of;
    ngx_canary_out_t  *out;

    out = bars->out;
    part = ngx_canary_page_part(bars, v, &of);

    ngx_canary_out_lit(out, "<tr><td><span class=\"name\">");
    ngx_canary_out_html(out, bars->split->variants[v].name);
    ngx_canary_out_lit(out, "</span></td><td><svg class=\"event\" "
                            "aria-hidden=\"true\"><rect class=\"v");
    ngx_canary_out_u64(out, v);
    ngx_canary_out_lit(out, "\" height=\"100%\" width=\"");
    ngx_canary_out_part(out, (double) part / (double) most);
    ngx_canary_out_lit(out, "\"/></svg></td><td>");

    if (of) {
        ngx_canary_page_percent(ngx_canary_page_round(part), out);

    } else {
        ngx_canary_out_lit(out, "&ndash;");
    }

    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_out_u64(out, bars->event->figures[v][NGX_CANARY_STAGE].count);
    ngx_canary_out_lit(out, " of ");
    ngx_canary_out_u64(out, of);
    ngx_canary_out_lit(out, "</td></tr>\n");
}


/* in 1e-6 of what it is counted for */
static uint64_t
ngx_canary_page_part(const ngx_canary_bars_t *bars, size_t v, uint64_t *of)
{
    if (bars->per) {
        *of = bars->per->figures[v][NGX_CANARY_STAGE].count;

    } else {
        *of = bars->split->variants[v].figures[NGX_CANARY_STAGE].requests;
    }

    return ngx_canary_ratio_ppm(
                        bars->event->figures[v][NGX_CANARY_STAGE].count, *of);
}
