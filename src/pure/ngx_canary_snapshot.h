/*
 * What the gates and the renderers read: one consistent picture of all splits,
 * with every figure derived once.  Plain structs: no lock, no request, no
 * pool.  Times are microseconds on the monotonic clock (_us) or milliseconds
 * since the epoch (_ms); shares are in 1e-6 (_ppm).
 */

#ifndef NGX_CANARY_SNAPSHOT_H_INCLUDED
#define NGX_CANARY_SNAPSHOT_H_INCLUDED


#include <stddef.h>
#include <stdint.h>

#include "ngx_canary_split.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_VERSION        "0.1.0"

#define NGX_CANARY_MAX_LE         64    /* bounds of the exported histogram */
#define NGX_CANARY_QUANTILES      5     /* p50 p90 p95 p99 p999 */
#define NGX_CANARY_JOURNAL        64    /* entries kept */
#define NGX_CANARY_MAX_RULES      32    /* canary_gate lines of a split */
#define NGX_CANARY_MAX_EVENTS     32    /* names of canary_event in a split */
#define NGX_CANARY_REASON_LEN     256   /* bytes of a gate's reason */


/* bytes, not terminated, not trusted: renderers escape them */
typedef struct {
    size_t                len;
    const unsigned char  *data;
} ngx_canary_str_t;


/*
 * What is counted of the requests of a variant.  A new one stands last, and has
 * a row in ngx_canary_metrics.c: sums, windows, stages and state files count to
 * the end.
 */
typedef enum {
    NGX_CANARY_COUNT_1XX = 0,           /* by the class of the response */
    NGX_CANARY_COUNT_2XX,
    NGX_CANARY_COUNT_3XX,
    NGX_CANARY_COUNT_4XX,
    NGX_CANARY_COUNT_5XX,
    NGX_CANARY_COUNT_NONE,              /* there was no valid status */
    NGX_CANARY_COUNT_FORCED,
    NGX_CANARY_COUNT_ERRORS,
    NGX_CANARY_COUNT_FALLBACKS,
    NGX_CANARY_COUNT_ABORTED,           /* their client left too early */
    NGX_CANARY_COUNT_RETRIES,
    NGX_CANARY_COUNTS
} ngx_canary_count_e;

#define NGX_CANARY_CLASSES        (NGX_CANARY_COUNT_NONE + 1)

/*
 * Latency rules of a split: one a quantile and kind, by the index of the
 * quantile; the relative ones behind the absolute ones.
 */
#define NGX_CANARY_LIMITS         (2 * NGX_CANARY_QUANTILES)

/*
 * What a tally has behind those: requests that were aborted beyond each limit
 * (zone->limits_us), and the sum of latencies in microseconds.
 */
#define NGX_CANARY_TALLY_LATE     NGX_CANARY_COUNTS
#define NGX_CANARY_TALLY_SUM      (NGX_CANARY_TALLY_LATE + NGX_CANARY_LIMITS)
#define NGX_CANARY_TALLY          (NGX_CANARY_TALLY_SUM + 1)


/*
 * And what it has of an event in their place.  The sum of values, in 1e-3, is
 * that of their lower bits and that of what is above those, so that neither
 * wraps in the life of a server.
 */
typedef enum {
    NGX_CANARY_EVENT_COUNT = 0,
    NGX_CANARY_EVENT_VALUES,
    NGX_CANARY_EVENT_SUM_LOW,
    NGX_CANARY_EVENT_SUM_HIGH,
    NGX_CANARY_EVENT_COUNTS
} ngx_canary_event_count_e;

#define NGX_CANARY_EVENT_LOW_BITS 25


typedef struct {
    uint64_t              count;
    uint64_t              sum_us;
    uint64_t              min_us;       /* 0 where count is 0 */
    uint64_t              max_us;
    uint64_t              quantile_us[NGX_CANARY_QUANTILES];
    uint64_t              le[NGX_CANARY_MAX_LE];    /* cumulative; total only */
    const uint64_t       *hist;         /* the buckets themselves, or NULL */
} ngx_canary_latency_t;


