/*
 * The shared memory of a split's custom events, which there is only where some
 * "canary_event" stands.  It outlives any reload that leaves one.
 *
 * Who writes: workers count (relaxed atomics; counters in the shard of their
 * index, what is written rarely or spreads by itself in one place); the master
 * names events; the worker that wins a tick takes steps and begins slices;
 * stages begin with those of the split.  There is no lock.
 *
 * Counters only grow, and a window or a stage is what they grew by since a
 * step, a slice or a base.  Sketches of users cannot be subtracted: a window is
 * the union of its slices.
 */

#ifndef NGX_CANARY_EVENTS_H_INCLUDED
#define NGX_CANARY_EVENTS_H_INCLUDED


#include "ngx_canary_zone.h"

#include "../pure/ngx_canary_unique.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_EVENTS_MAGIC   0x6e67636365766e74ULL     /* "ngccevnt" */
#define NGX_CANARY_EVENTS_LAYOUT  3

#define NGX_CANARY_MAX_EVENT_NAME 63    /* bytes */
#define NGX_CANARY_WINDOW_SLICES  NGX_CANARY_WINDOW_STEPS
/* one that is filled, and one that is cleared for the next */
#define NGX_CANARY_SLICES         (NGX_CANARY_WINDOW_SLICES + 2)


/* only ever grow */
typedef struct {
    uint64_t                      count;
    uint64_t                      nvalues;
    /*
     * The sum of values, 1e-3: of their lower bits and of what is above those,
     * so that neither wraps in the life of a server.
     */
    uint64_t                      sum_low;
    uint64_t                      sum_high;
} ngx_canary_event_counts_t;


#define NGX_CANARY_EVENT_LOW_BITS 25

/* __int128 is no C of the standard, but every compiler of 64 bits has it */
typedef unsigned __int128  ngx_canary_event_sum_t;

#define ngx_canary_event_sum(counts)                                          \
    (((ngx_canary_event_sum_t) (counts)->sum_high                             \
      << NGX_CANARY_EVENT_LOW_BITS)                                           \
     + (counts)->sum_low)


/* an array by event and by the slot of the variant */
typedef ngx_canary_event_counts_t
    ngx_canary_event_shard_t[NGX_CANARY_MAX_EVENTS][NGX_CANARY_MAX_VARIANTS];


typedef struct {
    uint64_t                      mark;     /* of the ring */
    uint64_t                      time_us;  /* monotonic */
    ngx_canary_event_shard_t      counts;
} ngx_canary_event_step_t;


/* an event on one variant; values in 1e-3 */
typedef struct {
    uint64_t                      last;
    /* by the index of the stage's base; low: as in ngx_canary_cell_t */
    uint64_t                      max[NGX_CANARY_BASES];
    uint64_t                      low[NGX_CANARY_BASES];
    uint64_t                      past_max; /* of the stages before */
    uint64_t                      past_low;
    uint64_t                      users;    /* 1: there are some */
    uint64_t                      since_us; /* began anew, monotonic, or 0 */
} ngx_canary_event_cell_t;


/* users of an event on one variant; a page of its own, zero until it is used */
typedef uint8_t  ngx_canary_sketch_t[NGX_CANARY_UNIQUE_REGISTERS];


typedef struct {
    uint64_t                      used;     /* generation of its last use */
    uint64_t                      len;
    u_char                        data[NGX_CANARY_MAX_EVENT_NAME + 1];
} ngx_canary_event_slot_t;


