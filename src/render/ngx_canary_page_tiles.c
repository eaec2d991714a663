/*
 * A tile for each gate: the canary's figure beside the baseline's, both on a
 * line with the limit, how sure the canary's is, and how much of the evidence
 * that a rollback takes there is.
 */

#include "ngx_canary_chart.h"
#include "ngx_canary_tile.h"


static void ngx_canary_page_tile(ngx_canary_tile_t *tile);
static void ngx_canary_tile_heading(const ngx_canary_tile_t *tile);
static void ngx_canary_tile_canary(const ngx_canary_tile_t *tile);
static void ngx_canary_tile_line(const ngx_canary_tile_t *tile);
static void ngx_canary_tile_label(const ngx_canary_tile_t *tile);
static void ngx_canary_tile_beyond(const ngx_canary_tile_t *tile,
    const ngx_canary_scale_t *scale);
static void ngx_canary_tile_points(const ngx_canary_tile_t *tile,
    const ngx_canary_scale_t *scale);
static void ngx_canary_tile_evidence(const ngx_canary_tile_t *tile);
static void ngx_canary_tile_short(const ngx_canary_tile_t *tile, double micro);


/* by ngx_canary_gate_status_e */
static const ngx_canary_mood_e  ngx_canary_tile_moods[] = {
    NGX_CANARY_MOOD_YOUNG, NGX_CANARY_MOOD_GO, NGX_CANARY_MOOD_FAILS
};


void
ngx_canary_page_tiles(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t             i, v;
    ngx_canary_tile_t  tile;

    if (split->ngates == 0) {
        return;
    }

    for (v = 1; v < split->nvariants; v++) {
        ngx_canary_out_lit(out, "<h2>Gates");

        if (split->nvariants > 2) {
            ngx_canary_print(out, " of %H", &split->variants[v].name);
        }

        ngx_canary_out_lit(out, "</h2>\n<div class=\"tiles\">\n");

        for (i = 0; i < split->ngates && !out->failed; i++) {
            if (split->gates[i].index != v) {
                continue;
            }

            tile.split = split;
            tile.gate = &split->gates[i];
            tile.out = out;

            ngx_canary_tile_figures(&tile);
            ngx_canary_page_tile(&tile);
        }

        ngx_canary_out_lit(out, "</div>\n");
    }
}


static void
ngx_canary_page_tile(ngx_canary_tile_t *tile)
{
    ngx_canary_out_t         *out;
    const ngx_canary_gate_t  *gate;

    out = tile->out;
    gate = tile->gate;

    ngx_canary_tile_heading(tile);

    ngx_canary_print(out, "<p class=\"figures\"><b class=\"v%z\">",
                     gate->index);
    ngx_canary_tile_canary(tile);
    ngx_canary_out_lit(out, "</b> <span class=\"v0\">");

    if (gate->rule->metric == NGX_CANARY_METRIC_THROUGHPUT) {
        ngx_canary_out_lit(out, "of the whole split");

    } else if (tile->gate->has_baseline) {
        ngx_canary_out_lit(out, "baseline ");
        ngx_canary_tile_short(tile, (double) tile->gate->baseline_actual);

    } else {
        ngx_canary_out_lit(out, "baseline &ndash;");
    }

    ngx_canary_out_lit(out, "</span></p>\n");

    ngx_canary_tile_line(tile);
    ngx_canary_tile_evidence(tile);

    ngx_canary_print(out, "<p class=\"reason\">%H</p>\n</article>\n",
                     &gate->reason);
}


static void
ngx_canary_tile_heading(const ngx_canary_tile_t *tile)
{
    const ngx_canary_gate_t  *gate;
    const ngx_canary_look_t  *look;

    gate = tile->gate;
    look = ngx_canary_page_look(ngx_canary_tile_moods[gate->status]);

    ngx_canary_print(tile->out, "<article class=\"tile %V\">\n<h3>%H</h3> "
                                "<p class=\"state\"><span aria-hidden=\"true\">"
                                "%V</span> %V</p>\n",
                     &look->class, &gate->text, &look->icon,
                     &ngx_canary_statuses[gate->status]);
}


/* a quantile among requests that were given up is known to be beyond */
static void
ngx_canary_tile_canary(const ngx_canary_tile_t *tile)
{
    const ngx_canary_gate_t  *gate;

    gate = tile->gate;

    if (gate->has_actual) {
        ngx_canary_tile_short(tile, (double) gate->actual);

    } else if (gate->beyond[NGX_CANARY_STAGE]) {
        ngx_canary_out_lit(tile->out, "&gt; ");
        ngx_canary_tile_short(tile,
                              gate->rule->op == NGX_CANARY_NOT_WORSE
                              ? (double) gate->ref_us : (double) gate->limit);

    } else {
        ngx_canary_out_lit(tile->out, "&ndash;");
    }
}


