/* Gates in the formats for machines, letter by letter, and on the page. */

#include "tap.h"

#include "driver/picture.h"


#define LABELS(gate)                                                          \
    "{upstream=\"documents\",variant=\"sliceB_documents\",gate=\"" gate "\"} "

#define P95       LABELS("p95 <= 500ms")
#define RELATIVE  LABELS("error_rate not_worse margin=50%")


static const char  json[] =
    "\"gates\":["
    "{\"variant\":\"sliceB_documents\",\"text\":\"p95 <= 500ms\","
    "\"metric\":\"p95\",\"rule\":\"<=\","
    "\"limit\":0.5,\"status\":\"pass\",\"actual\":0.385,\"window\":0.391,"
    "\"baseline\":0.2415,\"samples\":477,\"min\":400,\"evidence\":0.3,"
    "\"threshold\":7.691,\"dispersion\":1,\"trials\":477,\"bad\":1,"
    "\"expected\":null,\"stream\":1,"
    "\"reason\":\"385ms in the stage, 391ms in the window\"},"
    "{\"variant\":\"sliceB_documents\","
    "\"text\":\"error_rate not_worse margin=50%\",\"metric\":\"error_rate\","
    "\"rule\":\"not_worse\",\"limit\":0.5,\"status\":\"pending\","
    "\"actual\":null,\"window\":null,\"baseline\":0.002051,\"samples\":0,"
    "\"min\":100,\"evidence\":0,\"threshold\":7.691,\"dispersion\":12.4,"
    "\"trials\":20.5,\"bad\":2,\"expected\":1.026,"
    "\"stream\":18446744073709551615,\"reason\":\"0 of 100 samples\"}"
    "],\"variants\":";

static const char  metrics[] =
    "# HELP nginx_canary_gate_evidence_ratio Evidence by threshold, 1 "
    "fails.\n"
    "# TYPE nginx_canary_gate_evidence_ratio gauge\n"
    "nginx_canary_gate_evidence_ratio" P95 "0.039\n"
    "nginx_canary_gate_evidence_ratio" RELATIVE "0\n"
    "# HELP nginx_canary_gate_dispersion How much bad trials come in "
    "bursts.\n"
    "# TYPE nginx_canary_gate_dispersion gauge\n"
    "nginx_canary_gate_dispersion" P95 "1\n"
    "nginx_canary_gate_dispersion" RELATIVE "12.4\n";

static const char  page[] =
    "<td>477</td><td>3%</td><td>385ms in the stage, 391ms in the window</td>"
    "</tr>\n";


static ngx_canary_split_t  splits[1];


static void
holds(picture_render_pt render, const char *part, size_t times,
    const char *name)
{
    char                   *text;
    ngx_canary_snapshot_t   snap;

    (void) picture_take(&snap, splits, "gated");

    text = picture_render(render, &snap, 256);

    if (!is_u64(picture_count(text, part), times, name)) {
        printf("# %s\n", part);
    }

    free(text);
}


/* a row of a throughput gate has no evidence, and nothing fails beyond 100% */

static void
evidence_on_page(ngx_canary_metric_e metric, double ratio, const char *cell)
{
    char                     *text;
    ngx_canary_rule_t         rule;
    ngx_canary_snapshot_t     snap;

    (void) picture_take(&snap, splits, "gated");

    rule = splits[0].rules[0];
    rule.metric = metric;
    splits[0].gates[0].rule = &rule;
    splits[0].gates[0].evidence_ratio = ratio;

    text = picture_render(ngx_canary_render_page, &snap, 256);
    is_u64(picture_count(text, cell), 1, cell);
    free(text);
}


int
main(void)
{
    holds(ngx_canary_render_json, json, 1, "status.json");
    holds(ngx_canary_render_prometheus, metrics, 1, "Prometheus");
    holds(ngx_canary_render_openmetrics, metrics, 1, "OpenMetrics");
    holds(ngx_canary_render_page, page, 1, "the page");

    evidence_on_page(NGX_CANARY_METRIC_P95, 0.999, "<td>477</td><td>99%</td>");
    evidence_on_page(NGX_CANARY_METRIC_P95, 1, "<td>477</td><td>100%</td>");
    evidence_on_page(NGX_CANARY_METRIC_P95, 5.64, "<td>477</td><td>564%</td>");
    evidence_on_page(NGX_CANARY_METRIC_THROUGHPUT, 0,
                     "<td>477</td><td>&ndash;</td>");

    return tap_done();
}
