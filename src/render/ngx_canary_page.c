/*
 * The page for people: no script, nothing loaded from elsewhere, and links
 * relative to the location's prefix.
 */


#include "ngx_canary_page.h"


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
    "<meta http-equiv=\"refresh\" content=\"5\">\n"
    "<title>canary</title>\n"
    "<style>\n"
    ":root{color-scheme:light dark;--line:#8884;--dim:#888}\n"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;"
    "margin:2rem auto;padding:0 1rem}\n"
    "header,footer{color:var(--dim)}\n"
    "h1{font-size:1.4rem;margin:0}\n"
    "h2{font-size:1.2rem;margin:0 0 .3rem}\n"
    "section{border:1px solid var(--line);border-radius:8px;"
    "padding:1rem 1.2rem;margin:1.2rem 0;overflow-x:auto}\n"
    ".state{font-size:.8rem;font-weight:600;color:#fff;border-radius:1em;"
    "padding:.15em .7em;vertical-align:middle;background:#666}\n"
    ".active{background:#17803d}.rolled_back{background:#b91c1c}\n"
    ".bar{display:flex;height:.6rem;border-radius:.3rem;overflow:hidden;"
    "margin:.6rem 0;background:#8883}\n"
    ".bar i{background:#3b82f6}.bar .canary{background:#eab308;"
    "border-left:1px solid #fff}\n"
    "table{border-collapse:collapse;width:100%;"
    "font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.15rem .6rem;text-align:right;white-space:nowrap;"
    "border-bottom:1px solid var(--line)}\n"
    "th:first-child{text-align:left;font-weight:400}\n"
    "td:nth-child(n+2).first,th.first{border-left:1px solid var(--line)}\n"
    ".text td{text-align:left;white-space:normal}\n"
    ".gates,.events{margin:1rem 0}"
    ".gates td:not(:last-child){white-space:nowrap}\n"
    ".pass,.go{color:#17803d;font-weight:600}"
    ".fail,.rollback{color:#b91c1c;font-weight:600}\n"
    "</style>\n"
    "</head>\n"
    "<body>\n"
    "<header><h1>canary</h1>");

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

    ngx_canary_out_lit(out, "<footer><a href=\"status.json\">status.json</a>"
                            " &middot; <a href=\"metrics\">metrics</a>"
                            " &middot; canary ");
    ngx_canary_out_html(out, snap->version);
    ngx_canary_out_lit(out, " &middot; nginx ");
    ngx_canary_out_html(out, snap->server_version);
    ngx_canary_out_lit(out, "</footer>\n</body>\n</html>\n");

    return ngx_canary_out_end(out);
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
    const ngx_canary_variant_t  *variant;

    ngx_canary_out_lit(out, "<div class=\"bar\">");

    for (i = 0; i < split->nvariants; i++) {
        variant = &split->variants[i];

        if (variant->share_ppm == 0) {
            continue;
        }

        if (variant->canary) {
            ngx_canary_out_lit(out, "<i class=\"canary\" style=\"width:");

        } else {
            ngx_canary_out_lit(out, "<i style=\"width:");
        }

        ngx_canary_page_percent(variant->share_ppm, out);
        ngx_canary_out_lit(out, "\" title=\"");
        ngx_canary_out_html(out, variant->name);
        ngx_canary_out_lit(out, "\"></i>");
    }

    ngx_canary_out_lit(out, "</div>\n");
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
