/*
 * The nginx glue: configuration, assignment, the wrapped upstream, the
 * variables and the endpoints.
 */

#ifndef NGX_CANARY_HTTP_H_INCLUDED
#define NGX_CANARY_HTTP_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "../zone/ngx_canary_events.h"
#include "../zone/ngx_canary_keep.h"
#include "../zone/ngx_canary_series.h"


/* of this shared object alone: no detour for a call between its files */
#pragma GCC visibility push(hidden)


#define NGX_CANARY_STATUSES       1000  /* 0 to 999 */
#define NGX_CANARY_MAX_BUCKETS    50
/* seconds */
#define NGX_CANARY_WINDOW_TIME    300       /* the default */
#define NGX_CANARY_MIN_WINDOW     10
#define NGX_CANARY_MAX_WINDOW     86400
#define NGX_CANARY_FALSE_ALARM    7776000   /* 90 days, the default */
#define NGX_CANARY_MIN_FALSE_ALARM  60
#define NGX_CANARY_MAX_FALSE_ALARM  3153600000LL
/* milliseconds */
#define NGX_CANARY_PAUSE          1000      /* the default */
#define NGX_CANARY_MAX_PAUSE      10000
#define NGX_CANARY_MAX_FLEET      10000     /* machines */


typedef enum {
    NGX_CANARY_UNASSIGNED = 0,
    NGX_CANARY_SPLIT,
    NGX_CANARY_FORCED,
    NGX_CANARY_UNKEYED,
    NGX_CANARY_BYPASSED,
    NGX_CANARY_OFF,
    NGX_CANARY_ROLLED_BACK
} ngx_canary_why_e;


/* no random sample, or no part of the split at all */
#define ngx_canary_is_apart(why)                                              \
    ((why) >= NGX_CANARY_FORCED && (why) <= NGX_CANARY_BYPASSED)


typedef enum {
    NGX_CANARY_VALUE_UNKNOWN = 0,   /* until the first request asks */
    NGX_CANARY_VALUE_VARIABLE,
    NGX_CANARY_VALUE_COOKIE         /* $cookie_NAME of nginx itself */
} ngx_canary_value_kind_e;


/* a value of the configuration: a plain variable costs only its index */
typedef struct {
    ngx_int_t                      index;   /* NGX_ERROR: use complex */
    ngx_canary_value_kind_e        kind;    /* of a plain variable */
    ngx_str_t                      cookie;  /* its NAME */
    ngx_http_complex_value_t       complex;
} ngx_canary_value_t;


/* one "canary" directive */
typedef struct {
    ngx_str_t                      name;
    ngx_http_upstream_srv_conf_t  *upstream;    /* set in postconfiguration */
    uint32_t                       share_ppm;
    unsigned                       off:1;
    u_char                        *file;        /* where it stands */
    ngx_uint_t                     line;
} ngx_canary_target_conf_t;


/* one "canary_force" directive */
typedef struct {
    ngx_canary_value_t             value;
    ngx_str_t                      pattern;     /* exact, if regex is NULL */
#if (NGX_PCRE)
    ngx_regex_t                   *regex;
#endif
    ngx_str_t                      upstream;
    ngx_int_t                      target;      /* -1 baseline, else index */
    u_char                        *file;
    ngx_uint_t                     line;
} ngx_canary_force_conf_t;


typedef struct {
    ngx_str_t                      name;        /* len 0: no canary_cookie */
    ngx_int_t                      index;       /* of $cookie_NAME */
    ngx_str_t                      attributes;  /* "; Path=/; Secure" .. */
    ngx_http_complex_value_t      *path;        /* NULL: in attributes */
    ngx_http_complex_value_t      *domain;      /* likewise, or none */
    time_t                         expires;     /* seconds; 0: a session's */
} ngx_canary_cookie_conf_t;


/* what this process knows of the published record */
typedef struct {
    uint64_t                       word;        /* 0: not read yet */
    uint64_t                       generation;
    ngx_uint_t                     ncanaries;
    ngx_uint_t                     off;         /* every canary is, or none */
    ngx_uint_t                     plain;       /* the key alone decides */
    uint32_t                       rest_from;   /* points of the baseline */
    uint32_t                       rest;
    uint32_t                       shares_ppm[NGX_CANARY_MAX_CANARIES];
    uint32_t                       slots[NGX_CANARY_MAX_CANARIES];
    ngx_uint_t                     canary_off[NGX_CANARY_MAX_CANARIES];
    /* index into targets, or NGX_ERROR for one that this process lacks */
    ngx_int_t                      targets[NGX_CANARY_MAX_CANARIES];
    ngx_str_t                     *stage;       /* as long as the conf lives */
} ngx_canary_view_t;


