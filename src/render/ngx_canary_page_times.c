/*
 * What was, over one axis of time: error rates with the canary's band, the
 * quantile of the latency gate with the most evidence, and the evidence of the
 * worst gate.  For the last hour, and for the whole stage.
 */

#include "ngx_canary_times.h"


#define NGX_CANARY_PAGE_POINTS  360     /* of all curves of a chart */


static void ngx_canary_times_series(ngx_canary_times_t *times,
    const char *title);
static void ngx_canary_times_worst(ngx_canary_times_t *times);
static void ngx_canary_times_errors(const ngx_canary_times_t *times);
static void ngx_canary_times_quantiles(const ngx_canary_times_t *times);
static void ngx_canary_times_evidence(const ngx_canary_times_t *times);
static const ngx_canary_rule_t *ngx_canary_times_limit(
    const ngx_canary_split_t *split);


void
ngx_canary_page_times(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    ngx_canary_times_t  times;

    if (split->history == NULL) {
        return;
    }

    times.split = split;
    times.out = out;

    ngx_canary_out_lit(out, "<div class=\"both\">\n");

    times.series = NGX_CANARY_SERIES_HOUR;
    ngx_canary_times_series(&times, "The last hour");

    times.series = NGX_CANARY_SERIES_STAGE;
    ngx_canary_times_series(&times, "The whole stage");

    ngx_canary_out_lit(out, "</div>\n");
}


static void
ngx_canary_times_series(ngx_canary_times_t *times, const char *title)
{
    if (!ngx_canary_times_open(times, NGX_CANARY_PAGE_POINTS
                                      / times->split->nvariants))
    {
        return;
    }

    ngx_canary_times_worst(times);

    ngx_canary_print(times->out, "<details class=\"times\" id=\"times%u\" "
                                 "open><summary>%s</summary>\n",
                     (uint64_t) times->series, title);

    ngx_canary_times_errors(times);
    ngx_canary_times_quantiles(times);
    ngx_canary_times_evidence(times);

    ngx_canary_out_lit(times->out, "</details>\n");
}


/* the gates that are furthest on their way to a rollback */
static void
ngx_canary_times_worst(ngx_canary_times_t *times)
{
    size_t                     i;
    const ngx_canary_gate_t   *gate;
    const ngx_canary_split_t  *split;

    split = times->split;
    times->worst = split->ngates;
    times->quantile = NULL;

    for (i = 0; i < split->ngates; i++) {
        gate = &split->gates[i];

        if (gate->rule->metric == NGX_CANARY_METRIC_THROUGHPUT) {
            continue;
        }

        if (times->worst == split->ngates
            || gate->evidence_ratio
               > split->gates[times->worst].evidence_ratio)
        {
            times->worst = i;
        }

        if (gate->rule->metric <= NGX_CANARY_METRIC_P999
            && (times->quantile == NULL
                || gate->evidence_ratio > times->quantile->evidence_ratio))
        {
            times->quantile = gate;
        }
    }
}


static void
ngx_canary_times_errors(const ngx_canary_times_t *times)
{
    ngx_canary_lines_t        lines;
    const ngx_canary_rule_t  *rule;

    ngx_canary_lines_init(&lines, times, "errors", ngx_canary_times_part);

    lines.band = 1;
    lines.percent = 1;
    lines.least = 0.001;
    rule = ngx_canary_times_limit(times->split);

    if (rule) {
        lines.limit = (double) rule->limit / 1e6;
        lines.limit_text = rule->text;
    }

    ngx_canary_lines_head(&lines);
    ngx_canary_out_lit(times->out, "<b>Error rate</b> canary with its 95% "
                       "band, baseline dashed");
    ngx_canary_lines_draw(&lines);
}


static const ngx_canary_rule_t *
ngx_canary_times_limit(const ngx_canary_split_t *split)
{
    size_t                    i;
    const ngx_canary_rule_t  *rule;

    for (i = 0; i < split->nrules; i++) {
        rule = &split->rules[i];

        if (rule->metric == NGX_CANARY_METRIC_ERROR_RATE
            && rule->op == NGX_CANARY_AT_MOST)
        {
            return rule;
        }
    }

    return NULL;
}


/* p95 where no gate judges a latency */
static void
ngx_canary_times_quantiles(const ngx_canary_times_t *times)
{
    ngx_canary_lines_t        lines;
    const ngx_canary_rule_t  *rule;
    const ngx_canary_str_t   *metric;

    static const ngx_canary_str_t  p95 = ngx_canary_text("p95");

    rule = times->quantile ? times->quantile->rule : NULL;
    metric = rule ? &rule->metric_text : &p95;

    ngx_canary_lines_init(&lines, times, "latency", ngx_canary_times_quantile);

    lines.ppm = rule ? rule->quantile_ppm : 950000;
    lines.least = 1000;

    if (rule && rule->op != NGX_CANARY_NOT_WORSE) {
        lines.limit = (double) rule->limit;
        lines.limit_text = rule->text;
    }

    ngx_canary_lines_head(&lines);
    ngx_canary_print(times->out, "<b>%H latency</b> about: interpolated from "
                                 "counts, baseline dashed", metric);
    ngx_canary_lines_draw(&lines);
}


static void
ngx_canary_times_evidence(const ngx_canary_times_t *times)
{
    ngx_canary_lines_t        lines;
    const ngx_canary_gate_t  *gate;

    if (times->worst == times->split->ngates) {
        return;
    }

    gate = &times->split->gates[times->worst];

    ngx_canary_lines_init(&lines, times, "evidence", ngx_canary_times_power);

    lines.power = 1;
    lines.variant = gate->index;
    lines.least = 1;
    lines.limit = gate->threshold_log10;

    ngx_canary_lines_head(&lines);
    ngx_canary_print(times->out, "<b>Evidence against the canary</b> of the "
                                 "gate with the most: %H", &gate->text);

    if (times->split->nvariants > 2) {
        ngx_canary_print(times->out, " of %H", &gate->variant);
    }

    ngx_canary_lines_draw(&lines);
}