typedef struct ngx_canary_events_s {
    uint64_t                      magic;
    uint64_t                      layout;
    uint64_t                      nshards;
    uint64_t                      created_us;       /* monotonic */
    uint64_t                      restored; /* 1: not all began here */

    /* read for each event */
    uint64_t                      naming;   /* raised when a name changes */
    ngx_canary_ring_t             slices;   /* the newest is being filled */

    ngx_canary_ring_t             steps;
    uint64_t                      slice_mark[NGX_CANARY_SLICES];
    uint64_t                      slice_us[NGX_CANARY_SLICES];  /* began */
    ngx_canary_event_slot_t       slots[NGX_CANARY_MAX_EVENTS];

    ngx_canary_event_cell_t       cells[NGX_CANARY_MAX_EVENTS]
                                       [NGX_CANARY_MAX_VARIANTS];

    /* when the stage began; written before its record is published */
    ngx_canary_event_shard_t      base[NGX_CANARY_BASES];
    ngx_canary_event_step_t       ring[NGX_CANARY_STEPS];

    uint64_t                      hist[NGX_CANARY_MAX_EVENTS]
                                      [NGX_CANARY_MAX_VARIANTS]
                                      [NGX_CANARY_HIST_BUCKETS];
    uint64_t                      base_hist[NGX_CANARY_BASES]
                                           [NGX_CANARY_MAX_EVENTS]
                                           [NGX_CANARY_MAX_VARIANTS]
                                           [NGX_CANARY_HIST_BUCKETS];
    /* totals when the slice began, modulo 2^32 */
    uint32_t                      slice_hist[NGX_CANARY_SLICES]
                                            [NGX_CANARY_MAX_EVENTS]
                                            [NGX_CANARY_MAX_VARIANTS]
                                            [NGX_CANARY_HIST_BUCKETS];

    ngx_canary_sketch_t           users[NGX_CANARY_MAX_EVENTS]
                                       [NGX_CANARY_MAX_VARIANTS];
    ngx_canary_sketch_t           stage_users[NGX_CANARY_BASES]
                                             [NGX_CANARY_MAX_EVENTS]
                                             [NGX_CANARY_MAX_VARIANTS];
    ngx_canary_sketch_t           slice_users[NGX_CANARY_SLICES]
                                             [NGX_CANARY_MAX_EVENTS]
                                             [NGX_CANARY_MAX_VARIANTS];

    ngx_canary_event_shard_t      shards[1];    /* nshards */
} ngx_canary_events_t;


/* where an event is counted */
typedef struct {
    ngx_canary_events_t          *events;
    ngx_uint_t                    event;    /* its slot */
    ngx_uint_t                    slot;     /* the variant's */
    ngx_uint_t                    base;     /* index of the stage's */
} ngx_canary_event_place_t;


/* a name of the configuration */
typedef struct {
    ngx_str_t                     name;
    unsigned                      unique:1;
    unsigned                      value:1;
} ngx_canary_event_name_t;


/* what a configuration asks for; its split is in the picture or the plan */
typedef struct {
    ngx_canary_events_t          *events;
    ngx_uint_t                    nnames;
    ngx_canary_event_name_t      *names;
} ngx_canary_event_plan_t;


/* declares the zone of a split's events; as ngx_canary_zone_add() */
ngx_shm_zone_t *ngx_canary_events_add(ngx_conf_t *cf, ngx_str_t *split);

/*
 * ngx_canary_events.c: naming.  A name keeps its slot, and with it what was
 * counted; a new one takes an empty slot, else the one that has been out of use
 * for longest.  Called by the master only.
 */
void ngx_canary_events_name(ngx_canary_event_plan_t *plan,
    uint64_t generation);

/* the slot of a name, or NGX_ERROR: an older configuration may know others */
ngx_int_t ngx_canary_events_find(ngx_canary_events_t *events, ngx_str_t *name);

/* counts an event; then its user and its value, where there are such */
void ngx_canary_event_count(ngx_canary_event_place_t *place);
void ngx_canary_event_user(ngx_canary_event_place_t *place, ngx_str_t *user);
void ngx_canary_event_value(ngx_canary_event_place_t *place, uint64_t milli);

/*
 * ngx_canary_events_window.c: steps and slices, called by the winner of a tick;
 * the base of a stage; a slot that another variant takes, by the master only
 */
void ngx_canary_events_tick(ngx_canary_events_t *events, uint64_t window_us);
void ngx_canary_events_base(ngx_canary_events_t *events, uint64_t base);
void ngx_canary_events_reset(ngx_canary_events_t *events, ngx_uint_t slot);

/* counts an event on one variant from nothing; by the master only */
void ngx_canary_events_clear(ngx_canary_events_t *events, ngx_uint_t event,
    ngx_uint_t slot);

/* the totals of an event on one variant; sum need not be zeroed */
void ngx_canary_events_sum(ngx_canary_events_t *events, ngx_uint_t event,
    ngx_uint_t slot, ngx_canary_event_counts_t *sum);

/* the buckets that are set; 0 if there are no values */
ngx_uint_t ngx_canary_events_range(ngx_canary_event_cell_t *cell,
    size_t *from, size_t *to);

/* the greatest of the values by base and of those of the stages before */
uint64_t ngx_canary_events_extreme(uint64_t *past, uint64_t *by_base);

/*
 * ngx_canary_events_picture.c: fills in split->events and the trials of the
 * gates on events.  "split" is a picture of "zone".  NGX_ERROR if memory is
 * short.
 */
ngx_int_t ngx_canary_events_picture(ngx_canary_event_plan_t *plan,
    ngx_canary_zone_t *zone, ngx_canary_split_t *split, ngx_pool_t *pool);


#pragma GCC visibility pop

#endif /* NGX_CANARY_EVENTS_H_INCLUDED */
