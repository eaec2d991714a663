#include "ngx_canary_metrics.h"


#define S               ngx_canary_text
#define NONE            { 0, NULL }

#define GAUGE           NGX_CANARY_TYPE_GAUGE
#define COUNTER         NGX_CANARY_TYPE_COUNTER
#define SUMMARY         NGX_CANARY_TYPE_SUMMARY
#define CREATED         NGX_CANARY_TYPE_CREATED
#define HISTOGRAM       NGX_CANARY_TYPE_HISTOGRAM

#define TOTAL           NGX_CANARY_TOTAL
#define WINDOW          NGX_CANARY_WINDOW

#define ALWAYS          NGX_CANARY_ALWAYS

#define SNAPSHOT(kind)  NGX_CANARY_LEVEL_SNAPSHOT, NGX_CANARY_KIND_##kind
#define SPLIT(kind)     NGX_CANARY_LEVEL_SPLIT, NGX_CANARY_KIND_##kind
#define STAGE(kind)     NGX_CANARY_LEVEL_STAGE, NGX_CANARY_KIND_##kind
#define GATE(kind)      NGX_CANARY_LEVEL_GATE, NGX_CANARY_KIND_##kind
#define VARIANT(kind)   NGX_CANARY_LEVEL_VARIANT, NGX_CANARY_KIND_##kind
#define FIGURES(kind)   NGX_CANARY_LEVEL_FIGURES, NGX_CANARY_KIND_##kind

#define EVENT(kind)     NGX_CANARY_LEVEL_EVENT, NGX_CANARY_KIND_##kind
#define USERS(kind)     NGX_CANARY_LEVEL_USERS, NGX_CANARY_KIND_##kind
#define VALUES(kind)    NGX_CANARY_LEVEL_VALUES, NGX_CANARY_KIND_##kind

#define IN(type, field) offsetof(ngx_canary_##type##_t, field)
#define COUNT(i)        (IN(figures, counts) + (i) * sizeof(uint64_t))

/* JSON only */
#define UNNAMED         GAUGE, NONE, NONE, TOTAL

#define JSON(level, key, offset, help)                                        \
    { level, NONE, S(key), UNNAMED, S(help), offset, ALWAYS }

#define METRIC(level, key, offset, type, name, help)                          \
    { level, NONE, S(key), type, S(name), NONE, TOTAL, S(help), offset,       \
      ALWAYS }

#define RESPONSES(class, i, help)                                             \
    { FIGURES(NUMBER), S("responses"), S(class),                              \
      COUNTER, S("nginx_canary_responses"), S("class=\"" class "\""), TOTAL,  \
      S(help),                                                                \
      COUNT(i), ALWAYS }

#define QUANTILE(key, q, i, help)                                             \
    { FIGURES(SECONDS), S("latency"), S(key),                                 \
      GAUGE, S("nginx_canary_window_latency_seconds"), S("q=\"" q "\""),      \
      WINDOW, S(help),                                                        \
      IN(figures, latency.quantile_us) + (i) * sizeof(uint64_t),              \
      IN(figures, latency.count) }

#define EVENT_VALUE(key, field, per, help)                                    \
    { VALUES(MILLI), S("value"), S(key), UNNAMED, S(help),                    \
      IN(event_figures, field), IN(event_figures, per) }

#define EVENT_QUANTILE(key, i, help)                                          \
    { VALUES(MILLI), S("value"), S(key), UNNAMED, S(help),                    \
      IN(event_figures, quantile) + (i) * sizeof(uint64_t),                   \
      IN(event_figures, ncounted) }

#define ROLLBACKS(cause, i)                                                   \
    { SPLIT(NUMBER), NONE, NONE,                                              \
      COUNTER, S("nginx_canary_rollbacks"), S("cause=\"" cause "\""), TOTAL,  \
      S("Rollbacks."), IN(split, rollbacks) + (i) * sizeof(uint64_t), ALWAYS }


