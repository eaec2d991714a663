/*
 * The page for people.  Nothing in it is inline, neither style nor script, and
 * nothing comes from elsewhere; links are relative.
 */


#include <string.h>

#include "ngx_canary_page.h"


static void ngx_canary_page_link(const ngx_canary_snapshot_t *snap,
    const char *name, ngx_canary_out_t *out);
static void ngx_canary_page_split(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_summary(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_bar(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_head(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_rows(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_label(const ngx_canary_metric_t *m,
    ngx_canary_out_t *out);
static void ngx_canary_page_cell(const ngx_canary_metric_t *m,
    const void *base, ngx_canary_out_t *out);
static void ngx_canary_page_number(const ngx_canary_metric_t *m,
    const void *base, ngx_canary_out_t *out);


static const ngx_canary_str_t  ngx_canary_page_open = ngx_canary_text(
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<link rel=\"icon\" href=\"data:,\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n"
    "<title>canary</title>\n"
);

static const ngx_canary_str_t  ngx_canary_page_scopes[NGX_CANARY_SCOPES] = {
    ngx_canary_text("total"),
    ngx_canary_text("this stage"),
    ngx_canary_text("window")
};


int
ngx_canary_render_page(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out)
{
    size_t  i;

    ngx_canary_out_str(out, ngx_canary_page_open);
    ngx_canary_out_lit(out, "<link rel=\"stylesheet\" href=\"");
    ngx_canary_page_link(snap, "page.css", out);
    ngx_canary_out_lit(out, "\">\n<script src=\"");
    ngx_canary_page_link(snap, "page.js", out);
    ngx_canary_out_lit(out, "\" defer></script>\n</head>\n<body>\n"
                            "<header><h1>canary</h1>");
    ngx_canary_page_moment(snap->time_ms, out);
    ngx_canary_out_lit(out, " &middot; generation ");
    ngx_canary_out_u64(out, snap->generation);
    ngx_canary_out_lit(out, ", loaded ");
    ngx_canary_page_moment(snap->loaded_at_ms, out);
    ngx_canary_out_lit(out, "</header>\n");

    if (snap->nsplits == 0) {
        ngx_canary_out_lit(out, "<p>No upstream is split.</p>\n");
    }

    for (i = 0; i < snap->nsplits && !out->failed; i++) {
        ngx_canary_page_split(&snap->splits[i], out);
    }

    ngx_canary_out_lit(out, "<footer><a href=\"");
    ngx_canary_page_link(snap, "status.json", out);
    ngx_canary_out_lit(out, "\">status.json</a> &middot; <a href=\"");
    ngx_canary_page_link(snap, "metrics", out);
    ngx_canary_out_lit(out, "\">metrics</a> &middot; canary ");
    ngx_canary_out_html(out, snap->version);
    ngx_canary_out_lit(out, " &middot; nginx ");
    ngx_canary_out_html(out, snap->server_version);
    ngx_canary_out_lit(out, "</footer>\n</body>\n</html>\n");

    return ngx_canary_out_end(out);
}


/* relative, for a location whose prefix was asked for without its slash too */
static void
ngx_canary_page_link(const ngx_canary_snapshot_t *snap, const char *name,
    ngx_canary_out_t *out)
{
    if (snap->page.len) {
        ngx_canary_out_lit(out, "./");
        ngx_canary_out_html(out, snap->page);
        ngx_canary_out_lit(out, "/");
    }

    ngx_canary_out_bytes(out, name, strlen(name));
}


static void
ngx_canary_page_split(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    ngx_canary_str_t  state;

    state = ngx_canary_states[split->state];

    ngx_canary_out_lit(out, "<section>\n<h2>");
    ngx_canary_out_html(out, split->name);
    ngx_canary_out_lit(out, " <span class=\"state ");
    ngx_canary_out_str(out, state);
    ngx_canary_out_lit(out, "\">");

    if (split->state == NGX_CANARY_STATE_ROLLED_BACK) {
        ngx_canary_out_lit(out, "rolled back");

    } else {
        ngx_canary_out_str(out, state);
    }

    ngx_canary_out_lit(out, "</span></h2>\n");

    ngx_canary_page_summary(split, out);
    ngx_canary_page_bar(split, out);
    ngx_canary_page_gates(split, out);

    ngx_canary_out_lit(out, "<table>\n<thead>\n");
    ngx_canary_page_head(split, out);
    ngx_canary_out_lit(out, "</thead>\n<tbody>\n");
    ngx_canary_page_rows(split, out);
    ngx_canary_out_lit(out, "</tbody>\n</table>\n");

    ngx_canary_page_events(split, out);
    ngx_canary_page_journal(split, out);
    ngx_canary_out_lit(out, "</section>\n");
}


static void
ngx_canary_page_summary(const ngx_canary_split_t *split,
    ngx_canary_out_t *out)
{
    if (split->reason.len) {
        ngx_canary_out_lit(out, "<p><strong>");
        ngx_canary_out_html(out, split->reason);
        ngx_canary_out_lit(out, "</strong></p>\n");
    }

    ngx_canary_out_lit(out, "<div>verdict <b class=\"");
    ngx_canary_out_str(out, ngx_canary_verdicts[split->verdict]);
    ngx_canary_out_lit(out, "\">");
    ngx_canary_out_str(out, ngx_canary_verdicts[split->verdict]);
    ngx_canary_out_lit(out, "</b> &middot; stage ");

    if (split->stage.len) {
        ngx_canary_out_html(out, split->stage);
        ngx_canary_out_lit(out, ", ");
    }

    ngx_canary_out_lit(out, "since ");
    ngx_canary_page_moment(split->stage_start_ms, out);
    ngx_canary_out_lit(out, " (");
    ngx_canary_page_age(split->stage_elapsed_us, out);
    ngx_canary_out_lit(out, ") &middot; generation ");
    ngx_canary_out_u64(out, split->generation);
    ngx_canary_out_lit(out, " &middot; unkeyed ");
    ngx_canary_out_u64(out, split->unkeyed);
    ngx_canary_out_lit(out, " &middot; bypassed ");
    ngx_canary_out_u64(out, split->bypassed);
    ngx_canary_out_lit(out, "</div>\n");
}


/* the shares in force, the baseline first */
static void
ngx_canary_page_bar(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t                       i;
    uint64_t                     left;
    const ngx_canary_variant_t  *variant;

    left = 0;

    ngx_canary_out_lit(out, "<svg class=\"bar\">");

    for (i = 0; i < split->nvariants; i++) {
        variant = &split->variants[i];

        if (variant->share_ppm == 0) {
            continue;
        }

        if (variant->canary) {
            ngx_canary_out_lit(out, "<rect class=\"canary\" x=\"");

        } else {
            ngx_canary_out_lit(out, "<rect x=\"");
        }

        ngx_canary_page_percent(left, out);
        ngx_canary_out_lit(out, "\" width=\"");
        ngx_canary_page_percent(variant->share_ppm, out);
        ngx_canary_out_lit(out, "\" height=\"100%\"><title>");
        ngx_canary_out_html(out, variant->name);
        ngx_canary_out_lit(out, "</title></rect>");

        left += variant->share_ppm;
    }

    ngx_canary_out_lit(out, "</svg>\n");
}


/* the scopes, and under each of them the variants side by side */
static void
ngx_canary_page_head(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t  i, s;

    ngx_canary_out_lit(out, "<tr><th></th>");

    for (s = 0; s < NGX_CANARY_SCOPES; s++) {
        ngx_canary_out_lit(out, "<th class=\"first\" colspan=\"");
        ngx_canary_out_u64(out, split->nvariants);
        ngx_canary_out_lit(out, "\">");
        ngx_canary_out_str(out, ngx_canary_page_scopes[s]);
        ngx_canary_out_lit(out, "</th>");
    }

    ngx_canary_out_lit(out, "</tr>\n<tr><th></th>");

    for (i = 0; i < NGX_CANARY_SCOPES * split->nvariants; i++) {
        if (i % split->nvariants == 0) {
            ngx_canary_out_lit(out, "<th class=\"first\">");

        } else {
            ngx_canary_out_lit(out, "<th>");
        }

        ngx_canary_out_html(out, split->variants[i % split->nvariants].name);
        ngx_canary_out_lit(out, "</th>");
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

                if (i == 0) {
                    ngx_canary_out_lit(out, "<td class=\"first\">");

                } else {
                    ngx_canary_out_lit(out, "<td>");
                }

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

    ngx_canary_out_lit(out, "<tr><th title=\"");
    ngx_canary_out_html(out, m->help);
    ngx_canary_out_lit(out, "\">");

    if (m->object.len) {
        ngx_canary_out_str(out, m->object);
        ngx_canary_out_lit(out, " ");
    }

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
    if (ngx_canary_metric_null(m, base)) {
        ngx_canary_out_lit(out, "&ndash;");

    } else {
        ngx_canary_page_number(m, base, out);
    }
}


static void
ngx_canary_page_number(const ngx_canary_metric_t *m, const void *base,
    ngx_canary_out_t *out)
{
    uint64_t  n;

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
        n = ngx_canary_rate_ppm(n, ngx_canary_metric_per(m, base));
        ngx_canary_out_decimal(out, ngx_canary_mean(n, 10000), 2);
        ngx_canary_out_lit(out, "/s");
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