typedef struct ngx_canary_srv_conf_s  ngx_canary_srv_conf_t;

/* the module's configuration of one upstream{} */
struct ngx_canary_srv_conf_s {
    ngx_uint_t                     split;       /* a directive stands in it */
    ngx_uint_t                     number;      /* of the split: 0, 1, .. */
    size_t                         place;       /* of its assignment, bytes */
    ngx_http_upstream_srv_conf_t  *upstream;
    ngx_str_t                      name;

    ngx_array_t                    targets;     /* ngx_canary_target_conf_t */
    ngx_str_t                      stage;
    ngx_array_t                    keys;        /* ngx_canary_value_t */
    ngx_str_t                      salt;
    uint64_t                       seed;
    ngx_canary_cookie_conf_t       cookie;
    ngx_array_t                    forces;      /* ngx_canary_force_conf_t */
    ngx_array_t                   *bypass;      /* predicates, or NULL */
    ngx_flag_t                     fallback;

    u_short                       *statuses;    /* bits of a passage's state,
                                                   by status, 0..999 */
    ngx_canary_value_t            *error_if;    /* or NULL */
    ngx_uint_t                     latency;     /* ngx_canary_latency_e */
    ngx_uint_t                     nle;
    uint64_t                       le_us[NGX_CANARY_MAX_LE];

    ngx_canary_keep_conf_t        *keep;        /* or NULL: no state file */

    uint64_t                       window_us;
    ngx_array_t                    rules;       /* ngx_canary_rule_t */
    ngx_uint_t                     rollback;    /* ngx_canary_rollback_e */
    time_t                         false_alarm; /* seconds */
    ngx_msec_t                     pause;
    ngx_uint_t                     fleet;       /* machines; 0: no fleet */

    ngx_shm_zone_t                *shm_zone;
    ngx_canary_zone_t             *zone;        /* its data, once accepted */
    ngx_canary_view_t              view;        /* of this process */
    ngx_canary_shard_t            *shard;       /* likewise; read with it */

    ngx_shm_zone_t                *series_zone; /* of the history */
    ngx_canary_event_plan_t       *events;      /* or NULL */
    uint64_t                       naming;      /* of which event_slots are */
    /* by the index of the name, or NGX_ERROR; of this process */
    ngx_int_t                      event_slots[NGX_CANARY_MAX_EVENTS];

    ngx_http_upstream_init_peer_pt original_init;   /* NULL: not wrapped */
};

typedef enum {
    NGX_CANARY_LATENCY_UPSTREAM = 0,
    NGX_CANARY_LATENCY_HEADER,
    NGX_CANARY_LATENCY_REQUEST
} ngx_canary_latency_e;

typedef enum {
    NGX_CANARY_ROLLBACK_AUTO = 0,
    NGX_CANARY_ROLLBACK_MANUAL
} ngx_canary_rollback_e;


typedef struct {
    ngx_array_t                    splits;      /* ngx_canary_srv_conf_t * */
    size_t                         ctx_len;     /* of a context for them */
    ngx_shm_zone_t                *common;
    uint64_t                       generation;  /* of this configuration */
    ngx_array_t                    controls;    /* ngx_http_core_loc_conf_t * */
    /* ngx_canary_event_name_t; of all locations, common to all splits */
    ngx_array_t                    events;
} ngx_canary_main_conf_t;


/* one "canary_event" directive; values are NULL where they do not stand */
typedef struct {
    ngx_uint_t                     index;       /* of its name */
    ngx_canary_value_t            *condition;
    ngx_canary_value_t            *unique;
    ngx_canary_value_t            *value;
} ngx_canary_event_conf_t;


typedef struct {
    ngx_array_t                   *events;      /* ngx_canary_event_conf_t */
} ngx_canary_loc_conf_t;


/* what was decided for a request and one split */
typedef struct {
    ngx_canary_why_e               why;
    ngx_int_t                      target;      /* -1: the baseline */
    uint32_t                       slot;
    ngx_canary_cell_t             *cell;        /* of the slot; this worker's */
    uint64_t                       generation;
    ngx_str_t                     *stage;
    ngx_str_t                      key;         /* what was hashed, if it was */
} ngx_canary_assignment_t;


