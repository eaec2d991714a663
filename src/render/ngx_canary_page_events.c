/*
 * Custom events of the stage as bars, variants side by side.  Where gates ask
 * that at least so many of one event lead to another, the two are steps of a
 * funnel: its bars tell how many requests came to a step, the figures how many
 * of the step before.  Each other event, and each other ratio of two, is a row.
 */

#include "ngx_canary_chart.h"
#include "ngx_canary_page.h"


typedef struct {
    const ngx_canary_split_t  *split;
    ngx_canary_out_t          *out;
    const ngx_canary_event_t  *event;
    const ngx_canary_event_t  *per;     /* NULL: for each request */
    size_t                     step;    /* of a funnel, from 1; 0: of none */
    uint64_t                   most;    /* requests in 1e-6 that fill a bar */
} ngx_canary_bars_t;


static void ngx_canary_page_funnel(ngx_canary_bars_t *bars, size_t first);
static const ngx_canary_rule_t *ngx_canary_page_before(
    const ngx_canary_split_t *split, size_t event);
static size_t ngx_canary_page_step(const ngx_canary_split_t *split,
    size_t event, size_t *first);
static int ngx_canary_page_leads(const ngx_canary_split_t *split,
    size_t event);
static void ngx_canary_page_ratio(ngx_canary_bars_t *bars,
    const ngx_canary_rule_t *rule);
static void ngx_canary_page_bars(const ngx_canary_bars_t *bars);
static void ngx_canary_page_bar(const ngx_canary_bars_t *bars, size_t v,
    uint64_t most);
static void ngx_canary_page_counts(const ngx_canary_bars_t *bars, size_t v,
    uint64_t of);
static uint64_t ngx_canary_page_part(const ngx_canary_bars_t *bars,
    const ngx_canary_event_t *per, size_t v, uint64_t *of);


void
ngx_canary_page_events(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t             i, first;
    ngx_canary_bars_t  bars;

    if (split->nevents == 0 || split->events == NULL) {
        return;
    }

    ngx_canary_out_lit(out, "<h2>Events of this stage</h2>\n"
                            "<table class=\"bars\">\n");

    bars.split = split;
    bars.out = out;

    for (i = 0; i < split->nevents && !out->failed; i++) {
        if (ngx_canary_page_step(split, i, &first) == 1) {
            ngx_canary_page_funnel(&bars, i);
        }
    }

    bars.step = 0;
    bars.most = 0;
    bars.per = NULL;

    for (i = 0; i < split->nevents && !out->failed; i++) {
        if (ngx_canary_page_step(split, i, &first) == 0) {
            bars.event = &split->events[i];
            ngx_canary_page_bars(&bars);
        }
    }

    for (i = 0; i < split->nrules && !out->failed; i++) {
        ngx_canary_page_ratio(&bars, &split->rules[i]);
    }

    ngx_canary_out_lit(out, "</table>\n");
}


/* by step, as one may lead to several; the greater side begins with all */
static void
ngx_canary_page_funnel(ngx_canary_bars_t *bars, size_t first)
{
    size_t                     i, v, found, begins;
    uint64_t                   part, of;
    const ngx_canary_rule_t   *before;
    const ngx_canary_split_t  *split;

    split = bars->split;
    bars->event = &split->events[first];
    bars->most = 1;

    for (v = 0; v < split->nvariants; v++) {
        part = ngx_canary_page_part(bars, NULL, v, &of);
        bars->most = part > bars->most ? part : bars->most;
    }

    found = 1;

    for (bars->step = 1; found && !bars->out->failed; bars->step++) {
        found = 0;

        for (i = 0; i < split->nevents; i++) {
            if (ngx_canary_page_step(split, i, &begins) != bars->step
                || begins != first)
            {
                continue;
            }

            found = 1;
            before = ngx_canary_page_before(split, i);

            bars->event = &split->events[i];
            bars->per = before ? &split->events[before->per] : NULL;

            ngx_canary_page_bars(bars);
        }
    }
}


/* the gate that asks how many of the step before come to this one, or NULL */
static const ngx_canary_rule_t *
ngx_canary_page_before(const ngx_canary_split_t *split, size_t event)
{
    size_t                    i;
    const ngx_canary_rule_t  *rule;

    for (i = 0; i < split->nrules; i++) {
        rule = &split->rules[i];

        if (rule->metric == NGX_CANARY_METRIC_EVENT_RATIO
            && rule->op == NGX_CANARY_AT_LEAST
            && rule->event == event && rule->per != event
            && rule->per < split->nevents)
        {
            return rule;
        }
    }

    return NULL;
}


