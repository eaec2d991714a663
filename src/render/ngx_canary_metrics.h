/*
 * The table of metrics: one row for each figure that is published, in the
 * order of status.json.  Every format loops over it, and docs/metrics.md is
 * checked against it, so a new counter is one row here.
 */

#ifndef NGX_CANARY_METRICS_H_INCLUDED
#define NGX_CANARY_METRICS_H_INCLUDED


#include "ngx_canary_out.h"


#pragma GCC visibility push(hidden)


/* what a row's offset counts from, and so the labels of its series */
typedef enum {
    NGX_CANARY_LEVEL_SNAPSHOT = 0,      /* version, nginx_version */
    NGX_CANARY_LEVEL_SPLIT,             /* upstream */
    NGX_CANARY_LEVEL_STAGE,             /* upstream, stage; in the split */
    NGX_CANARY_LEVEL_GATE,              /* upstream, variant, gate */
    NGX_CANARY_LEVEL_VARIANT,           /* upstream, variant */
    NGX_CANARY_LEVEL_FIGURES,           /* upstream, variant */
    NGX_CANARY_LEVEL_EVENT,             /* upstream, variant, event */
    NGX_CANARY_LEVEL_USERS,             /* of events with unique= */
    NGX_CANARY_LEVEL_VALUES             /* of events with value= */
} ngx_canary_level_e;


/* the field's type, and how its value is written */
typedef enum {
    NGX_CANARY_KIND_TEXT = 0,           /* ngx_canary_str_t; a metric of 1 */
    NGX_CANARY_KIND_NUMBER,             /* uint64_t */
    NGX_CANARY_KIND_MOMENT,             /* uint64_t, ms since the epoch */
    NGX_CANARY_KIND_SECONDS,            /* uint64_t, us */
    NGX_CANARY_KIND_MICRO,              /* uint64_t, 1e-6 of some unit */
    NGX_CANARY_KIND_MILLI,              /* uint64_t, 1e-3 of some unit */
    NGX_CANARY_KIND_SHARE,              /* uint32_t, 1e-6 */
    NGX_CANARY_KIND_REAL,               /* double, not below 0 */
    NGX_CANARY_KIND_RATIO,              /* uint64_t / uint64_t */
    NGX_CANARY_KIND_RATE,               /* uint64_t / us, a second */
    NGX_CANARY_KIND_MEAN,               /* us / uint64_t, in seconds */
    NGX_CANARY_KIND_STATE,              /* a metric of 1 if rolled back */
    NGX_CANARY_KIND_VERDICT,            /* a metric for each verdict */
    NGX_CANARY_KIND_STATUS,             /* a metric for each status of a gate */
    NGX_CANARY_KIND_HISTOGRAM,          /* ngx_canary_latency_t */
    NGX_CANARY_KIND_SUMMARY             /* ngx_canary_event_figures_t by scope:
                                           quantiles of the window */
} ngx_canary_kind_e;


typedef enum {
    NGX_CANARY_TYPE_GAUGE = 0,
    NGX_CANARY_TYPE_COUNTER,            /* "_total" is added to its name */
    NGX_CANARY_TYPE_SUMMARY,
    NGX_CANARY_TYPE_CREATED,            /* a counter; OpenMetrics gets the time
                                           of its creation, as it does for a
                                           histogram: with all counters a
                                           scrape would be beyond 10 KB */
    NGX_CANARY_TYPE_HISTOGRAM
} ngx_canary_type_e;


typedef struct {
    ngx_canary_level_e    level;
    ngx_canary_kind_e     kind;

    ngx_canary_str_t      object;       /* of JSON around the key, or empty */
    ngx_canary_str_t      key;          /* of JSON, or empty: not in JSON */

    ngx_canary_type_e     type;
    ngx_canary_str_t      name;         /* of Prometheus, or empty */
    ngx_canary_str_t      label;        /* one label more, or empty */
    ngx_canary_scope_e    scope;        /* whose figures Prometheus gets */

    ngx_canary_str_t      help;

    size_t                offset;
    size_t                per;          /* offset of a divisor or count: the
                                           value is null where that is 0 */
} ngx_canary_metric_t;


#define NGX_CANARY_ALWAYS    ((size_t) -1)  /* "per" of a value never null */

#define NGX_CANARY_VERDICTS  3


extern const ngx_canary_metric_t  ngx_canary_metrics[];
extern const size_t               ngx_canary_nmetrics;

/* by ngx_canary_state_e and ngx_canary_verdict_e */
extern const ngx_canary_str_t     ngx_canary_states[];
extern const ngx_canary_str_t     ngx_canary_verdicts[];
/* by ngx_canary_gate_status_e */
extern const ngx_canary_str_t     ngx_canary_statuses[];


/* 1 if the two texts are equal */
int ngx_canary_metric_same(const ngx_canary_str_t *a,
    const ngx_canary_str_t *b);

/* 1 if the row is a counter */
int ngx_canary_metric_counter(const ngx_canary_metric_t *m);

/* 1 if the value in the struct at "base" is a value of nothing */
int ngx_canary_metric_null(const ngx_canary_metric_t *m, const void *base);

/* the fields of a row in the struct at "base", by the row's kind */
uint64_t ngx_canary_metric_u64(const ngx_canary_metric_t *m,
    const void *base);
uint64_t ngx_canary_metric_per(const ngx_canary_metric_t *m,
    const void *base);

/* of the kinds TEXT, STATE, VERDICT and STATUS; which one, of the last three */
ngx_canary_str_t ngx_canary_metric_text(const ngx_canary_metric_t *m,
    const void *base);
unsigned ngx_canary_metric_state(const ngx_canary_metric_t *m,
    const void *base);

/*
 * Writes the number of a row of the kinds NUMBER to MEAN that is not null,
 * alike in JSON and in Prometheus.
 */
void ngx_canary_metric_number(const ngx_canary_metric_t *m, const void *base,
    ngx_canary_out_t *out);


#pragma GCC visibility pop

#endif /* NGX_CANARY_METRICS_H_INCLUDED */
