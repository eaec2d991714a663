/*
 * All figures in tables, which are folded, and the journal.  They are also what
 * the charts say for those who do not see them.
 */

#include "ngx_canary_page.h"


static void ngx_canary_page_head(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_rows(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_label(const ngx_canary_metric_t *m,
    ngx_canary_out_t *out);
static void ngx_canary_page_cell(const ngx_canary_metric_t *m,
    const void *base, ngx_canary_out_t *out);
static void ngx_canary_page_gates(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_gate(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_out_t *out);
static void ngx_canary_page_gate_cell(const ngx_canary_gate_t *gate,
    uint64_t there, uint64_t micro, ngx_canary_out_t *out);
static void ngx_canary_page_values(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_event(const ngx_canary_event_t *event,
    const ngx_canary_variant_t *variant,
    const ngx_canary_event_figures_t *figures, ngx_canary_out_t *out);
static void ngx_canary_page_milli(uint64_t there, uint64_t milli,
    ngx_canary_out_t *out);


static const ngx_canary_str_t  ngx_canary_page_scopes[NGX_CANARY_SCOPES] = {
    ngx_canary_text("total"),
    ngx_canary_text("this stage"),
    ngx_canary_text("window")
};


void
ngx_canary_page_tables(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    ngx_canary_out_lit(out, "<details id=\"figures\"><summary>All figures"
                            "</summary>\n<div class=\"wide\" tabindex=\"0\" "
                            "role=\"region\" aria-label=\"All figures\">\n");

    ngx_canary_page_gates(split, out);

    ngx_canary_out_lit(out, "<table>\n<thead>\n");
    ngx_canary_page_head(split, out);
    ngx_canary_out_lit(out, "</thead>\n<tbody>\n");
    ngx_canary_page_rows(split, out);
    ngx_canary_out_lit(out, "</tbody>\n</table>\n");

    ngx_canary_page_values(split, out);

    ngx_canary_out_lit(out, "</div>\n</details>\n");
}


/* the scopes, and under each of them the variants side by side */
static void
ngx_canary_page_head(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t  i, s;

    ngx_canary_out_lit(out, "<tr><td></td>");

    for (s = 0; s < NGX_CANARY_SCOPES; s++) {
        ngx_canary_print(out, "<th class=\"first\" colspan=\"%z\">%V</th>",
                         split->nvariants, &ngx_canary_page_scopes[s]);
    }

    ngx_canary_out_lit(out, "</tr>\n<tr><td></td>");

    for (i = 0; i < NGX_CANARY_SCOPES * split->nvariants; i++) {
        ngx_canary_print(out, "<th%s>%H</th>",
                         i % split->nvariants ? "" : " class=\"first\"",
                         &split->variants[i % split->nvariants].name);
    }

    ngx_canary_out_lit(out, "</tr>\n");
}


static void
ngx_canary_page_rows(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t                       i, s;
    const ngx_canary_metric_t   *m, *end;
    const ngx_canary_variant_t  *variant;

    end = ngx_canary_metrics + ngx_canary_nmetrics;

    for (m = ngx_canary_metrics; m < end && !out->failed; m++) {

        if (m->level < NGX_CANARY_LEVEL_VARIANT
            || m->level > NGX_CANARY_LEVEL_FIGURES
            || m->key.len == 0)
        {
            continue;
        }

        ngx_canary_page_label(m, out);

        for (s = 0; s < NGX_CANARY_SCOPES; s++) {
            for (i = 0; i < split->nvariants; i++) {
                variant = &split->variants[i];

                ngx_canary_print(out, "<td%s>", i ? "" : " class=\"first\"");

                if (m->level == NGX_CANARY_LEVEL_FIGURES) {
                    ngx_canary_page_cell(m, &variant->figures[s], out);

                } else if (s == 0) {
                    ngx_canary_page_cell(m, variant, out);
                }

                ngx_canary_out_lit(out, "</td>");
            }
        }

        ngx_canary_out_lit(out, "</tr>\n");
    }
}


/* "latency p95", "error rate": the names of status.json */
static void
ngx_canary_page_label(const ngx_canary_metric_t *m, ngx_canary_out_t *out)
{
    size_t  i;

    ngx_canary_print(out, "<tr><th title=\"%H\">%V%s", &m->help, &m->object,
                     m->object.len ? " " : "");

    for (i = 0; i < m->key.len; i++) {
        if (m->key.data[i] == '_') {
            ngx_canary_out_lit(out, " ");

        } else {
            ngx_canary_out_bytes(out, &m->key.data[i], 1);
        }
    }

    ngx_canary_out_lit(out, "</th>");
}


static void
ngx_canary_page_cell(const ngx_canary_metric_t *m, const void *base,
    ngx_canary_out_t *out)
{
    uint64_t  n;

    if (ngx_canary_metric_null(m, base)) {
        ngx_canary_out_lit(out, "&ndash;");
        return;
    }

    n = ngx_canary_metric_u64(m, base);

    switch (m->kind) {

    case NGX_CANARY_KIND_SHARE:
        ngx_canary_page_percent(n, out);
        break;

    case NGX_CANARY_KIND_RATIO:
        ngx_canary_page_percent(ngx_canary_ratio_ppm(n,
                                    ngx_canary_metric_per(m, base)), out);
        break;

    case NGX_CANARY_KIND_RATE:
        ngx_canary_page_rate(ngx_canary_rate_ppm(n,
                                    ngx_canary_metric_per(m, base)), out);
        break;

    case NGX_CANARY_KIND_SECONDS:
        ngx_canary_page_time(n, out);
        break;

    case NGX_CANARY_KIND_MEAN:
        ngx_canary_page_time(ngx_canary_mean(n,
                                    ngx_canary_metric_per(m, base)), out);
        break;

    default:
        ngx_canary_metric_number(m, base, out);
    }
}


static void
ngx_canary_page_gates(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t  i;

    if (split->ngates == 0) {
        return;
    }

    ngx_canary_out_lit(out, "<table class=\"text gates\">\n"
                            "<tr><td>gate</td><td>status</td><td>stage</td>"
                            "<td>window</td><td>samples</td><td>evidence</td>"
                            "<td>reason</td></tr>\n");

    for (i = 0; i < split->ngates && !out->failed; i++) {
        ngx_canary_page_gate(split, &split->gates[i], out);
    }

    ngx_canary_out_lit(out, "</table>\n");
}


static void
ngx_canary_page_gate(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_out_t *out)
{
    const ngx_canary_str_t  *status;

    status = &ngx_canary_statuses[gate->status];

    ngx_canary_out_lit(out, "<tr><td>");

    if (split->nvariants > 2) {
        ngx_canary_print(out, "%H ", &gate->variant);
    }

    ngx_canary_print(out, "%H</td><td class=\"%V\">%V</td><td>", &gate->text,
                     status, status);
    ngx_canary_page_gate_cell(gate, gate->has_actual, gate->actual, out);
    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_page_gate_cell(gate, gate->has_window, gate->window, out);
    ngx_canary_print(out, "</td><td>%u</td><td>", gate->samples);

    /* the part of what fails, rounded down: 100% fails */

    if (gate->rule->metric == NGX_CANARY_METRIC_THROUGHPUT) {
        ngx_canary_out_lit(out, "&ndash;");

    } else {
        ngx_canary_print(out, "%u%%", (uint64_t) (gate->evidence_ratio * 100));
    }

    ngx_canary_print(out, "</td><td>%H</td></tr>\n", &gate->reason);
}


static void
ngx_canary_page_gate_cell(const ngx_canary_gate_t *gate, uint64_t there,
    uint64_t micro, ngx_canary_out_t *out)
{
    if (there == 0) {
        ngx_canary_out_lit(out, "&ndash;");
        return;
    }

    ngx_canary_page_figure(gate->rule, micro, out);
}


static void
ngx_canary_page_values(const ngx_canary_split_t *split, ngx_canary_out_t *out)
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

    ngx_canary_print(out, "<tr><td>%H</td><td>%H</td><td>%u</td><td>%u",
                     &event->name, &variant->name,
                     figures[NGX_CANARY_STAGE].count, window->count);
    ngx_canary_page_milli(window->elapsed_us,
                          ngx_canary_rate_ppm(window->count * 60,
                                              window->elapsed_us) / 1000,
                          out);
    ngx_canary_out_lit(out, "</td><td>");

    if (event->unique) {
        ngx_canary_out_u64(out, window->unique);
    }

    ngx_canary_page_milli(there, window->quantile[0], out);
    ngx_canary_page_milli(there, window->quantile[2], out);
    ngx_canary_page_milli(there, window->max, out);
    ngx_canary_out_lit(out, "</td></tr>\n");
}


/* the next cell */
static void
ngx_canary_page_milli(uint64_t there, uint64_t milli, ngx_canary_out_t *out)
{
    ngx_canary_out_lit(out, "</td><td>");

    if (there) {
        ngx_canary_out_decimal(out, milli, 3);

    } else {
        ngx_canary_out_lit(out, "&ndash;");
    }
}


/* the newest entry first */
void
ngx_canary_page_journal(const ngx_canary_split_t *split,
    ngx_canary_out_t *out)
{
    size_t                    i;
    const ngx_canary_note_t  *note;

    if (split->njournal == 0) {
        return;
    }

    ngx_canary_out_lit(out, "<details id=\"journal\"><summary>Journal, ");
    ngx_canary_page_number(split->njournal, "entry", "entries", out);
    ngx_canary_out_lit(out, "</summary>\n<table class=\"text\">\n"
                            "<thead><tr><th scope=\"col\">UTC</th>"
                            "<th scope=\"col\">event</th>"
                            "<th scope=\"col\">text</th></tr></thead>\n");

    for (i = split->njournal; i > 0 && !out->failed; i--) {
        note = &split->journal[i - 1];

        ngx_canary_print(out, "<tr><td>%D</td><td>%H</td><td>%H</td></tr>\n",
                         note->time_ms, &note->event, &note->text);
    }

    ngx_canary_out_lit(out, "</table>\n</details>\n");
}