typedef struct ngx_canary_passage_s  ngx_canary_passage_t;

/* of a request or subrequest; lost on an internal redirect */
typedef struct {
    ngx_canary_srv_conf_t         *last;        /* the split met last */
    ngx_canary_srv_conf_t         *named;       /* by its variable, or NULL */
    ngx_canary_passage_t          *passage;     /* request NULL: not yet */
    ngx_canary_assignment_t        assignments[1];  /* by split->number */
} ngx_canary_ctx_t;

#define ngx_canary_assignment_at(number)                                      \
    (offsetof(ngx_canary_ctx_t, assignments)                                  \
     + (number) * sizeof(ngx_canary_assignment_t))

#define ngx_canary_assignment(ctx, conf)                                      \
    ((ngx_canary_assignment_t *) ((u_char *) (ctx) + (conf)->place))


extern ngx_module_t  ngx_http_canary_module;


/* ngx_canary_conf.c: create, init, postconfiguration */
void *ngx_canary_create_main_conf(ngx_conf_t *cf);
void *ngx_canary_create_srv_conf(ngx_conf_t *cf);
ngx_int_t ngx_canary_postconfiguration(ngx_conf_t *cf);

/* "param" begins with "name", of which "=" is a part; the rest is in "text" */
ngx_uint_t ngx_canary_conf_param(ngx_str_t *param, char *name,
    ngx_str_t *text);

/* NGX_CONF_ERROR, logged; "what" may be empty */
char *ngx_canary_conf_duplicate(ngx_conf_t *cf, ngx_str_t *param);
char *ngx_canary_conf_invalid(ngx_conf_t *cf, char *what, ngx_str_t *value,
    char *allowed);

/* ngx_canary_conf_publish.c */
ngx_int_t ngx_canary_init_module(ngx_cycle_t *cycle);

/* what was counted up to now, for the master: before and after all ticks */
void ngx_canary_history_add_now(ngx_canary_srv_conf_t *conf, ngx_log_t *log);

/* ngx_canary_value.c */

/* a value that may hold variables; "text" stands in the configuration */
ngx_int_t ngx_canary_value_compile(ngx_conf_t *cf, ngx_str_t *text,
    ngx_canary_value_t *value);

/* empty string if it is not found; NGX_ERROR if memory is short */
ngx_int_t ngx_canary_value(ngx_http_request_t *r, ngx_canary_value_t *value,
    ngx_str_t *result);

