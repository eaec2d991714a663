/*
 * What is kept of a split over a restart of nginx, and its form in a file:
 *
 *     magic      8 bytes
 *     version    4 bytes
 *     length     8 bytes, of the whole file
 *     run        8 bytes, see below
 *     owner      8 bytes
 *     place      8 bytes, since version 2
 *     body       numbers of 7 bits a byte, the lowest first; texts behind
 *                their length; of histograms only the buckets in use; what
 *                may be a fraction as it is in IEEE 754
 *     checksum   8 bytes, XXH3 64 of all bytes before it
 *
 * What has a fixed size has its lowest byte first.  Moments are milliseconds
 * since the epoch (_ms), stretches of time microseconds (_us).
 */

#ifndef NGX_CANARY_STATE_H_INCLUDED
#define NGX_CANARY_STATE_H_INCLUDED


#include <stddef.h>
#include <stdint.h>

#include "ngx_canary_detector.h"
#include "ngx_canary_hist.h"
#include "ngx_canary_snapshot.h"
#include "ngx_canary_split.h"
#include "ngx_canary_walk.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_STATE_VERSION  4
/* of the oldest file that is read; what it lacks is 0 */
#define NGX_CANARY_STATE_OLDEST   1
#define NGX_CANARY_STATE_HEADER   44    /* bytes before the body */
#define NGX_CANARY_STATE_CHECK    8     /* bytes of the checksum */
#define NGX_CANARY_STATE_ERROR    128   /* bytes of an error's text */

#define NGX_CANARY_SAVED_NAME     255   /* bytes of a name, at most */
#define NGX_CANARY_SAVED_TEXT     511   /* bytes of a text, at most */
/* one more must be possible, and JSON must hold it exactly */
#define NGX_CANARY_SAVED_GENERATION  ((uint64_t) 1 << 52)
/* of a point of history, in milliseconds: JSON must hold it exactly */
#define NGX_CANARY_SAVED_MOMENT  ((uint64_t) 1 << 53)
/* a hundred years, in microseconds */
#define NGX_CANARY_SAVED_ELAPSED  ((uint64_t) 3155760000u * 1000000u)
#define NGX_CANARY_SAVED_GATES                                                \
    (NGX_CANARY_MAX_RULES * NGX_CANARY_MAX_CANARIES)
#define NGX_CANARY_SAVED_EVENTS   32
#define NGX_CANARY_SAVED_SKETCH   4096
#define NGX_CANARY_SAVED_SHIFT    31    /* doublings of the stage's points */

/* the most that ngx_canary_state_encode() makes of anything, in bytes */
#define NGX_CANARY_STATE_NUMBER   10
#define NGX_CANARY_STATE_HIST                                                 \
    ((1 + NGX_CANARY_HIST_BUCKETS) * (2 + NGX_CANARY_STATE_NUMBER))
#define NGX_CANARY_STATE_COUNTS                                               \
    ((3 + NGX_CANARY_TALLY) * NGX_CANARY_STATE_NUMBER + NGX_CANARY_STATE_HIST)
#define NGX_CANARY_STATE_VARIANT                                              \
    ((2 + NGX_CANARY_LIMITS) * NGX_CANARY_STATE_NUMBER                        \
     + NGX_CANARY_SAVED_NAME + 2 * NGX_CANARY_STATE_COUNTS)
#define NGX_CANARY_STATE_EVENT                                                \
    (2 * NGX_CANARY_STATE_NUMBER + NGX_CANARY_SAVED_NAME                      \
     + NGX_CANARY_MAX_VARIANTS                                                \
       * (12 * NGX_CANARY_STATE_NUMBER + 2 * NGX_CANARY_STATE_HIST            \
          + 2 * NGX_CANARY_SAVED_SKETCH * 3))
#define NGX_CANARY_STATE_DISPERSION                                           \
    (8 * (1 + NGX_CANARY_DISPERSION_LENGTHS * 2 * 5))
#define NGX_CANARY_STATE_RULE                                                 \
    (8 + NGX_CANARY_STATE_NUMBER + NGX_CANARY_STATE_DISPERSION)
#define NGX_CANARY_STATE_GATE                                                 \
    (4 * NGX_CANARY_STATE_NUMBER                                              \
     + 8 * (4 + NGX_CANARY_DETECTOR_ALTERNATIVES)                             \
     + NGX_CANARY_STATE_DISPERSION)
#define NGX_CANARY_STATE_JUDGE                                                \
    ((3 + NGX_CANARY_MAX_CANARIES) * NGX_CANARY_STATE_NUMBER                  \
     + NGX_CANARY_MAX_RULES * NGX_CANARY_STATE_RULE                           \
     + NGX_CANARY_SAVED_GATES * NGX_CANARY_STATE_GATE)
#define NGX_CANARY_STATE_POINT                                                \
    ((4 + NGX_CANARY_HISTORY_LIMITS                                           \
      + NGX_CANARY_MAX_VARIANTS                                               \
        * (7 + NGX_CANARY_HISTORY_LE + NGX_CANARY_HISTORY_LIMITS              \
           + NGX_CANARY_MAX_RULES))                                           \
     * NGX_CANARY_STATE_NUMBER)
