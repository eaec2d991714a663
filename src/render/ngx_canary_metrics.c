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

    { SNAPSHOT(TEXT), NONE, S("version"),
      GAUGE, S("nginx_canary_build_info"), NONE, TOTAL,
      S("Versions of the module and nginx."),
      IN(snapshot, version), ALWAYS },

    { SNAPSHOT(TEXT), NONE, S("nginx_version"),
      UNNAMED, S("Version of nginx."),
      IN(snapshot, server_version), ALWAYS },

    { SNAPSHOT(MOMENT), NONE, S("time"),
      UNNAMED, S("When this was read."),
      IN(snapshot, time_ms), ALWAYS },

    { SNAPSHOT(NUMBER), NONE, S("generation"),
      UNNAMED, S("Loads of the configuration."),
      IN(snapshot, generation), ALWAYS },

    { SNAPSHOT(MOMENT), NONE, S("loaded_at"),
      UNNAMED, S("When the configuration was loaded."),
      IN(snapshot, loaded_at_ms), ALWAYS },

    { SPLIT(STATE), NONE, S("state"),
      GAUGE, S("nginx_canary_rolled_back"), NONE, TOTAL,
      S("1 while rolled back."),
      IN(split, state), ALWAYS },

    { SPLIT(TEXT), NONE, S("reason"),
      UNNAMED, S("Why it is rolled back, or what holds back a go."),
      IN(split, reason), ALWAYS },

    { SPLIT(NUMBER), NONE, S("generation"),
      GAUGE, S("nginx_canary_generation"), NONE, TOTAL,
      S("Generation of the published split."),
      IN(split, generation), ALWAYS },

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

    { SPLIT(VERDICT), NONE, S("verdict"),
      GAUGE, S("nginx_canary_verdict"), NONE, TOTAL,
      S("1 for the current verdict."),
      IN(split, verdict), ALWAYS },

    { SPLIT(NUMBER), NONE, S("unkeyed"),
      COUNTER, S("nginx_canary_unkeyed"), NONE, TOTAL,
      S("Requests without a key."),
      IN(split, unkeyed), ALWAYS },

    { SPLIT(NUMBER), NONE, S("bypassed"),
      COUNTER, S("nginx_canary_bypassed"), NONE, TOTAL,
      S("Requests that took no part."),
      IN(split, bypassed), ALWAYS },

    ROLLBACKS("gate", NGX_CANARY_CAUSE_GATE),
    ROLLBACKS("operator", NGX_CANARY_CAUSE_OPERATOR),
    ROLLBACKS("state", NGX_CANARY_CAUSE_STATE),
    ROLLBACKS("rehearsal", NGX_CANARY_CAUSE_REHEARSAL),

    { SPLIT(NUMBER), NONE, NONE,
      COUNTER, S("nginx_canary_state_errors"), NONE, TOTAL,
      S("Writings of the state file that failed."),
      IN(split, state_errors), ALWAYS },

    { GATE(TEXT), NONE, S("variant"),
      UNNAMED, S("The canary that is judged."),
      IN(gate, variant), ALWAYS },

    { GATE(TEXT), NONE, S("text"),
      UNNAMED, S("The rule as it is configured."),
      IN(gate, text), ALWAYS },

    { GATE(TEXT), NONE, S("metric"),
      UNNAMED, S("What is judged."),
      IN(gate, metric), ALWAYS },

    { GATE(TEXT), NONE, S("rule"),
      UNNAMED, S("How it is compared."),
      IN(gate, op), ALWAYS },

    { GATE(MICRO), NONE, S("limit"),
      UNNAMED, S("The limit, or the margin of not_worse."),
      IN(gate, limit), ALWAYS },

    { GATE(STATUS), NONE, S("status"),
      GAUGE, S("nginx_canary_gate_status"), NONE, TOTAL,
      S("1 for the current status."),
      IN(gate, status), ALWAYS },

    { GATE(MICRO), NONE, S("actual"),
      UNNAMED, S("The figure of the stage."),
      IN(gate, actual), IN(gate, has_actual) },

    { GATE(MICRO), NONE, S("window"),
      UNNAMED, S("The figure of the window."),
      IN(gate, window), IN(gate, has_window) },

    { GATE(MICRO), NONE, S("baseline"),
      UNNAMED, S("The baseline's figure of the stage."),
      IN(gate, baseline_actual), IN(gate, has_baseline) },

    { GATE(NUMBER), NONE, S("samples"),
      UNNAMED, S("Samples of the stage."),
      IN(gate, samples), ALWAYS },

    { GATE(NUMBER), NONE, S("min"),
      UNNAMED, S("Samples that a pass takes."),
      IN(gate, min), ALWAYS },

    { GATE(REAL), NONE, S("evidence"),
      UNNAMED, S("Evidence against the canary, a power of ten."),
      IN(gate, evidence_log10), ALWAYS },

    { GATE(REAL), NONE, S("threshold"),
      UNNAMED, S("The evidence that fails, a power of ten."),
      IN(gate, threshold_log10), ALWAYS },

    { GATE(REAL), NONE, NONE,
      GAUGE, S("nginx_canary_gate_evidence_ratio"), NONE, TOTAL,
      S("Evidence by threshold, 1 fails."),
      IN(gate, evidence_ratio), ALWAYS },

    { GATE(REAL), NONE, S("dispersion"),
      GAUGE, S("nginx_canary_gate_dispersion"), NONE, TOTAL,
      S("How much bad trials come in bursts."),
      IN(gate, dispersion), ALWAYS },

    { GATE(REAL), NONE, S("trials"),
      UNNAMED, S("Trials judged since the stream began."),
      IN(gate, trials), ALWAYS },

    { GATE(REAL), NONE, S("bad"),
      UNNAMED, S("Those of them that were bad."),
      IN(gate, bad), ALWAYS },

    { GATE(REAL), NONE, S("expected"),
      UNNAMED, S("How many would be bad at the limit, with not_worse."),
      IN(gate, expected), IN(gate, has_expected) },

    { GATE(NUMBER), NONE, S("stream"),
      UNNAMED, S("Another number: it began anew."),
      IN(gate, stream), ALWAYS },

    { GATE(TEXT), NONE, S("reason"),
      UNNAMED, S("Why, with the numbers."),
      IN(gate, reason), ALWAYS },

    { VARIANT(SHARE), NONE, S("configured_share"),
      GAUGE, S("nginx_canary_configured_share_ratio"), NONE, TOTAL,
      S("Share as configured."),
      IN(variant, configured_share_ppm), ALWAYS },

    { VARIANT(SHARE), NONE, S("share"),
      GAUGE, S("nginx_canary_share_ratio"), NONE, TOTAL,
      S("Share in force."),
      IN(variant, share_ppm), ALWAYS },

    { FIGURES(NUMBER), NONE, S("requests"),
      CREATED, S("nginx_canary_requests"), NONE, TOTAL,
      S("Requests by hash."),
      IN(figures, requests), ALWAYS },

    { FIGURES(NUMBER), NONE, S("forced"),
      COUNTER, S("nginx_canary_forced"), NONE, TOTAL,
      S("Forced requests."),
      COUNT(NGX_CANARY_COUNT_FORCED), ALWAYS },

    { FIGURES(NUMBER), NONE, S("errors"),
      COUNTER, S("nginx_canary_errors"), NONE, TOTAL,
      S("Requests that failed."),
      COUNT(NGX_CANARY_COUNT_ERRORS), ALWAYS },

    { FIGURES(NUMBER), NONE, S("fallbacks"),
      COUNTER, S("nginx_canary_fallbacks"), NONE, TOTAL,
      S("Requests passed on to the baseline."),
      COUNT(NGX_CANARY_COUNT_FALLBACKS), ALWAYS },

    { FIGURES(NUMBER), NONE, S("aborted"),
      COUNTER, S("nginx_canary_aborted"), NONE, TOTAL,
      S("Client left before the header."),
      COUNT(NGX_CANARY_COUNT_ABORTED), ALWAYS },

    { FIGURES(NUMBER), NONE, S("retries"),
      COUNTER, S("nginx_canary_retries"), NONE, TOTAL,
      S("Requests retried within the variant."),
      COUNT(NGX_CANARY_COUNT_RETRIES), ALWAYS },

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

    { EVENT(NUMBER), NONE, S("count"),
      COUNTER, S("nginx_canary_events"), NONE, TOTAL,
      S("Custom events."),
      IN(event_figures, count), ALWAYS },

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