/* the figures of one variant over one stretch of time */
typedef struct {
    uint64_t              elapsed_us;   /* the length of the stretch */
    uint64_t              requests;     /* the sum of all classes */
    uint64_t              counts[NGX_CANARY_COUNTS];
    uint64_t              samples;      /* of the error rate */
    ngx_canary_latency_t  latency;
} ngx_canary_figures_t;

#define ngx_canary_count(figures, what)                                       \
    (figures)->counts[NGX_CANARY_COUNT_##what]


typedef enum {
    NGX_CANARY_TOTAL = 0,               /* since the zone began */
    NGX_CANARY_STAGE,                   /* since the stage began */
    NGX_CANARY_WINDOW,                  /* the last canary_window */
    NGX_CANARY_SCOPES
} ngx_canary_scope_e;


/*
 * History: what was counted in stretches of time, the points.  A point knows
 * where it began and how long it counted; between two points may be a gap,
 * where nginx did not run.  Counts and limits of two points can be added up
 * (ngx_canary_history.h), quantiles are interpolated from them.
 */
#define NGX_CANARY_HISTORY_POINTS 360   /* of a series, at most */
#define NGX_CANARY_HISTORY_LE     24    /* ngx_canary_history_le_us */
#define NGX_CANARY_HISTORY_LIMITS 6     /* of latency gates */


typedef struct {
    uint64_t              start_ms;     /* since the epoch */
    uint64_t              length_ms;    /* that was counted, gaps left out */
    uint64_t              generation;   /* the last in it */
    /* ascending, 0: none; those in force all the time, for counts.limits */
    uint64_t              limits_us[NGX_CANARY_HISTORY_LIMITS];
    /* in force at its end, by the index of the split's variants */
    uint32_t              share_ppm[NGX_CANARY_MAX_VARIANTS];
} ngx_canary_point_t;


/* of one variant in one point; UINT32_MAX also stands for more */
typedef struct {
    uint32_t              requests;
    uint32_t              errors;
    uint32_t              samples;      /* of the error rate */
    uint32_t              count;        /* of latencies */
    uint32_t              le[NGX_CANARY_HISTORY_LE];        /* cumulative */
    uint32_t              limits[NGX_CANARY_HISTORY_LIMITS];
} ngx_canary_point_counts_t;


/* the same of one variant since its counters began */
typedef struct {
    uint64_t              requests;
    uint64_t              errors;
    uint64_t              samples;
    uint64_t              count;
    uint64_t              le[NGX_CANARY_HISTORY_LE];
    uint64_t              limits[NGX_CANARY_HISTORY_LIMITS];
} ngx_canary_point_totals_t;


/* of one gate in one point, at its tick of most evidence; log10 in 1e-2 */
typedef struct {
    uint16_t              evidence;
    uint16_t              threshold;    /* 0: there was no such gate */
} ngx_canary_point_gate_t;


typedef enum {
    NGX_CANARY_SERIES_HOUR = 0,         /* points of 10 s, over all stages */
    NGX_CANARY_SERIES_STAGE,            /* of the last stage with a share */
    NGX_CANARY_SERIES
} ngx_canary_series_e;


typedef struct {
    size_t                             npoints;     /* the oldest first */
    uint64_t                           stretch_ms;  /* of a whole point */
    const ngx_canary_point_t          *points;
    /* npoints each: by index of the split's variants, and of its gates */
    const ngx_canary_point_counts_t   *counts[NGX_CANARY_MAX_VARIANTS];
    const ngx_canary_point_gate_t    **gates;
} ngx_canary_history_t;


typedef struct {
    ngx_canary_str_t      name;         /* the upstream's */
    unsigned              canary:1;     /* role: canary, else baseline */
    uint32_t              slot;         /* its number in shared memory */
    uint32_t              configured_share_ppm;
    uint32_t              share_ppm;    /* in force: 0 when rolled back */
    ngx_canary_figures_t  figures[NGX_CANARY_SCOPES];
    /* of what history is made; NULL if it was not asked for */
    const ngx_canary_point_totals_t *totals;
} ngx_canary_variant_t;


typedef enum {
    NGX_CANARY_STATE_ACTIVE = 0,
    NGX_CANARY_STATE_OFF,
    NGX_CANARY_STATE_ROLLED_BACK
} ngx_canary_state_e;


typedef enum {
    NGX_CANARY_VERDICT_PENDING = 0,
    NGX_CANARY_VERDICT_GO,
    NGX_CANARY_VERDICT_ROLLBACK
} ngx_canary_verdict_e;


typedef enum {
    NGX_CANARY_CAUSE_GATE = 0,
    NGX_CANARY_CAUSE_OPERATOR,
    NGX_CANARY_CAUSE_STATE,             /* a state file that is not trusted */
    NGX_CANARY_CAUSE_REHEARSAL,
    NGX_CANARY_CAUSES
} ngx_canary_cause_e;


typedef struct {
    uint64_t              number;       /* only ever grows */
    uint64_t              time_ms;
    ngx_canary_str_t      event;        /* published, rollback, resume, .. */
    ngx_canary_str_t      text;
} ngx_canary_note_t;


/* what a rule judges; the five quantiles stand first, by their index */
typedef enum {
    NGX_CANARY_METRIC_P50 = 0,
    NGX_CANARY_METRIC_P90,
    NGX_CANARY_METRIC_P95,
    NGX_CANARY_METRIC_P99,
    NGX_CANARY_METRIC_P999,
    NGX_CANARY_METRIC_ERROR_RATE,
    NGX_CANARY_METRIC_ABORT_RATE,       /* aborted by requests */
    NGX_CANARY_METRIC_RETRY_RATE,       /* retries by requests */
    NGX_CANARY_METRIC_THROUGHPUT,       /* of the whole split */
    NGX_CANARY_METRIC_EVENT_RATE,       /* event:NAME */
    NGX_CANARY_METRIC_EVENT_RATIO,      /* event:NAME/NAME */
    NGX_CANARY_METRIC_EVENT_MEAN,       /* event:NAME:mean */
    NGX_CANARY_METRIC_EVENT_QUANTILE    /* event:NAME:p95 */
} ngx_canary_metric_e;


typedef enum {
    NGX_CANARY_AT_MOST = 0,
    NGX_CANARY_AT_LEAST,
    NGX_CANARY_NOT_WORSE                /* than the baseline */
} ngx_canary_op_e;


/*
 * One canary_gate line; it applies to each canary.  The limit, and the figures
 * that are held against it, are in 1e-6 of the unit that users see: seconds,
 * fractions of 1, requests or events a second, the event's own unit.
 */
typedef struct {
    ngx_canary_str_t      text;         /* "p95 <= 500ms" */
    ngx_canary_str_t      metric_text;  /* "p95" */
    ngx_canary_metric_e   metric;
    ngx_canary_op_e       op;
    uint64_t              limit;        /* the margin, if it is relative */
    uint64_t              min;          /* samples that a pass takes */
    uint32_t              quantile_ppm; /* of a quantile */
    uint32_t              le;           /* index of the limit in le_us */
    uint32_t              event;        /* index into the split's events */
    uint32_t              per;          /* of a ratio's second event */
    uint64_t              signature;    /* of a rule that judges the same */
} ngx_canary_rule_t;


/*
 * A stream of trials: "bad" of "n" were beyond the limit.  For an event's
 * rate, "bad" events in "n" microseconds.  For a mean each value is so many
 * trials of which a part is bad, as the value is one of its cap, which is so
 * many times the limit: if the mean is within the limit, at most one of so many
 * is bad, whatever the distribution.
 */
#define NGX_CANARY_MEAN_PARTS     1000
#define NGX_CANARY_MEAN_CAP       5

typedef struct {
    uint64_t              n;
    uint64_t              bad;
} ngx_canary_trial_t;


typedef enum {
    NGX_CANARY_GATE_PENDING = 0,
    NGX_CANARY_GATE_PASS,
    NGX_CANARY_GATE_FAIL
} ngx_canary_gate_status_e;

#define NGX_CANARY_GATE_STATUSES  3


/* a rule, applied to one canary */
typedef struct {
    const ngx_canary_rule_t  *rule;
    size_t                    index;    /* of the canary's variant */
    ngx_canary_str_t          variant;
    ngx_canary_str_t          metric;
    ngx_canary_str_t          op;       /* "<=", ">=" or "not_worse" */
    ngx_canary_str_t          text;
    uint64_t                  limit;
    uint64_t                  min;

    /*
     * By scope; those of the baseline against the same limit.  In a relative
     * quantile, "bad" of the stage and the window are beyond the
     * baseline's own quantile of that time, those of the total beyond ref_us.
     */
    ngx_canary_trial_t        canary[NGX_CANARY_SCOPES];
    ngx_canary_trial_t        baseline[NGX_CANARY_SCOPES];
    uint64_t                  ref_us;
    unsigned                  failed_before:1;  /* at the last tick, too */

    /*
     * Of a latency gate: requests that their client gave up beyond the limit,
     * a part of "n" and "bad" above; where there are some, the quantile with
     * them, or "beyond" is 1: it falls among them and has no figure.
     */
    uint64_t                  late[NGX_CANARY_SCOPES];
    uint64_t                  late_baseline[NGX_CANARY_SCOPES];
    uint64_t                  quantile_us[NGX_CANARY_SCOPES];
    unsigned                  beyond[NGX_CANARY_SCOPES];

    /* against the canary, and what takes it out; natural logarithms */
    double                    evidence;
    double                    threshold;
    double                    dispersion;   /* as so many trials each: 1 .. */
    double                    known;    /* from about so many bad trials */
    uint64_t                  stream;   /* another number: it began anew */
    double                    trials;   /* that it has judged since, */
    double                    bad;      /* those that are bad, and how many */
    double                    expected; /* would be; relative gates only */
    /* ticks that could not count in full since the evidence was below 1 */
    uint64_t                  held;
    uint64_t                  held_ms;  /* when the last of them was */
    double                    held_ln;  /* what they counted for, together */

    /* derived by ngx_canary_gates_judge(); the figures in 1e-6 */
    ngx_canary_gate_status_e  status;
    uint64_t                  has_actual;   /* 0: nothing to show yet */
    uint64_t                  actual;       /* of the stage */
    uint64_t                  has_window;
    uint64_t                  window;
    uint64_t                  has_baseline;
    uint64_t                  baseline_actual;  /* of the stage */
    uint64_t                  samples;
    double                    evidence_log10;   /* at least 0 */
    double                    threshold_log10;
    double                    evidence_ratio;   /* 1 and more: it fails */
    uint64_t                  has_expected;
    ngx_canary_str_t          reason;
    char                      buf[NGX_CANARY_REASON_LEN];
} ngx_canary_gate_t;


/* the figures of a custom event on one variant over one stretch of time */
typedef struct {
    uint64_t              elapsed_us;
    uint64_t              count;
    uint64_t              unique;       /* an estimate */
    uint64_t              nvalues;
    uint64_t              mean;         /* of values, 1e-6 */
    /* values in 1e-3; UINT64_MAX also stands for a greater sum */
    uint64_t              sum;
    uint64_t              min;
    uint64_t              max;
    uint64_t              last;
    uint64_t              quantile[NGX_CANARY_QUANTILES];   /* of ncounted */
    uint64_t              ncounted;     /* values that the quantiles are of */
} ngx_canary_event_figures_t;


typedef struct {
    ngx_canary_str_t      name;
    unsigned              unique:1;     /* different users are counted */
    unsigned              value:1;
    ngx_canary_event_figures_t
                          figures[NGX_CANARY_MAX_VARIANTS][NGX_CANARY_SCOPES];
} ngx_canary_event_t;


/* what a picture costs most for; the rest is always there */
typedef enum {
    NGX_CANARY_WANT_BOUNDS = 1,         /* latency.le */
    NGX_CANARY_WANT_QUANTILES = 2,      /* of the total and the stage */
    NGX_CANARY_WANT_BUCKETS = 4,        /* latency.hist */
    NGX_CANARY_WANT_USERS = 8,          /* different ones, of events */
    NGX_CANARY_WANT_HISTORY = 16,
    NGX_CANARY_WANT_TOTALS = 32,        /* for a point of history */
    NGX_CANARY_WANT_STAGE = 64,         /* latency.hist of the stage alone */
    NGX_CANARY_WANT_HOUR = 128          /* history of the hour, less gates */
} ngx_canary_want_e;


typedef struct {
    ngx_canary_str_t      name;         /* the upstream's */
    ngx_canary_state_e    state;
    ngx_canary_str_t      reason;       /* why rolled back, or what holds
                                           back a "go", or empty */
    ngx_canary_verdict_e  verdict;
    uint64_t              generation;   /* of the published split in force */
    uint64_t              loaded_ms;    /* when it was published */
    uint64_t              created_ms;   /* when the counters began */

    ngx_canary_str_t      stage;        /* name, may be empty */
    uint64_t              stage_start_ms;
    uint64_t              stage_elapsed_us;

    uint64_t              unkeyed;
    uint64_t              bypassed;     /* a part of nothing else */
    /* all of the split: assigned by hash, forced and unkeyed */
    uint64_t              passages[NGX_CANARY_SCOPES];
    uint64_t              elapsed_us[NGX_CANARY_SCOPES];
    uint64_t              rollbacks[NGX_CANARY_CAUSES];

    size_t                nle;          /* bounds in use, ascending */
    uint64_t              le_us[NGX_CANARY_MAX_LE];

    uint64_t              window_us;    /* length that is asked for */
    unsigned              want;         /* of ngx_canary_want_e */

    double                false_alarm_s;
    double                pause_s;      /* nothing as short decides */
    unsigned              fleet;        /* machines that share the promise */
    size_t                nrules;
    const ngx_canary_rule_t *rules;
    size_t                ngates;       /* each rule for each canary */
    ngx_canary_gate_t    *gates;

    size_t                nvariants;    /* the baseline first */
    ngx_canary_variant_t  variants[NGX_CANARY_MAX_VARIANTS];

    size_t                nevents;
    ngx_canary_event_t   *events;

    /* by ngx_canary_series_e; NULL if it was not asked for */
    const ngx_canary_history_t *history;
    /* of latency gates, for totals->limits; ascending, 0: none */
    uint64_t              limits_us[NGX_CANARY_HISTORY_LIMITS];

    ngx_canary_str_t      state_path;   /* of the state file; data NULL: none */
    uint64_t              state_written_ms;     /* 0: not yet */
    ngx_canary_str_t      state_error;  /* of the last writing, or empty */
    uint64_t              state_errors;

    char                  buf[2 * NGX_CANARY_REASON_LEN];   /* a reason */

    size_t                njournal;     /* the oldest first */
    ngx_canary_note_t     journal[NGX_CANARY_JOURNAL];
} ngx_canary_split_t;


typedef struct {
    ngx_canary_str_t      version;
    ngx_canary_str_t      server_version;
    uint64_t              time_ms;
    uint64_t              generation;   /* the last in force in all splits */
    uint64_t              loaded_at_ms;
    ngx_canary_str_t      page;         /* the URI's last part, or empty */
    size_t                nsplits;
    ngx_canary_split_t   *splits;
    size_t                others;       /* splits that were not asked for */
} ngx_canary_snapshot_t;


#pragma GCC visibility pop

#endif /* NGX_CANARY_SNAPSHOT_H_INCLUDED */