/* which step of a funnel an event is, and its first; 0: no funnel, or a ring */
static size_t
ngx_canary_page_step(const ngx_canary_split_t *split, size_t event,
    size_t *first)
{
    size_t                    n;
    const ngx_canary_rule_t  *before;

    *first = event;

    for (n = 1; n <= split->nevents; n++) {
        before = ngx_canary_page_before(split, *first);

        if (before == NULL) {
            return n > 1 || ngx_canary_page_leads(split, event) ? n : 0;
        }

        *first = before->per;
    }

    return 0;
}


static int
ngx_canary_page_leads(const ngx_canary_split_t *split, size_t event)
{
    size_t                    i;
    const ngx_canary_rule_t  *before;

    for (i = 0; i < split->nevents; i++) {
        before = ngx_canary_page_before(split, i);

        if (before && before->per == event) {
            return 1;
        }
    }

    return 0;
}


/* unless it leads from step to step */
static void
ngx_canary_page_ratio(ngx_canary_bars_t *bars, const ngx_canary_rule_t *rule)
{
    size_t                     first;
    const ngx_canary_split_t  *split;

    split = bars->split;

    if (rule->metric != NGX_CANARY_METRIC_EVENT_RATIO
        || rule->event >= split->nevents || rule->per >= split->nevents
        || (ngx_canary_page_before(split, rule->event) == rule
            && ngx_canary_page_step(split, rule->event, &first)))
    {
        return;
    }

    bars->event = &split->events[rule->event];
    bars->per = &split->events[rule->per];

    ngx_canary_page_bars(bars);
}


static void
ngx_canary_page_bars(const ngx_canary_bars_t *bars)
{
    size_t                   v;
    uint64_t                 part, of, most;
    ngx_canary_out_t        *out;
    const ngx_canary_str_t  *per;

    static const ngx_canary_str_t  request = ngx_canary_text("request");

    out = bars->out;
    most = 1000000;

    for (v = 0; v < bars->split->nvariants; v++) {
        part = ngx_canary_page_part(bars, bars->per, v, &of);
        most = part > most ? part : most;
    }

    per = bars->per ? &bars->per->name : &request;

    ngx_canary_print(out, "<tbody><tr><th colspan=\"4\" scope=\"rowgroup\">"
                          "%s%H <span>%s %H</span></th></tr>\n",
                     bars->step > 1 ? "<i aria-hidden=\"true\">&#8627;</i> "
                                    : "",
                     &bars->event->name, bars->step > 1 ? "of" : "for each",
                     per);

    for (v = 0; v < bars->split->nvariants; v++) {
        ngx_canary_page_bar(bars, v, most);
    }

    ngx_canary_out_lit(out, "</tbody>\n");
}


/* in a funnel as long as it is of all requests, next to where that began */
static void
ngx_canary_page_bar(const ngx_canary_bars_t *bars, size_t v, uint64_t most)
{
    uint64_t           part, length, of;
    ngx_canary_out_t  *out;
    ngx_canary_str_t   name;

    out = bars->out;
    name = bars->split->variants[v].name;

    length = ngx_canary_page_part(bars, bars->step ? NULL : bars->per, v, &of);
    part = ngx_canary_page_part(bars, bars->per, v, &of);

    ngx_canary_print(out, "<tr><td><span class=\"name\">%H</span></td><td>"
                          "<svg class=\"event\" aria-hidden=\"true\"><rect "
                          "class=\"v%z\" height=\"100%%\" width=\"%W\"/></svg>"
                          "</td><td>",
                     &name, v,
                     (double) length
                     / (double) (bars->step ? bars->most : most));

    if (of) {
        ngx_canary_page_percent(ngx_canary_page_round(part), out);

    } else {
        ngx_canary_out_lit(out, "&ndash;");
    }

    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_page_counts(bars, v, of);
    ngx_canary_out_lit(out, "</td></tr>\n");
}


/* "90 of 100", and of a step "by 80 users" where they are counted */
static void
ngx_canary_page_counts(const ngx_canary_bars_t *bars, size_t v, uint64_t of)
{
    const ngx_canary_event_figures_t  *f;

    f = &bars->event->figures[v][NGX_CANARY_STAGE];

    ngx_canary_print(bars->out, "%u of %u", f->count, of);

    if (bars->step && bars->event->unique) {
        ngx_canary_out_lit(bars->out, ", by ");
        ngx_canary_page_number(f->unique, "user", "users", bars->out);
    }
}


/* in 1e-6 of what it is counted for */
static uint64_t
ngx_canary_page_part(const ngx_canary_bars_t *bars,
    const ngx_canary_event_t *per, size_t v, uint64_t *of)
{
    if (per) {
        *of = per->figures[v][NGX_CANARY_STAGE].count;

    } else {
        *of = bars->split->variants[v].figures[NGX_CANARY_STAGE].requests;
    }

    return ngx_canary_ratio_ppm(
                        bars->event->figures[v][NGX_CANARY_STAGE].count, *of);
}
