/* Custom events in all formats for machines, letter by letter. */

#include "tap.h"

#include "driver/picture.h"


#define VALUES                                                                \
    ",\"value\":{\"count\":10,\"sum\":123.456,\"min\":0.001,\"max\":50,"      \
    "\"p50\":10.5,\"p95\":31.5,\"p99\":42,\"last\":7}}"

#define NO_VALUES                                                             \
    "{\"count\":0,\"rate\":null,\"unique\":0,\"value\":{\"count\":0,"         \
    "\"sum\":0,\"min\":null,\"max\":null,\"p50\":null,\"p95\":null,"          \
    "\"p99\":null,\"last\":null}}"

#define LOGIN(count)  "{\"count\":" count ",\"rate\":null}"

#define SCOPES(figures)                                                       \
    "{\"total\":" figures ",\"stage\":" figures ",\"window\":" figures "}"

#define LABELS(variant, event)                                                \
    "{upstream=\"documents\",variant=\"" variant "\",event=\"" event "\""

#define UPLOAD  LABELS("sliceB_documents", "document_upload")
#define NONE    LABELS("documents", "document_upload")


static const char  json[] =
    ",\"events\":{\"document_upload\":{"
    "\"documents\":" SCOPES(NO_VALUES) ",\"sliceB_documents\":"
    "{\"total\":{\"count\":20,\"rate\":2.5,\"unique\":12" VALUES
    ",\"stage\":{\"count\":19,\"rate\":2.375,\"unique\":11" VALUES
    ",\"window\":{\"count\":18,\"rate\":2.25,\"unique\":10" VALUES "}},"
    "\"login\":{\"documents\":" SCOPES(LOGIN("3"))
    ",\"sliceB_documents\":" SCOPES(LOGIN("0")) "}},\"journal\":";

static const char  users[] =
    "# HELP nginx_canary_event_users Different users of the window.\n"
    "# TYPE nginx_canary_event_users gauge\n"
    "nginx_canary_event_users" NONE "} 0\n"
    "nginx_canary_event_users" UPLOAD "} 10\n"
    "# HELP nginx_canary_event_value Values of events, quantiles of the "
    "window.\n"
    "# TYPE nginx_canary_event_value summary\n"
    "nginx_canary_event_value_sum" NONE "} 0\n"
    "nginx_canary_event_value_count" NONE "} 0\n"
    "nginx_canary_event_value" UPLOAD ",quantile=\"0.5\"} 10.5\n"
    "nginx_canary_event_value" UPLOAD ",quantile=\"0.9\"} 21\n"
    "nginx_canary_event_value" UPLOAD ",quantile=\"0.95\"} 31.5\n"
    "nginx_canary_event_value" UPLOAD ",quantile=\"0.99\"} 42\n"
    "nginx_canary_event_value" UPLOAD ",quantile=\"0.999\"} 52.5\n"
    "nginx_canary_event_value_sum" UPLOAD "} 123.456\n"
    "nginx_canary_event_value_count" UPLOAD "} 10\n";

static const char  counts[] =
    "nginx_canary_events_total" NONE "} 0\n"
    "nginx_canary_events_total" UPLOAD "} 20\n"
    "nginx_canary_events_total" LABELS("documents", "login") "} 3\n"
    "nginx_canary_events_total" LABELS("sliceB_documents", "login") "} 0\n";


static void
has(picture_render_pt render, const char *picture, const char *part, int times,
    const char *name)
{
    int                        n;
    char                      *text;
    const char                *p;
    ngx_canary_snapshot_t      snap;
    static ngx_canary_split_t  split;

    (void) picture_take(&snap, &split, picture);

    text = picture_render(render, &snap, 1);
    n = 0;

    for (p = text; p && (p = strstr(p, part)) != NULL; p++) {
        n++;
    }

    if (!ok(n == times, "%s", name)) {
        printf("# expected %d of: %s\n# got: %s\n", times, part,
               text ? text : "nothing");
    }

    free(text);
}


int
main(void)
{
    has(ngx_canary_render_json, "events", json, 1, "status.json");
    has(ngx_canary_render_json, "sample", "\"events\":{}", 1, "without any");

    has(ngx_canary_render_prometheus, "events", counts, 1, "counters");
    has(ngx_canary_render_prometheus, "events",
        "# TYPE nginx_canary_events_total counter\n", 1, "their type");
    has(ngx_canary_render_prometheus, "events", users, 1,
        "users and values, of those that ask for them");
    has(ngx_canary_render_prometheus, "sample", "event", 0, "without any");

    has(ngx_canary_render_openmetrics, "events", counts, 1, "OpenMetrics");
    has(ngx_canary_render_openmetrics, "events",
        "# TYPE nginx_canary_events counter\n", 1, "their type");
    has(ngx_canary_render_openmetrics, "events", users, 1, "users, values");
    has(ngx_canary_render_openmetrics, "events", "event_value_created", 0,
        "no time of creation");

    return tap_done();
}