#define NGX_CANARY_STATE_HISTORY                                              \
    (NGX_CANARY_MAX_VARIANTS * (2 + NGX_CANARY_SAVED_NAME)                    \
     + (NGX_CANARY_MAX_RULES + 7) * NGX_CANARY_STATE_NUMBER                   \
     + NGX_CANARY_SERIES * NGX_CANARY_HISTORY_POINTS * NGX_CANARY_STATE_POINT)
#define NGX_CANARY_STATE_JOURNAL                                              \
    (NGX_CANARY_JOURNAL                                                       \
     * (4 * NGX_CANARY_STATE_NUMBER + NGX_CANARY_SAVED_TEXT))
#define NGX_CANARY_STATE_MAX                                                  \
    (NGX_CANARY_STATE_HEADER + 64 * NGX_CANARY_STATE_NUMBER                   \
     + 2 * NGX_CANARY_SAVED_NAME + NGX_CANARY_SAVED_TEXT                      \
     + NGX_CANARY_STATE_JOURNAL                                               \
     + NGX_CANARY_MAX_VARIANTS * NGX_CANARY_STATE_VARIANT                     \
     + NGX_CANARY_SAVED_EVENTS * NGX_CANARY_STATE_EVENT                       \
     + NGX_CANARY_STATE_JUDGE + NGX_CANARY_STATE_HISTORY                      \
     + NGX_CANARY_STATE_CHECK)


typedef struct {
    uint64_t                  len;
    unsigned char             data[NGX_CANARY_SAVED_TEXT + 1];
} ngx_canary_saved_text_t;

typedef struct {
    uint64_t                  len;
    unsigned char             data[NGX_CANARY_SAVED_NAME + 1];
} ngx_canary_saved_name_t;


/*
 * As in shared memory: "low" is UINT64_MAX - the least, 0 if there is none.
 * That of an event has its users as well; values in 1e-3.
 */
typedef struct {
    uint64_t                  n[NGX_CANARY_TALLY];
    uint64_t                  max;
    uint64_t                  low;
    uint64_t                  hist[NGX_CANARY_HIST_BUCKETS];
    unsigned char             sketch[NGX_CANARY_SAVED_SKETCH];
} ngx_canary_saved_tally_t;


/* by its slot; the baseline is slot 0 */
typedef struct {
    uint64_t                  used;     /* generation of its last use, or 0 */
    ngx_canary_saved_name_t   name;
    ngx_canary_saved_tally_t  total;    /* extremes: of all stages */
    ngx_canary_saved_tally_t  base;     /* when the stage began; its extremes */
    /* those counted for limits before these; since version 3 */
    uint64_t                  late_from[NGX_CANARY_LIMITS];
} ngx_canary_saved_variant_t;


typedef struct {
    uint64_t                  slot;     /* 1 to NGX_CANARY_MAX_CANARIES */
    uint64_t                  share_ppm;
    uint64_t                  off;
} ngx_canary_saved_share_t;


typedef struct {
    uint64_t                  number;       /* 0 in a file of version 1 */
    uint64_t                  time_ms;
    uint64_t                  kind;
    ngx_canary_saved_text_t   text;
} ngx_canary_saved_note_t;


/* a custom event on one variant, which there is if it was ever counted */
typedef struct {
    uint64_t                  elapsed_us;
    uint64_t                  last;     /* value */
    ngx_canary_saved_tally_t  total;
    /* counts of when the stage began; extremes and users of the stage */
    ngx_canary_saved_tally_t  base;
} ngx_canary_saved_figures_t;


typedef struct {
    uint64_t                  used;     /* as that of a variant; not 0 */
    ngx_canary_saved_name_t   name;
    ngx_canary_saved_figures_t
                              figures[NGX_CANARY_MAX_VARIANTS]; /* by slot */
} ngx_canary_saved_event_t;


/* what counts of it */
typedef struct {
    double                    rate;
    ngx_canary_epoch_t        past[NGX_CANARY_DISPERSION_LENGTHS];
} ngx_canary_saved_dispersion_t;


typedef struct {
    uint64_t                  signature;
    uint64_t                  ref_us;   /* of a relative quantile, or 0 */
    ngx_canary_saved_dispersion_t
                              dispersion;       /* of the baseline */
} ngx_canary_saved_rule_t;


/* a rule on one canary; see ngx_canary_gate_t */
typedef struct {
    uint64_t                  stream;   /* 0: not begun, the rest is unset */
    uint64_t                  failed;   /* 0 or 1 */
    uint64_t                  held;
    uint64_t                  held_ms;
    double                    held_ln;
    double                    trials;
    double                    bad;
    double                    expected;
    double                    ln1p[NGX_CANARY_DETECTOR_ALTERNATIVES];
    ngx_canary_saved_dispersion_t
                              dispersion;
} ngx_canary_saved_gate_t;


