/* All splits, a line each: the worst first, then as they are configured. */

#include "ngx_canary_times.h"


#define NGX_CANARY_SPARK_POINTS  30     /* of all canaries of a split */


static void ngx_canary_page_line(const ngx_canary_split_t *split,
    ngx_canary_mood_e mood, ngx_canary_out_t *out);
static void ngx_canary_page_shares(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_spark(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_passes(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);


void
ngx_canary_page_overview(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out)
{
    int     mood;
    size_t  i;

    ngx_canary_print(out, "<header>\n<h1>canary</h1>\n<p class=\"dim\">"
                          "generation %u &middot; %D UTC</p>\n</header>\n",
                     snap->generation, snap->time_ms);

    if (snap->nsplits == 0) {
        ngx_canary_out_lit(out, "<p>No upstream is split.</p>\n");
        return;
    }

    ngx_canary_out_lit(out, "<table class=\"all\">\n<thead><tr>"
                            "<th scope=\"col\">state</th>"
                            "<th scope=\"col\">upstream</th>"
                            "<th scope=\"col\">share</th>"
                            "<th scope=\"col\">gates</th>"
                            "<th scope=\"col\">errors, last hour</th>"
                            "</tr></thead>\n<tbody>\n");

    for (mood = NGX_CANARY_MOOD_ROLLED_BACK; mood >= 0; mood--) {
        for (i = 0; i < snap->nsplits && !out->failed; i++) {
            if ((int) ngx_canary_page_mood(&snap->splits[i]) == mood) {
                ngx_canary_page_line(&snap->splits[i],
                                     (ngx_canary_mood_e) mood, out);
            }
        }
    }

    ngx_canary_out_lit(out, "</tbody>\n</table>\n");
}


static void
ngx_canary_page_line(const ngx_canary_split_t *split, ngx_canary_mood_e mood,
    ngx_canary_out_t *out)
{
    const ngx_canary_look_t  *look;

    look = ngx_canary_page_look(mood);

    ngx_canary_print(out, "<tr><td class=\"%V\">%V %V</td>"
                          "<td><a href=\"?upstream=",
                     &look->class, &look->icon, &look->word);
    ngx_canary_out_query(out, split->name);
    ngx_canary_print(out, "\">%H</a></td><td>", &split->name);
    ngx_canary_page_shares(split, out);
    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_page_passes(split, out);
    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_page_spark(split, out);
    ngx_canary_out_lit(out, "</td></tr>\n");
}


/* the error rate of its canaries over the last hour */
static void
ngx_canary_page_spark(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    ngx_canary_lines_t  lines;
    ngx_canary_times_t  times;

    if (split->history == NULL || split->nvariants < 2) {
        return;
    }

    times.split = split;
    times.out = out;
    times.series = NGX_CANARY_SERIES_HOUR;

    if (!ngx_canary_times_open(&times, NGX_CANARY_SPARK_POINTS
                                       / (split->nvariants - 1)))
    {
        return;
    }

    ngx_canary_lines_init(&lines, &times, "", ngx_canary_times_part);
    lines.least = 0.01;
    ngx_canary_lines_spark(&lines);
}


static void
ngx_canary_page_shares(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t  i;

    for (i = 1; i < split->nvariants; i++) {
        ngx_canary_print(out, "%s%P", i > 1 ? " + " : "",
                         (uint64_t) split->variants[i].share_ppm);
    }
}


static void
ngx_canary_page_passes(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t  i, n[NGX_CANARY_GATE_STATUSES] = { 0, 0, 0 };

    for (i = 0; i < split->ngates; i++) {
        n[split->gates[i].status]++;
    }

    if (split->ngates == 0) {
        return;
    }

    ngx_canary_print(out, "%z of %z pass", n[NGX_CANARY_GATE_PASS],
                     split->ngates);

    if (n[NGX_CANARY_GATE_FAIL]) {
        ngx_canary_out_lit(out, ", ");
        ngx_canary_page_number(n[NGX_CANARY_GATE_FAIL], "fails", "fail", out);
    }
}