/* from 0 to half as much again as the greatest of what is on it */
static void
ngx_canary_tile_line(const ngx_canary_tile_t *tile)
{
    double                    most;
    ngx_canary_out_t         *out;
    ngx_canary_scale_t        scale;
    const ngx_canary_gate_t  *gate;

    out = tile->out;
    gate = tile->gate;
    most = 0;

    if (tile->has_limit) {
        most = tile->limit * 1.5;
    }

    if (gate->has_actual && (double) gate->actual * 1.2 > most) {
        most = (double) gate->actual * 1.2;
    }

    if (gate->has_baseline && (double) gate->baseline_actual * 1.2 > most) {
        most = (double) gate->baseline_actual * 1.2;
    }

    if (tile->has_interval && !tile->open && tile->high * 1.05 > most
        && tile->high < most * 2)
    {
        most = tile->high * 1.05;
    }

    if (!(most > 0)) {
        return;
    }

    scale.from = 0;
    scale.to = most;
    scale.log = 0;

    ngx_canary_out_lit(out, "<svg class=\"line\" role=\"img\" aria-label=\"");
    ngx_canary_tile_label(tile);
    ngx_canary_out_lit(out, "\"><line class=\"axis\" x2=\"100%\" y1=\"14\" "
                            "y2=\"14\"/>");
    ngx_canary_tile_beyond(tile, &scale);
    ngx_canary_tile_points(tile, &scale);
    ngx_canary_out_lit(out, "</svg>\n");
}


static void
ngx_canary_tile_label(const ngx_canary_tile_t *tile)
{
    ngx_canary_out_t  *out;

    out = tile->out;

    ngx_canary_out_lit(out, "canary ");
    ngx_canary_tile_canary(tile);

    if (tile->has_interval) {
        ngx_canary_out_lit(out, ", with 95% confidence ");
        ngx_canary_tile_short(tile, tile->low);

        if (tile->open) {
            ngx_canary_out_lit(out, " or more");

        } else {
            ngx_canary_out_lit(out, " to ");
            ngx_canary_tile_short(tile, tile->high);
        }
    }

    if (tile->gate->has_baseline) {
        ngx_canary_out_lit(out, "; baseline ");
        ngx_canary_tile_short(tile, (double) tile->gate->baseline_actual);
    }

    if (tile->has_limit) {
        ngx_canary_out_lit(out, "; limit ");
        ngx_canary_tile_short(tile, tile->limit);
    }
}


static void
ngx_canary_tile_beyond(const ngx_canary_tile_t *tile,
    const ngx_canary_scale_t *scale)
{
    double             at;
    const char        *anchor;
    ngx_canary_out_t  *out;

    if (!tile->has_limit) {
        return;
    }

    out = tile->out;
    at = ngx_canary_scale_at(scale, tile->limit);
    anchor = "mid";

    if (at < 0.2) {
        anchor = "from";

    } else if (at > 0.8) {
        anchor = "to";
    }

    ngx_canary_out_lit(out, "<rect class=\"beyond\" y=\"4\" height=\"20\" ");

    if (tile->gate->rule->op == NGX_CANARY_AT_LEAST) {
        ngx_canary_print(out, "width=\"%W\"/>", at);

    } else {
        ngx_canary_print(out, "x=\"%W\" width=\"%W\"/>", at, 1 - at);
    }

    ngx_canary_print(out, "<line class=\"limit\" y1=\"2\" y2=\"26\" x1=\"%W\" "
                          "x2=\"%W\"/><text class=\"limit %s\" y=\"39\" "
                          "x=\"%W\">limit ", at, at, anchor, at);
    ngx_canary_tile_short(tile, tile->limit);
    ngx_canary_out_lit(out, "</text>");
}


static void
ngx_canary_tile_points(const ngx_canary_tile_t *tile,
    const ngx_canary_scale_t *scale)
{
    double                    at, to;
    ngx_canary_out_t         *out;
    const ngx_canary_gate_t  *gate;

    out = tile->out;
    gate = tile->gate;

    if (tile->has_interval) {
        at = ngx_canary_scale_at(scale, tile->low);
        to = tile->open ? 1 : ngx_canary_scale_at(scale, tile->high);

        ngx_canary_print(out, "<line class=\"sure v%z\" y1=\"14\" y2=\"14\" "
                              "x1=\"%W\" x2=\"%W\"/>", gate->index, at, to);
    }

    if (gate->has_baseline) {
        at = ngx_canary_scale_at(scale, (double) gate->baseline_actual);

        ngx_canary_print(out, "<circle class=\"v0\" r=\"7\" cy=\"14\" "
                              "cx=\"%W\"/>", at);
    }

    if (gate->has_actual) {
        at = ngx_canary_scale_at(scale, (double) gate->actual);

        ngx_canary_print(out, "<circle class=\"v%z\" r=\"5\" cy=\"14\" "
                              "cx=\"%W\"/>", gate->index, at);
    }
}


/* logarithms to base 10, as in status.json: the bar is full where it fails */
static void
ngx_canary_tile_evidence(const ngx_canary_tile_t *tile)
{
    uint64_t                  evidence, threshold;
    const ngx_canary_gate_t  *gate;

    gate = tile->gate;

    if (gate->rule->metric == NGX_CANARY_METRIC_THROUGHPUT) {
        return;
    }

    evidence = (uint64_t) (gate->evidence_log10 * 10 + 0.5);
    threshold = (uint64_t) (gate->threshold_log10 * 10 + 0.5);

    ngx_canary_print(tile->out,
                     "<p class=\"evidence\"><span>evidence against it</span>"
                     "<svg aria-hidden=\"true\"><rect width=\"100%%\" "
                     "height=\"8\" rx=\"4\"/><rect class=\"full\" height=\"8\" "
                     "rx=\"4\" width=\"%W\"/></svg><span>%u.%u of %u.%u"
                     "</span></p>\n",
                     gate->evidence_ratio, evidence / 10, evidence % 10,
                     threshold / 10, threshold % 10);
}


static void
ngx_canary_tile_short(const ngx_canary_tile_t *tile, double micro)
{
    ngx_canary_page_figure(tile->gate->rule,
                           ngx_canary_page_round((uint64_t) (micro + 0.5)),
                           tile->out);
}
