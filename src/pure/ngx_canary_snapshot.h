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


#define NGX_CANARY_VERSION        "0.1.0"

#define NGX_CANARY_MAX_LE         64    /* bounds of the exported histogram */
#define NGX_CANARY_QUANTILES      5     /* p50 p90 p95 p99 p999 */
#define NGX_CANARY_CLASSES        6     /* 1xx 2xx 3xx 4xx 5xx none */
#define NGX_CANARY_CLASS_NONE     5
#define NGX_CANARY_JOURNAL        64    /* events kept */


/* bytes, not terminated, not trusted: renderers escape them */
typedef struct {
    size_t                len;
    const unsigned char  *data;
} ngx_canary_str_t;


typedef struct {
    uint64_t              count;
    uint64_t              sum_us;
    uint64_t              min_us;       /* 0 where count is 0 */
    uint64_t              max_us;
    uint64_t              quantile_us[NGX_CANARY_QUANTILES];
    uint64_t              le[NGX_CANARY_MAX_LE];    /* cumulative; total only */
} ngx_canary_latency_t;


/* the figures of one variant over one stretch of time */
typedef struct {
    uint64_t              elapsed_us;   /* the length of the stretch */
    uint64_t              requests;     /* the sum of responses */
    uint64_t              responses[NGX_CANARY_CLASSES];
    uint64_t              forced;
    uint64_t              errors;
    uint64_t              fallbacks;
    ngx_canary_latency_t  latency;
} ngx_canary_figures_t;


typedef enum {
    NGX_CANARY_TOTAL = 0,               /* since the zone began */
    NGX_CANARY_STAGE,                   /* since the stage began */
    NGX_CANARY_WINDOW,                  /* the last canary_window */
    NGX_CANARY_SCOPES
} ngx_canary_scope_e;


typedef struct {
    ngx_canary_str_t      name;         /* the upstream's */
    unsigned              canary:1;     /* role: canary, else baseline */
    uint32_t              configured_share_ppm;
    uint32_t              share_ppm;    /* in force: 0 when rolled back */
    ngx_canary_figures_t  figures[NGX_CANARY_SCOPES];
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
    NGX_CANARY_CAUSES
} ngx_canary_cause_e;


typedef struct {
    uint64_t              time_ms;
    ngx_canary_str_t      event;        /* published, rollback, resume, .. */
    ngx_canary_str_t      text;
} ngx_canary_event_t;


typedef struct {
    ngx_canary_str_t      name;         /* the upstream's */
    ngx_canary_state_e    state;
    ngx_canary_str_t      reason;       /* why rolled back, or empty */
    ngx_canary_verdict_e  verdict;
    uint64_t              generation;   /* of the published split in force */
    uint64_t              created_ms;   /* when the counters began */

    ngx_canary_str_t      stage;        /* name, may be empty */
    uint64_t              stage_start_ms;
    uint64_t              stage_elapsed_us;

    uint64_t              unkeyed;
    uint64_t              rollbacks[NGX_CANARY_CAUSES];

    size_t                nle;          /* bounds in use, ascending */
    uint64_t              le_us[NGX_CANARY_MAX_LE];

    unsigned              windowed:1;   /* NGX_CANARY_WINDOW is filled in */

    size_t                nvariants;    /* the baseline first */
    ngx_canary_variant_t  variants[NGX_CANARY_MAX_VARIANTS];

    size_t                njournal;     /* the oldest first */
    ngx_canary_event_t    journal[NGX_CANARY_JOURNAL];
} ngx_canary_split_t;


typedef struct {
    ngx_canary_str_t      version;
    ngx_canary_str_t      server_version;
    uint64_t              time_ms;
    uint64_t              generation;
    uint64_t              loaded_at_ms;
    size_t                nsplits;
    ngx_canary_split_t   *splits;
} ngx_canary_snapshot_t;


#endif /* NGX_CANARY_SNAPSHOT_H_INCLUDED */