/* ngx_canary_conf_split.c: what decides a variant */
char *ngx_canary_conf_canary(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_canary_conf_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_canary_conf_salt(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_canary_conf_force(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_canary_conf_bypass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ngx_canary_conf_cookie.c */
char *ngx_canary_conf_cookie(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ngx_canary_conf_measure.c: what is counted and how */
char *ngx_canary_conf_fallback(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_canary_conf_errors(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_canary_conf_latency(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_canary_conf_buckets(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* a time of at most three significant digits, 1 us to 1000 s */
ngx_int_t ngx_canary_conf_time(ngx_str_t *value, uint64_t *us);

/* ngx_canary_conf_gate.c: what is judged, and what follows */
char *ngx_canary_conf_gate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_canary_conf_rollback(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_canary_conf_window(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* makes each limit of a latency gate a bound of the histogram */
void ngx_canary_conf_limits(ngx_canary_srv_conf_t *conf);

/* ngx_canary_conf_state.c: the state file */
char *ngx_canary_conf_state(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* NGX_ERROR, logged, if a split before this one has the same file */
ngx_int_t ngx_canary_conf_state_once(ngx_conf_t *cf,
    ngx_canary_srv_conf_t *conf);

/* for the master, before it publishes; returns the generation up to now */
uint64_t ngx_canary_state_start(ngx_canary_srv_conf_t *conf,
    ngx_cycle_t *cycle);

/* what the status tells of the file; "error" lives as long as the pool */
ngx_int_t ngx_canary_state_picture(ngx_canary_srv_conf_t *conf,
    ngx_canary_split_t *split, ngx_pool_t *pool);

/* calls one of ngx_canary_keep.h for each split that has a state file */
typedef void (*ngx_canary_state_pt)(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_log_t *log);
void ngx_canary_state_each(ngx_cycle_t *cycle, ngx_canary_state_pt call);

void ngx_canary_exit_master(ngx_cycle_t *cycle);

/* ngx_canary_conf_event.c: what locations count */
void *ngx_canary_create_loc_conf(ngx_conf_t *cf);
char *ngx_canary_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);
char *ngx_canary_conf_event(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_int_t ngx_canary_conf_event_rules(ngx_conf_t *cf,
    ngx_canary_srv_conf_t *conf);
ngx_uint_t ngx_canary_event_is_name(u_char *p, u_char *last);

/* ngx_canary_event.c */
ngx_int_t ngx_canary_event_add_handler(ngx_conf_t *cf);

/*
 * ngx_canary_split_picture.c: one consistent picture of a split, for whoever
 * reads: all of "split" but what ngx_canary_gates_judge() derives; its "want"
 * is the caller's.  NGX_ERROR if memory is short.
 */
ngx_int_t ngx_canary_split_picture(ngx_canary_srv_conf_t *conf,
    ngx_canary_split_t *split, ngx_pool_t *pool);

/* ngx_canary_timer.c: what is done once a second */
ngx_int_t ngx_canary_init_process(ngx_cycle_t *cycle);

/* ngx_canary_assign.c */

/*
 * The context, in which conf->number is assigned, and stays so for the whole
 * request; NULL if memory is short.
 */
ngx_canary_ctx_t *ngx_canary_assign(ngx_http_request_t *r,
    ngx_canary_srv_conf_t *conf);

/*
 * 1 if another variant has the slot by now, and its counters; see
 * ngx_canary_is_lost().
 */
ngx_uint_t ngx_canary_assign_is_lost(ngx_canary_srv_conf_t *conf,
    ngx_canary_assignment_t *a) __attribute__((cold, noinline));

/* takes the published record over into conf->view */
void ngx_canary_view_read(ngx_canary_srv_conf_t *conf)
    __attribute__((cold, noinline));

/* ngx_canary_cookie.c */

/* the client's id, a new one that is sent to it, or empty if neither */
ngx_int_t ngx_canary_cookie(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf,
    ngx_str_t *id);

/* keeps ids that were issued in the response, whatever comes before it */
void ngx_canary_cookie_add_filter(void);

/* it sends an id that was issued with this request */
ngx_uint_t ngx_canary_cookie_is(ngx_http_request_t *r, ngx_table_elt_t *h);

/* ngx_canary_upstream.c */
ngx_int_t ngx_canary_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);

/* wraps a canary's own upstream, for proxy_pass http://$canary_variant_NAME */
ngx_int_t ngx_canary_init_direct(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);

/* the variable of "conf" was read: it may have named the upstream of r */
void ngx_canary_named(ngx_http_request_t *r, ngx_canary_srv_conf_t *conf);

/* ngx_canary_latency.c */
ngx_int_t ngx_canary_latency_add_handler(ngx_conf_t *cf);

/* ngx_canary_passage.c */
void ngx_canary_exit_process(ngx_cycle_t *cycle);

/* ngx_canary_variables.c */
ngx_int_t ngx_canary_add_variables(ngx_conf_t *cf);

/* NGX_ERROR, logged, if a $canary_variant_NAME names no split, or several */
ngx_int_t ngx_canary_check_variables(ngx_conf_t *cf);

/* the split whose name is "name" with "-" and "." written "_", or NULL */
ngx_canary_srv_conf_t *ngx_canary_find_split(ngx_canary_main_conf_t *cmcf,
    ngx_str_t *name);

/* ngx_canary_status.c, ngx_canary_control.c */
char *ngx_canary_conf_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_canary_conf_control(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* once all locations are merged: what is told of their bodies' size */
void ngx_canary_conf_controls(ngx_canary_main_conf_t *cmcf);


/* the published record as this process sees it, read anew if it changed */
static ngx_inline ngx_canary_view_t *
ngx_canary_view(ngx_canary_srv_conf_t *conf)
{
    ngx_canary_zone_t  *zone;

    zone = conf->zone;

    if (ngx_canary_load(&zone->published) != conf->view.word) {
        ngx_canary_view_read(conf);
    }

    return &conf->view;
}


/* a request that began before its canary lost its slot counts nowhere */
static ngx_inline ngx_uint_t
ngx_canary_is_lost(ngx_canary_srv_conf_t *conf, ngx_canary_assignment_t *a)
{
    return ngx_canary_rare(a->generation != ngx_canary_view(conf)->generation)
           && ngx_canary_assign_is_lost(conf, a);
}


#pragma GCC visibility pop

#endif /* NGX_CANARY_HTTP_H_INCLUDED */