/*
 * Rows of one object stand together, as do those of one Prometheus name; a
 * name's help is that of its first row.
 */

const ngx_canary_metric_t  ngx_canary_metrics[] = {

    METRIC(SNAPSHOT(TEXT), "version", IN(snapshot, version),
           GAUGE, "nginx_canary_build_info",
           "Versions of the module and nginx."),

    JSON(SNAPSHOT(TEXT), "nginx_version", IN(snapshot, server_version),
         "Version of nginx."),

    JSON(SNAPSHOT(MOMENT), "time", IN(snapshot, time_ms),
         "When this was read."),

    JSON(SNAPSHOT(NUMBER), "generation", IN(snapshot, generation),
         "Loads of the configuration."),

    JSON(SNAPSHOT(MOMENT), "loaded_at", IN(snapshot, loaded_at_ms),
         "When the configuration was loaded."),

    METRIC(SPLIT(STATE), "state", IN(split, state),
           GAUGE, "nginx_canary_rolled_back", "1 while rolled back."),

    JSON(SPLIT(TEXT), "reason", IN(split, reason),
         "Why it is rolled back, or what holds back a go."),

    METRIC(SPLIT(NUMBER), "generation", IN(split, generation),
           GAUGE, "nginx_canary_generation",
           "Generation of the published split."),

    { STAGE(TEXT), S("stage"), S("name"),
      GAUGE, S("nginx_canary_stage_info"), NONE, TOTAL,
      S("Name of the stage."),
      IN(split, stage), ALWAYS },

    { STAGE(MOMENT), S("stage"), S("started_at"),
      GAUGE, S("nginx_canary_stage_start_time_seconds"), NONE, TOTAL,
      S("Start of the stage."),
      IN(split, stage_start_ms), ALWAYS },

    { STAGE(SECONDS), S("stage"), S("elapsed"),
      UNNAMED, S("Age of the stage."),
      IN(split, stage_elapsed_us), ALWAYS },

    METRIC(SPLIT(VERDICT), "verdict", IN(split, verdict),
           GAUGE, "nginx_canary_verdict", "1 for the current verdict."),

    METRIC(SPLIT(NUMBER), "unkeyed", IN(split, unkeyed),
           COUNTER, "nginx_canary_unkeyed", "Requests without a key."),

    METRIC(SPLIT(NUMBER), "bypassed", IN(split, bypassed),
           COUNTER, "nginx_canary_bypassed", "Requests that took no part."),

    ROLLBACKS("gate", NGX_CANARY_CAUSE_GATE),
    ROLLBACKS("operator", NGX_CANARY_CAUSE_OPERATOR),
    ROLLBACKS("state", NGX_CANARY_CAUSE_STATE),
    ROLLBACKS("rehearsal", NGX_CANARY_CAUSE_REHEARSAL),

    { SPLIT(NUMBER), NONE, NONE,
      COUNTER, S("nginx_canary_state_errors"), NONE, TOTAL,
      S("Writings of the state file that failed."),
      IN(split, state_errors), ALWAYS },

    JSON(GATE(TEXT), "variant", IN(gate, variant),
         "The canary that is judged."),

    JSON(GATE(TEXT), "text", IN(gate, text), "The rule as it is configured."),

    JSON(GATE(TEXT), "metric", IN(gate, metric), "What is judged."),

    JSON(GATE(TEXT), "rule", IN(gate, op), "How it is compared."),

    JSON(GATE(MICRO), "limit", IN(gate, limit),
         "The limit, or the margin of not_worse."),

    METRIC(GATE(STATUS), "status", IN(gate, status),
           GAUGE, "nginx_canary_gate_status", "1 for the current status."),

    { GATE(MICRO), NONE, S("actual"),
      UNNAMED, S("The figure of the stage."),
      IN(gate, actual), IN(gate, has_actual) },

    { GATE(MICRO), NONE, S("window"),
      UNNAMED, S("The figure of the window."),
      IN(gate, window), IN(gate, has_window) },

    { GATE(MICRO), NONE, S("baseline"),
      UNNAMED, S("The baseline's figure of the stage."),
      IN(gate, baseline_actual), IN(gate, has_baseline) },

    JSON(GATE(NUMBER), "samples", IN(gate, samples), "Samples of the stage."),

    JSON(GATE(NUMBER), "min", IN(gate, min), "Samples that a pass takes."),

    JSON(GATE(REAL), "evidence", IN(gate, evidence_log10),
         "Evidence against the canary, a power of ten."),

    JSON(GATE(REAL), "threshold", IN(gate, threshold_log10),
         "The evidence that fails, a power of ten."),

    { GATE(REAL), NONE, NONE,
      GAUGE, S("nginx_canary_gate_evidence_ratio"), NONE, TOTAL,
      S("Evidence by threshold, 1 fails."),
      IN(gate, evidence_ratio), ALWAYS },

    METRIC(GATE(REAL), "dispersion", IN(gate, dispersion),
           GAUGE, "nginx_canary_gate_dispersion",
           "How much bad trials come in bursts."),

    JSON(GATE(REAL), "trials", IN(gate, trials),
         "Trials judged since the stream began."),

    JSON(GATE(REAL), "bad", IN(gate, bad), "Those of them that were bad."),

    { GATE(REAL), NONE, S("expected"),
      UNNAMED, S("How many would be bad at the limit, with not_worse."),
      IN(gate, expected), IN(gate, has_expected) },

    JSON(GATE(NUMBER), "stream", IN(gate, stream),
         "Another number: it began anew."),

    JSON(GATE(TEXT), "reason", IN(gate, reason), "Why, with the numbers."),

    METRIC(VARIANT(SHARE), "configured_share",
           IN(variant, configured_share_ppm),
           GAUGE, "nginx_canary_configured_share_ratio",
           "Share as configured."),

    METRIC(VARIANT(SHARE), "share", IN(variant, share_ppm),
           GAUGE, "nginx_canary_share_ratio", "Share in force."),

    METRIC(FIGURES(NUMBER), "requests", IN(figures, requests),
           CREATED, "nginx_canary_requests", "Requests by hash."),

    METRIC(FIGURES(NUMBER), "forced", COUNT(NGX_CANARY_COUNT_FORCED),
           COUNTER, "nginx_canary_forced", "Forced requests."),

    METRIC(FIGURES(NUMBER), "errors", COUNT(NGX_CANARY_COUNT_ERRORS),
           COUNTER, "nginx_canary_errors", "Requests that failed."),

    METRIC(FIGURES(NUMBER), "fallbacks", COUNT(NGX_CANARY_COUNT_FALLBACKS),
           COUNTER, "nginx_canary_fallbacks",
           "Requests passed on to the baseline."),

    METRIC(FIGURES(NUMBER), "aborted", COUNT(NGX_CANARY_COUNT_ABORTED),
           COUNTER, "nginx_canary_aborted", "Client left before the header."),

    METRIC(FIGURES(NUMBER), "retries", COUNT(NGX_CANARY_COUNT_RETRIES),
           COUNTER, "nginx_canary_retries",
           "Requests retried within the variant."),

    { FIGURES(RATIO), NONE, S("error_rate"),
      UNNAMED, S("Errors by requests that were not aborted."),
      COUNT(NGX_CANARY_COUNT_ERRORS), IN(figures, samples) },

    { FIGURES(RATE), NONE, S("throughput"),
      UNNAMED, S("Requests a second."),
      IN(figures, requests), IN(figures, elapsed_us) },

    RESPONSES("1xx", NGX_CANARY_COUNT_1XX, "Requests by status class."),
    RESPONSES("2xx", NGX_CANARY_COUNT_2XX, "Status 200 to 299."),
    RESPONSES("3xx", NGX_CANARY_COUNT_3XX, "Status 300 to 399."),
    RESPONSES("4xx", NGX_CANARY_COUNT_4XX, "Status 400 to 499."),
    RESPONSES("5xx", NGX_CANARY_COUNT_5XX, "Status 500 to 599."),
    RESPONSES("none", NGX_CANARY_COUNT_NONE, "No valid status."),

    { FIGURES(NUMBER), S("latency"), S("count"),
      UNNAMED, S("Requests that were timed."),
      IN(figures, latency.count), ALWAYS },

    { FIGURES(SECONDS), S("latency"), S("sum"),
      UNNAMED, S("Sum of all latencies."),
      IN(figures, latency.sum_us), ALWAYS },

    { FIGURES(MEAN), S("latency"), S("mean"),
      UNNAMED, S("Mean latency."),
      IN(figures, latency.sum_us), IN(figures, latency.count) },

    { FIGURES(SECONDS), S("latency"), S("min"),
      UNNAMED, S("Lowest latency."),
      IN(figures, latency.min_us), IN(figures, latency.count) },

    { FIGURES(SECONDS), S("latency"), S("max"),
      UNNAMED, S("Highest latency."),
      IN(figures, latency.max_us), IN(figures, latency.count) },

    QUANTILE("p50", "0.5", 0, "Latency quantiles of the window."),
    QUANTILE("p90", "0.9", 1, "90% were at most as slow."),
    QUANTILE("p95", "0.95", 2, "95% were at most as slow."),
    QUANTILE("p99", "0.99", 3, "99% were at most as slow."),
    QUANTILE("p999", "0.999", 4, "99.9% were at most as slow."),

    { FIGURES(HISTOGRAM), NONE, NONE,
      HISTOGRAM, S("nginx_canary_latency_seconds"), NONE, TOTAL,
      S("Latency."),
      IN(figures, latency), ALWAYS },

    METRIC(EVENT(NUMBER), "count", IN(event_figures, count),
           COUNTER, "nginx_canary_events", "Custom events."),

    { EVENT(RATE), NONE, S("rate"),
      UNNAMED, S("Events a second."),
      IN(event_figures, count), IN(event_figures, elapsed_us) },

    { USERS(NUMBER), NONE, S("unique"),
      GAUGE, S("nginx_canary_event_users"), NONE, WINDOW,
      S("Different users of the window."),
      IN(event_figures, unique), ALWAYS },

    { VALUES(NUMBER), S("value"), S("count"),
      UNNAMED, S("Events with a value."),
      IN(event_figures, nvalues), ALWAYS },

    { VALUES(MILLI), S("value"), S("sum"),
      UNNAMED, S("Sum of all values."),
      IN(event_figures, sum), ALWAYS },

    EVENT_VALUE("min", min, ncounted, "Lowest value."),
    EVENT_VALUE("max", max, ncounted, "Highest value."),
    EVENT_QUANTILE("p50", 0, "Half were at most that."),
    EVENT_QUANTILE("p95", 2, "95% were at most that."),
    EVENT_QUANTILE("p99", 3, "99% were at most that."),
    EVENT_VALUE("last", last, nvalues, "The value counted last."),

    { VALUES(SUMMARY), NONE, NONE,
      SUMMARY, S("nginx_canary_event_value"), NONE, TOTAL,
      S("Values of events, quantiles of the window."),
      0, ALWAYS }
};


const size_t  ngx_canary_nmetrics = sizeof(ngx_canary_metrics)
                                    / sizeof(ngx_canary_metrics[0]);


const ngx_canary_str_t  ngx_canary_states[] = {
    S("active"), S("off"), S("rolled_back")
};


const ngx_canary_str_t  ngx_canary_verdicts[NGX_CANARY_VERDICTS] = {
    S("pending"), S("go"), S("rollback")
};


const ngx_canary_str_t  ngx_canary_statuses[NGX_CANARY_GATE_STATUSES] = {
    S("pending"), S("pass"), S("fail")
};