/* since version 3; the gates: each rule for the first slot, and so on */
typedef struct {
    uint64_t                  streams;  /* numbers given out */
    uint64_t                  nrules;
    uint64_t                  ncanaries;
    uint64_t                  slots[NGX_CANARY_MAX_CANARIES];
    ngx_canary_saved_rule_t   rules[NGX_CANARY_MAX_RULES];
    ngx_canary_saved_gate_t   gates[NGX_CANARY_SAVED_GATES];
} ngx_canary_saved_judge_t;


/* columns by slot and by place of a rule; shares by slot */
typedef struct {
    uint64_t                  npoints;
    uint64_t                  shift;
    uint64_t                  stage_ms; /* when the stage of it began */
    ngx_canary_point_t        points[NGX_CANARY_HISTORY_POINTS];
    ngx_canary_point_counts_t counts[NGX_CANARY_MAX_VARIANTS]
                                    [NGX_CANARY_HISTORY_POINTS];
    ngx_canary_point_gate_t   gates[NGX_CANARY_MAX_RULES]
                                   [NGX_CANARY_MAX_VARIANTS]
                                   [NGX_CANARY_HISTORY_POINTS];
} ngx_canary_saved_series_t;


/* since version 3 */
typedef struct {
    ngx_canary_saved_name_t   names[NGX_CANARY_MAX_VARIANTS];   /* or empty */
    uint64_t                  rules[NGX_CANARY_MAX_RULES];  /* signature or 0 */
    ngx_canary_saved_series_t series[NGX_CANARY_SERIES];
} ngx_canary_saved_history_t;


typedef struct {
    /*
     * The file belongs to the run with the greatest number; its owner is the
     * process id of that master, which holds in one place: a boot of a machine,
     * and a namespace of process ids.  0: not known.
     */
    uint64_t                  run;
    uint64_t                  owner;
    uint64_t                  place;        /* since version 2 */

    ngx_canary_saved_name_t   split;
    uint64_t                  saved_ms;
    uint64_t                  created_ms;
    uint64_t                  elapsed_us;   /* while nginx ran */
    uint64_t                  unkeyed;
    uint64_t                  base_unkeyed;
    uint64_t                  bypassed; /* since version 2 */
    uint64_t                  rollbacks[NGX_CANARY_CAUSES];

    uint64_t                  latched;      /* 0 or 1 */
    uint64_t                  latch_ms;
    uint64_t                  cause;
    ngx_canary_saved_text_t   reason;

    uint64_t                  generation;
    uint64_t                  loaded_ms;
    uint64_t                  stage_start_ms;
    uint64_t                  stage_elapsed_us;
    ngx_canary_saved_name_t   stage;
    uint64_t                  ncanaries;
    ngx_canary_saved_share_t  canaries[NGX_CANARY_MAX_CANARIES];

    uint64_t                  njournal;     /* the oldest first */
    ngx_canary_saved_note_t   journal[NGX_CANARY_JOURNAL];

    /* of requests that are given up, UINT64_MAX: none; since version 3 */
    uint64_t                  limits_us[NGX_CANARY_LIMITS];
    ngx_canary_saved_variant_t
                              variants[NGX_CANARY_MAX_VARIANTS];

    uint64_t                  nevents;
    ngx_canary_saved_event_t *events;       /* the caller's */

    ngx_canary_saved_judge_t  judge;

    /* the caller's; NULL: none is written, and a file that has some refused */
    ngx_canary_saved_history_t *history;
} ngx_canary_saved_t;


/*
 * Writes "saved" to "buf" of "size" bytes; with buf NULL nothing is written.
 * Returns the length, at most NGX_CANARY_STATE_MAX, or 0 if it does not fit or
 * holds what no decoder would take.  "saved" is left as it is.
 */
size_t ngx_canary_state_encode(ngx_canary_saved_t *saved, unsigned char *buf,
    size_t size);

/*
 * Reads any bytes into "saved", which the caller has zeroed, but for
 * saved->events with room for saved->nevents of them.  Returns 0, or -1 and in
 * "error", of NGX_CANARY_STATE_ERROR bytes, what is wrong; then "saved" is not
 * to be used.
 */
int ngx_canary_state_decode(ngx_canary_saved_t *saved,
    const unsigned char *data, size_t len, char *error);

/*
 * Run, owner and place of a file, by its first NGX_CANARY_STATE_HEADER bytes.
 * Returns 0, or -1 if they are not those of a file that can be read.
 */
int ngx_canary_state_owner(const unsigned char *data, uint64_t *run,
    uint64_t *owner, uint64_t *place);

/* ngx_canary_state_history.c: a part of the walk over the body */
void ngx_canary_state_history(ngx_canary_walk_t *w, ngx_canary_saved_t *saved);

/* ngx_canary_state_judge.c: likewise */
void ngx_canary_state_judge(ngx_canary_walk_t *w,
    ngx_canary_saved_judge_t *judge);


#pragma GCC visibility pop

#endif /* NGX_CANARY_STATE_H_INCLUDED */
