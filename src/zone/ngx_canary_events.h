/*
 * The shared memory of a split's custom events, which there is only where some
 * "canary_event" stands: one zone for their names and how often each was
 * counted, and for a name one for its values and one for its users, where it
 * has such.  They outlive any reload that leaves the name.
 *
 * Who writes: workers count (relaxed atomics); the master names events; who
 * begins a stage or takes a step of the split does so for its events as well.
 * There is no lock.
 *
 * Sketches of users cannot be subtracted: a window is the union of slices.  A
 * slice is what comes behind a step, and has the number of the next one.
 */

#ifndef NGX_CANARY_EVENTS_H_INCLUDED
#define NGX_CANARY_EVENTS_H_INCLUDED


#include "ngx_canary_zone.h"

#include "../pure/ngx_canary_unique.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_EVENTS_LAYOUT  4
#define NGX_CANARY_VALUES_LAYOUT  1
#define NGX_CANARY_USERS_LAYOUT   1

#define NGX_CANARY_MAX_EVENT_NAME 63    /* bytes */


/* how often, by event and by the slot of the variant; only ever grows */
typedef uint64_t
    ngx_canary_event_counts_t[NGX_CANARY_MAX_EVENTS][NGX_CANARY_MAX_VARIANTS];


typedef struct {
    uint64_t                      used;     /* generation of its last use */
    uint64_t                      len;
    u_char                        data[NGX_CANARY_MAX_EVENT_NAME + 1];
} ngx_canary_event_slot_t;


typedef struct {
    ngx_canary_head_t             head;
    uint64_t                      nshards;
    uint64_t                      naming;   /* raised when a name changes */
    ngx_canary_event_slot_t       slots[NGX_CANARY_MAX_EVENTS];
    /* when it began to count from nothing, monotonic */
    ngx_canary_event_counts_t     since_us;
    ngx_canary_event_counts_t     base[NGX_CANARY_BASES];
    ngx_canary_event_counts_t     steps[NGX_CANARY_STEPS];
    ngx_canary_event_counts_t     shards[1];    /* nshards */
} ngx_canary_events_t;


/* of an event, in 1e-3; all workers count into one shard */
typedef struct {
    ngx_canary_head_t             head;
    uint64_t                      last[NGX_CANARY_MAX_VARIANTS];
    ngx_canary_tally_t            tally;
    ngx_canary_cell_t             cells[NGX_CANARY_MAX_VARIANTS];
} ngx_canary_values_t;


/* a page of its own, zero until it is used */
typedef uint8_t  ngx_canary_sketch_t[NGX_CANARY_UNIQUE_REGISTERS];


/* of an event */
typedef struct {
    ngx_canary_head_t             head;
    uint64_t                      used[NGX_CANARY_MAX_VARIANTS];    /* 1: any */
    uint64_t                      marks[NGX_CANARY_STEPS];  /* as of a ring */
    ngx_canary_sketch_t           total[NGX_CANARY_MAX_VARIANTS];
    ngx_canary_sketch_t           stage[NGX_CANARY_BASES]
                                       [NGX_CANARY_MAX_VARIANTS];
    ngx_canary_sketch_t           slices[NGX_CANARY_STEPS]
                                        [NGX_CANARY_MAX_VARIANTS];
} ngx_canary_users_t;


/* a name of the configuration */
typedef struct {
    ngx_str_t                     name;
    unsigned                      unique:1;
    unsigned                      value:1;
} ngx_canary_event_name_t;


/*
 * What a configuration asks for in a split, by the index of the name.  Behind
 * its own names are those of before that have a slot still: what they counted
 * stays, with its memory, until so many others have come or nginx starts.
 */
typedef struct ngx_canary_event_plan_s {
    ngx_canary_events_t          *events;
    ngx_uint_t                    nnames;
    ngx_uint_t                    nall;
    ngx_canary_event_name_t       names[NGX_CANARY_MAX_EVENTS];
    ngx_canary_values_t          *values[NGX_CANARY_MAX_EVENTS];  /* or NULL */
    ngx_canary_users_t           *users[NGX_CANARY_MAX_EVENTS];   /* or NULL */

    /* whose data those are, once a configuration is accepted */
    ngx_shm_zone_t               *events_zone;
    ngx_shm_zone_t               *values_zone[NGX_CANARY_MAX_EVENTS];
    ngx_shm_zone_t               *users_zone[NGX_CANARY_MAX_EVENTS];
} ngx_canary_event_plan_t;


/* where an event is counted */
typedef struct {
    ngx_canary_zone_t            *zone;
    ngx_canary_event_plan_t      *plan;
    ngx_uint_t                    index;    /* of its name */
    ngx_uint_t                    event;    /* its slot */
    ngx_uint_t                    slot;     /* the variant's */
    ngx_uint_t                    base;     /* index of the stage's */
} ngx_canary_event_place_t;


/*
 * Declares the zones of a split's events, whose names are in "plan", and adds
 * those of before; NGX_ERROR where ngx_canary_zone_add() has NULL.
 */
ngx_int_t ngx_canary_events_add(ngx_conf_t *cf, ngx_str_t *split,
    ngx_canary_event_plan_t *plan);

/* by the master once they are initialised: "plan" has their memory */
void ngx_canary_events_accept(ngx_canary_event_plan_t *plan);

/*
 * A name keeps its slot, and with it what was counted; a new one takes an empty
 * slot, else the one that has been out of use for longest.  By the master, for
 * memory in which "zone" takes its steps.
 */
void ngx_canary_events_name(ngx_canary_event_plan_t *plan,
    ngx_canary_zone_t *zone, uint64_t generation);

/* the index of a slot's name in the plan, or plan->nall */
ngx_uint_t ngx_canary_events_index(ngx_canary_event_plan_t *plan,
    ngx_canary_event_slot_t *slot);

/* the slot of a name, or NGX_ERROR: an older configuration may know others */
ngx_int_t ngx_canary_events_find(ngx_canary_events_t *events, ngx_str_t *name);

/* counts an event; then its user and its value, where there are such */
void ngx_canary_event_count(ngx_canary_event_place_t *place);
void ngx_canary_event_user(ngx_canary_event_place_t *place, ngx_str_t *user);
void ngx_canary_event_value(ngx_canary_event_place_t *place, uint64_t milli);

/* how often an event was counted on one variant */
uint64_t ngx_canary_events_sum(ngx_canary_events_t *events, ngx_uint_t event,
    ngx_uint_t slot);

/*
 * For a slot of the split, as ngx_canary_tally_base() and .._step(): all events
 * on one variant.  Behind a step, the slice with that number begins.
 */
void ngx_canary_events_base(ngx_canary_event_plan_t *plan, ngx_uint_t slot,
    ngx_uint_t base, ngx_canary_sum_t *sum);
void ngx_canary_events_step(ngx_canary_event_plan_t *plan, ngx_uint_t slot,
    ngx_uint_t step, ngx_canary_sum_t *sum);
void ngx_canary_events_slice(ngx_canary_event_plan_t *plan, uint64_t number);

/* counts all events on one variant from nothing; by the master only */
void ngx_canary_events_reset(ngx_canary_event_plan_t *plan, ngx_uint_t slot);


#pragma GCC visibility pop

#endif /* NGX_CANARY_EVENTS_H_INCLUDED */
